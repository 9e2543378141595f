import type { PasswordRuleOutput } from '@/shared/api/gen/model';

/** Whether a password fulfils a rule; `unknown` where only the server can tell. */
export type Standing = 'met' | 'unmet' | 'unknown';

const CHECKS: Record<string, (password: string, rule: PasswordRuleOutput) => boolean> = {
  // By characters, as the server counts: an emoji is one.
  'minimum-length': (password, { least_characters: least }) => Array.from(password).length >= (least ?? 0),
  'numeric-password': (password) => !/^\d+$/.test(password),
};

export function standing(rule: PasswordRuleOutput, password: string): Standing {
  const check = CHECKS[rule.code];
  if (!check || password === '') return 'unknown';
  return check(password, rule) ? 'met' : 'unmet';
}
