/** The queue of payments to look at: which of them a reader wants to see, kept as text in the address. */
import { Verdict } from '@/shared/api/gen/model';
import { format, humanise } from '@/shared/format/format';
import type { Severity, SpendItem } from '@/shared/insights/types';
import type { TextState } from '@/shared/shapes/tableState';

export const PAGE_SIZE = 25;

export const STATES = ['open', ...Object.values(Verdict)] as const;
export type State = (typeof STATES)[number];

export const STATE_WORDS: Record<State, string> = {
  open: 'Open',
  acknowledged: 'Acknowledged',
  expected: 'Expected',
  confirmed: 'Confirmed',
  fixed: 'Fixed',
};

export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low'];
export const SORTS = {
  strange: 'Strangest first',
  amount: 'Largest amount first',
  newest: 'Newest first',
} as const;
export type SortName = keyof typeof SORTS;

/** A state this page does not know yet is as good as open: somebody should look. */
export const stateOf = (item: SpendItem): State => STATES.find((state) => state === item.status) ?? 'open';

/** Worth a person's time, or already given some: what was found to be expected is not worth a review any more. */
export const inFocus = (item: SpendItem): boolean => item.worth_review || Boolean(item.review);

export interface Wanted {
  states: readonly State[];
  severities: readonly Severity[];
  reason: string | undefined;
  focus: boolean;
  sort: SortName;
  search: string;
}

const listed = <T extends string>(text: string | undefined, choices: readonly T[]): T[] =>
  choices.filter((choice) => text?.split(',').includes(choice));

/** Without a word in the address: the open ones that are worth a review. `state=any` is all states. */
export function wantedIn(state: TextState, items: readonly SpendItem[]): Wanted {
  const states = listed(state.state, STATES);
  const sort = Object.keys(SORTS).find((name) => name === state.sort) as SortName | undefined;
  return {
    states: states.length > 0 || state.state === 'any' ? states : ['open'],
    severities: listed(state.severity, SEVERITIES),
    reason: state.reason,
    focus: (state.show ?? (items.some(inFocus) ? 'focus' : 'all')) === 'focus',
    sort: sort ?? 'strange',
    search: (state.q ?? '').trim().toLowerCase(),
  };
}

export const asText = (chosen: readonly string[], whenNone?: string): string | undefined =>
  chosen.length > 0 ? chosen.join(',') : whenNone;

const wordsOf = (item: SpendItem): string =>
  [item.txn_id, item.vendor, item.category, item.review?.note, ...item.reasons.map(({ message }) => message)]
    .join(' ')
    .toLowerCase();

/** All but the state, so that the states can be counted. */
export const fits = (item: SpendItem, wanted: Wanted): boolean =>
  (!wanted.focus || inFocus(item)) &&
  (wanted.severities.length === 0 || wanted.severities.includes(item.severity)) &&
  (wanted.reason === undefined || item.reasons.some(({ code }) => code === wanted.reason)) &&
  (wanted.search === '' || wordsOf(item).includes(wanted.search));

export const isWanted = (item: SpendItem, wanted: Wanted): boolean =>
  (wanted.states.length === 0 || wanted.states.includes(stateOf(item))) && fits(item, wanted);

/** Items come strangest first. Amounts of different currencies are sorted apart, since they do not compare. */
export function sorted(items: readonly SpendItem[], sort: SortName): SpendItem[] {
  if (sort === 'newest') return items.toSorted((a, b) => b.date.localeCompare(a.date));
  if (sort === 'strange') return [...items];
  return items.toSorted(
    (a, b) => (a.currency ?? '').localeCompare(b.currency ?? '') || Math.abs(b.amount) - Math.abs(a.amount),
  );
}

export interface Seen {
  rows: SpendItem[];
  total: number;
  page: number;
  pages: number;
}

/** `kept` stay although they are not wanted any more: what one has just reviewed does not vanish under one's hands. */
export function seen(
  items: readonly SpendItem[],
  wanted: Wanted,
  state: TextState,
  kept: ReadonlySet<string>,
): Seen {
  const shown = sorted(
    items.filter((item) => isWanted(item, wanted) || kept.has(item.txn_id)),
    wanted.sort,
  );
  const pages = Math.max(1, Math.ceil(shown.length / PAGE_SIZE));
  const place = shown.findIndex((item) => item.txn_id === state.item);
  const asked = Number(state.page) || (place < 0 ? 1 : Math.floor(place / PAGE_SIZE) + 1);
  const page = Math.min(Math.max(1, asked), pages);
  return { rows: shown.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE), total: shown.length, page, pages };
}

export interface Counted {
  value: string;
  label: string;
}

/** How many of these there are in each state, whichever states are shown. */
export function countsByState(items: readonly SpendItem[], wanted: Wanted): Record<State, number> {
  const counts: Record<State, number> = { open: 0, acknowledged: 0, expected: 0, confirmed: 0, fixed: 0 };
  for (const item of items) if (fits(item, wanted)) counts[stateOf(item)] += 1;
  return counts;
}

/** The reasons that occur, the commonest first, with how many payments each speaks of. */
export function reasonsIn(items: readonly SpendItem[]): Counted[] {
  const counts = new Map<string, number>();
  for (const { reasons } of items) {
    for (const code of new Set(reasons.map((reason) => reason.code)))
      counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => ({ value: code, label: `${humanise(code)} (${format.integer(count)})` }));
}
