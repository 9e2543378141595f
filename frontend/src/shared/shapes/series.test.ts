import { expect, test } from 'vitest';

import { chartColumns, stretch } from './series';

const future = (at: string, value: number) => ({
  at,
  value,
  lower80: value - 10,
  upper80: value + 10,
  lower95: value - 20,
  upper95: value + 25,
});

test('the dashed line leaves from the last known point, and the band opens there', () => {
  const columns = chartColumns({
    past: [
      { at: '2026-03-16', value: 90 },
      { at: '2026-03-23', value: 100 },
    ],
    future: [future('2026-03-30', 110), future('2026-04-06', 120)],
  });
  expect(columns.at).toEqual(['2026-03-16', '2026-03-23', '2026-03-30', '2026-04-06']);
  expect(columns.past).toEqual([90, 100, null, null]);
  expect(columns.future).toEqual([null, 100, 110, 120]);
  expect(columns.floor95).toEqual([null, 100, 90, 100]);
  expect(columns.height95).toEqual([null, 0, 45, 45]);
  expect(columns.floor80).toEqual([null, 100, 100, 110]);
  expect(columns.height80).toEqual([null, 0, 20, 20]);
});

test('a series without a forecast is its past alone', () => {
  const columns = chartColumns({ past: [{ at: '2026-03-16', value: 90 }], future: [] });
  expect(columns.past).toEqual([90]);
  expect(columns.future).toEqual([null]);
  expect(columns.height95).toEqual([null]);
});

test('a forecast without a past begins at its first week', () => {
  const columns = chartColumns({ past: [], future: [future('2026-03-30', 5)] });
  expect(columns.future).toEqual([5]);
  expect(columns.floor95).toEqual([-15]);
});

test('every column is as long as the axis', () => {
  const columns = chartColumns({ past: [{ at: 'a', value: 1 }], future: [future('b', 2), future('c', 3)] });
  for (const column of Object.values(columns)) expect(column).toHaveLength(3);
});

test('a stretch is the newest of the past and the nearest of the future', () => {
  const past = ['a', 'b', 'c'].map((at) => ({ at, value: 1 }));
  const seen = stretch({ past, future: [future('d', 2), future('e', 3)] }, 2, 1);
  expect(seen.past.map(({ at }) => at)).toEqual(['b', 'c']);
  expect(seen.future.map(({ at }) => at)).toEqual(['d']);
});
