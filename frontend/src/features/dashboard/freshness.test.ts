import { expect, test } from 'vitest';

import type { DashboardOutput } from '@/shared/api/gen/model';
import { boards, job } from '@/test/fixtures';

import { freshnessOf } from './freshness';

const board = boards.sales as DashboardOutput;

test('is fresh when the newest run is done and seen', () => {
  expect(freshnessOf(board, [job()])).toEqual({ kind: 'fresh' });
  expect(freshnessOf(board, [])).toEqual({ kind: 'fresh' });
});

test('says that a run is under way, also behind a newer failed one', () => {
  const moving = job({ id: 'moving', status: 'processing' });
  expect(freshnessOf(board, [job({ status: 'failed' }), moving])).toEqual({ kind: 'under-way', job: moving });
});

test('says that the newest run failed, but not that an older one did', () => {
  const failed = job({ id: 'failed', status: 'failed' });
  expect(freshnessOf(board, [failed, job()])).toEqual({ kind: 'failed', job: failed });
  expect(freshnessOf(board, [job(), failed])).toEqual({ kind: 'fresh' });
});

test('says that loaded rows are not in the insights yet', () => {
  const late = { ...board, last_updated: '2026-03-31T00:00:00Z' };
  expect(freshnessOf(late, [job()])).toEqual({ kind: 'behind' });
});
