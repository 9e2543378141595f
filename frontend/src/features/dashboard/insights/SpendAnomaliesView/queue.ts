/** The queue of payments to look at: which of them a reader wants to see, kept as text in the address. */
import type { Severity, SpendItem } from '@/shared/insights/types';
import type { TextState } from '@/shared/shapes/tableState';

import { listed, statesIn, type State } from '../items/states';
import type { ItemFilters } from '../items/useItems';

export const PAGE_SIZE = 25;

export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low'];
export const SORTS = {
  strange: 'Strangest first',
  amount: 'Largest amount first',
  newest: 'Newest first',
} as const;
export type SortName = keyof typeof SORTS;

/** Worth a person's time, or already given some: what was found to be expected is not worth a review any more. */
export const inFocus = (item: SpendItem): boolean => item.worth_review || Boolean(item.review);

/** The keys in the address of what the payments are narrowed by. */
export const FACETS = { category: 'category', vendor: 'vendor', reason: 'reason' } as const;

export interface Wanted {
  states: readonly State[];
  severities: readonly Severity[];
  focus: boolean;
  sort: SortName;
}

/** Without a word in the address: the open ones that are worth a review, where any is. */
export function wantedIn(state: TextState, head: readonly SpendItem[]): Wanted {
  const sort = Object.keys(SORTS).find((name) => name === state.sort) as SortName | undefined;
  return {
    states: statesIn(state.state),
    severities: listed(state.severity, SEVERITIES),
    focus: (state.show ?? (head.some(inFocus) ? 'focus' : 'all')) === 'focus',
    sort: sort ?? 'strange',
  };
}

/** What the API is asked for. */
export const filtersOf = (wanted: Wanted, state: TextState): ItemFilters => ({
  state: [...wanted.states],
  severity: [...wanted.severities],
  ...(wanted.focus && { focus: true }),
  ...Object.fromEntries(
    Object.entries(FACETS).flatMap(([name, key]) => (state[key] === undefined ? [] : [[name, [state[key]]]])),
  ),
  ...(state.q?.trim() && { q: state.q.trim() }),
});

/** Items come strangest first. Amounts of different currencies are sorted apart, since they do not compare. */
export function sorted(items: readonly SpendItem[], sort: SortName): SpendItem[] {
  if (sort === 'newest') return items.toSorted((a, b) => b.date.localeCompare(a.date));
  if (sort === 'strange') return [...items];
  return items.toSorted(
    (a, b) => (a.currency ?? '').localeCompare(b.currency ?? '') || Math.abs(b.amount) - Math.abs(a.amount),
  );
}

/** Of those that are here a page's worth, and which page that is: of a payment the address names, its own. */
export function pageOf(items: readonly SpendItem[], total: number, state: TextState) {
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE));
  const place = items.findIndex((item) => item.txn_id === state.item);
  const asked = Number(state.page) || (place < 0 ? 1 : Math.floor(place / PAGE_SIZE) + 1);
  const page = Math.min(Math.max(1, Math.trunc(asked)), pages);
  return { rows: items.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE), page, pages };
}
