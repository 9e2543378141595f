/** The finance department's queue. */
import type { DashboardOutput, UserOutput } from '@/shared/api/gen/model';
import type { ItemReview, SpendItem } from '@/shared/insights/types';

import { ada, boards, spendItem } from './fixtures';

export const fay: UserOutput = {
  ...ada,
  full_name: 'Fay Ledger',
  department: 'finance',
  departments: ['finance'],
};

export const reviewed = (given: Partial<ItemReview> = {}): ItemReview => ({
  id: 'review-1',
  verdict: 'expected',
  note: 'The yearly rent',
  reviewed_by: 'Cleo Colleague',
  reviewed_at: '2026-03-30T09:00:00Z',
  reopened: '',
  ...given,
});

export const payments = (count: number): SpendItem[] =>
  Array.from({ length: count }, (_, place) => ({ ...spendItem(place), review: null }));

export function board(items: SpendItem[], itemsTotal = items.length): DashboardOutput {
  const finance = boards.finance as DashboardOutput;
  const insights = finance.insights.map((insight) => ({
    ...insight,
    items_total: itemsTotal,
    subject: ['txn_id'],
    data: { items },
  }));
  return { ...finance, insights };
}
