import { expect, test } from 'vitest';

import { config } from '@/test/fixtures';

import { standing } from './rules';

const rule = (code: string) => {
  const found = config.password_rules.find((each) => each.code === code);
  if (!found) throw new Error(`no rule ${code}`);
  return found;
};

test.each([
  ['minimum-length', 'nine chars', 'met'],
  ['minimum-length', 'too short', 'unmet'],
  ['minimum-length', '🦊🦊🦊🦊🦊', 'unmet'],
  ['numeric-password', '8675309867', 'unmet'],
  ['numeric-password', '8675309 867', 'met'],
  ['minimum-length', '', 'unknown'],
  ['common-password', 'password', 'unknown'],
  ['user-attribute-similarity', 'ada@example.com', 'unknown'],
])('of %s, “%s” is %s', (code, password, expected) => {
  expect(standing(rule(code), password)).toBe(expected);
});

test('a rule this page has never heard of is left to the server', () => {
  expect(standing({ code: 'pwned-password', text: 'Not leaked.', least_characters: null }, 'x')).toBe(
    'unknown',
  );
});
