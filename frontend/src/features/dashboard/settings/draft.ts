import type { SettingInputRequest, SettingOutput } from '@/shared/api/gen/model';
import { asProblem } from '@/shared/api/problem';

/** By setting: what was typed (text where it is no number yet), null for the default. */
export type Draft = Record<string, number | string | null>;

export const keyOf = ({ kind, name }: { kind: string; name: string }): string => `${kind}/${name}`;

/** What differs from what holds now. An emptied field asks for the default. */
export function changed(settings: readonly SettingOutput[], draft: Draft): SettingInputRequest[] {
  return settings.flatMap((setting) => {
    const typed = draft[keyOf(setting)];
    if (typed === undefined) return [];
    const value = typed === null || typed === '' ? null : Number(typed);
    const { kind, name } = setting;
    return (value ?? setting.default) === setting.value ? [] : [{ kind, name, value }];
  });
}

/** The API's word about each setting that was sent: by place in the request, or named in the details. */
export function faultsOf(error: unknown, sent: readonly SettingInputRequest[]): Record<string, string> {
  if (!error) return {};
  const problem = asProblem(error);
  const faults: Record<string, string> = {};
  for (const { pointer, detail } of problem.entries) {
    const setting = sent[Number(/^\/settings\/(\d+)/.exec(pointer)?.[1] ?? NaN)];
    if (setting) faults[keyOf(setting)] ??= detail;
  }
  const { kind, name } = problem.details;
  if (typeof kind === 'string' && typeof name === 'string') {
    faults[keyOf({ kind, name })] ??= [problem.message, problem.hint].filter(Boolean).join(' ');
  }
  return faults;
}
