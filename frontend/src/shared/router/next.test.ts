import { expect, test } from 'vitest';

import { safeNext } from './next';

test.each([
  ['/jobs?status=failed', '/jobs?status=failed'],
  ['/dashboard/sales#top', '/dashboard/sales#top'],
  ['https://evil.example/', '/'],
  ['//evil.example/', '/'],
  ['/\\evil.example', '/'],
  ['/login?next=/jobs', '/'],
  ['javascript:alert(1)', '/'],
  [undefined, '/'],
  [['/jobs'], '/'],
])('after the log-in, %j leads to %s', (next, where) => {
  expect(safeNext(next)).toBe(where);
});
