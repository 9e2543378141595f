import { describe, expect, test } from 'vitest';

import type { SpendItem } from '@/shared/insights/types';
import { payments, reviewed } from '@/test/reviews';

import { countsByState, isWanted, reasonsIn, seen, sorted, stateOf, wantedIn } from './queue';

const items = payments(12);
const [first, second, third] = items as [SpendItem, SpendItem, SpendItem];
const said = (item: SpendItem, verdict: 'expected' | 'acknowledged'): SpendItem => ({
  ...item,
  status: verdict,
  review: reviewed({ verdict }),
});
const idsOf = (state: Record<string, string>, from: SpendItem[] = items) => {
  const wanted = wantedIn(state, from);
  return from.filter((item) => isWanted(item, wanted)).map((item) => item.txn_id);
};

describe('what a reader wants to see', () => {
  test('is the open ones that are worth a review, until they say otherwise', () => {
    const some = [said(first, 'expected'), said(second, 'acknowledged'), ...items.slice(2)];
    expect(idsOf({}, some)).toEqual(items.slice(2, 6).map((item) => item.txn_id));
    expect(idsOf({ state: 'expected,acknowledged' }, some)).toEqual([first.txn_id, second.txn_id]);
    expect(idsOf({ state: 'any', show: 'all' }, some)).toHaveLength(12);
  });

  test('is everything where nothing is worth a review', () => {
    const dull = items.map((item) => ({ ...item, worth_review: false }));
    expect(idsOf({}, dull)).toHaveLength(12);
  });

  test('holds what was found to be expected, though it is not worth a review any more', () => {
    const settled = { ...said(first, 'expected'), worth_review: false };
    expect(idsOf({ state: 'expected' }, [settled, second])).toEqual([first.txn_id]);
  });

  test('is narrowed by severity, reason and words, also those of a note', () => {
    expect(idsOf({ severity: 'critical' })).toEqual([first.txn_id, second.txn_id]);
    expect(idsOf({ reason: 'repeated-payment' })).toEqual([second.txn_id, items[5]?.txn_id]);
    expect(idsOf({ q: ' NIMBUS ' })).toEqual([second.txn_id, items[4]?.txn_id]);
    expect(idsOf({ state: 'any', q: 'yearly' }, [said(first, 'expected'), second])).toEqual([first.txn_id]);
  });

  test('leaves out of the address what this page does not know', () => {
    const wanted = wantedIn({ state: 'gone', severity: 'deadly,low', sort: 'x' }, items);
    expect(wanted).toMatchObject({ states: ['open'], severities: ['low'], sort: 'strange' });
  });
});

test('a state this page does not know yet is open', () => {
  expect(stateOf({ ...first, status: 'escalated' })).toBe('open');
  expect(stateOf({ ...first, status: null })).toBe('open');
});

test('amounts of different currencies are sorted apart, credits by their size', () => {
  const of = (txn_id: string, amount: number, currency: string) => ({ ...first, txn_id, amount, currency });
  const mixed = [of('a', 5, 'USD'), of('b', 10, 'EUR'), of('c', -20, 'EUR'), of('d', 90, 'USD')];
  expect(sorted(mixed, 'amount').map((item) => item.txn_id)).toEqual(['c', 'b', 'd', 'a']);
});

test('states are counted whichever are shown, reasons by payment and the commonest first', () => {
  const some = [said(first, 'expected'), second, third];
  expect(countsByState(some, wantedIn({ state: 'fixed' }, some))).toMatchObject({ open: 2, expected: 1 });
  expect(reasonsIn(items).map(({ label }) => label)).toEqual([
    'Amount far from usual (12)',
    'Repeated payment (3)',
  ]);
});

describe('the pages', () => {
  const many = payments(60).map((item) => ({ ...item, worth_review: true }));
  const wanted = wantedIn({}, many);

  test('begin with the one that holds the payment in the address', () => {
    const one = many[30] as SpendItem;
    expect(seen(many, wanted, { item: one.txn_id }, new Set())).toMatchObject({
      page: 2,
      pages: 3,
      total: 60,
    });
    expect(seen(many, wanted, { item: 'gone' }, new Set()).page).toBe(1);
    expect(seen(many, wanted, { page: '99' }, new Set()).page).toBe(3);
  });

  test('keep what has just been reviewed', () => {
    const some = [said(first, 'expected'), second];
    expect(seen(some, wanted, {}, new Set([first.txn_id])).rows).toHaveLength(2);
    expect(seen(some, wanted, {}, new Set()).rows).toEqual([second]);
  });
});
