import { describe, expect, test } from 'vitest';

import type { SpendItem } from '@/shared/insights/types';
import { payments, reviewed } from '@/test/reviews';

import { isIn, stateOf, whyBack } from '../items/states';
import { filtersOf, pageOf, sorted, wantedIn } from './queue';

const items = payments(12);
const [first] = items as [SpendItem];
const asked = (state: Record<string, string>, head: SpendItem[] = items) =>
  filtersOf(wantedIn(state, head), state);

describe('what the API is asked for', () => {
  test('is the open ones that are worth a review, until the reader says otherwise', () => {
    expect(asked({})).toEqual({ state: ['open'], severity: [], focus: true });
    expect(asked({ state: 'snoozed,expected', severity: 'low,critical' })).toEqual({
      state: ['snoozed', 'expected'],
      severity: ['critical', 'low'],
      focus: true,
    });
    expect(asked({ state: 'any', show: 'all' })).toEqual({ state: [], severity: [] });
  });

  test('is everything where nothing is worth a review', () => {
    const dull = items.map((item) => ({ ...item, worth_review: false }));
    expect(asked({}, dull)).toEqual({ state: ['open'], severity: [] });
  });

  test('holds facets and words, and leaves out what this page does not know', () => {
    expect(asked({ reason: 'weekend', vendor: 'Staples', q: ' rent ' })).toMatchObject({
      reason: ['weekend'],
      vendor: ['Staples'],
      q: 'rent',
    });
    expect(asked({ state: 'gone', severity: 'deadly', sort: 'x', q: '  ' })).toEqual({
      state: ['open'],
      severity: [],
      focus: true,
    });
  });
});

test('a state this page does not know yet is open, and what is back says why', () => {
  expect(stateOf({ ...first, status: 'escalated' })).toBe('open');
  expect(stateOf({ ...first, status: null })).toBe('open');
  const back = { ...first, review: reviewed({ reopened: 'The amount was 1.00.' }) };
  expect(whyBack(back)).toBe('The amount was 1.00.');
  expect([isIn(back, ['reopened']), isIn(first, ['reopened']), isIn(back, ['open'])]).toEqual([
    true,
    false,
    true,
  ]);
});

test('amounts of different currencies are sorted apart, credits by their size', () => {
  const of = (txn_id: string, amount: number, currency: string) => ({ ...first, txn_id, amount, currency });
  const mixed = [of('a', 5, 'USD'), of('b', 10, 'EUR'), of('c', -20, 'EUR'), of('d', 90, 'USD')];
  expect(sorted(mixed, 'amount').map((item) => item.txn_id)).toEqual(['c', 'b', 'd', 'a']);
});

test('pages are counted over all that match, and an address that asks for none gets a near one', () => {
  const many = payments(60);
  expect(pageOf(many, 70, { page: '3' })).toMatchObject({ page: 3, pages: 3 });
  expect(pageOf(many, 70, { page: '99' })).toMatchObject({ page: 3 });
  expect(pageOf(many, 70, { page: 'x' })).toMatchObject({ page: 1 });
  expect(pageOf(many, 70, { item: many[30]?.txn_id ?? '' })).toMatchObject({ page: 2 });
  expect(pageOf(many, 70, { page: '2' }).rows).toEqual(many.slice(25, 50));
});
