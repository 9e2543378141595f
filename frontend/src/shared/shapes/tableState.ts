import type { Sort } from './DataTable';

/** How a reader looks at a table; kept as text, because it lives in the address. */
export type TextState = Partial<Record<string, string>>;

export type SortValue = string | number | null | undefined;

export interface Viewing<Row> {
  text: (row: Row) => string;
  values: Record<string, (row: Row) => SortValue>;
}

export const sortFrom = (text: string | undefined): Sort | undefined =>
  text ? { key: text.replace(/^-/, ''), descending: text.startsWith('-') } : undefined;

export const sortToText = (sort: Sort): string => `${sort.descending ? '-' : ''}${sort.key}`;

/** Made once: a comparison that makes its own takes seconds over thousands of rows. */
const words = new Intl.Collator(undefined, { numeric: true });

function compare(a: SortValue, b: SortValue, descending: boolean): number {
  // What is not known goes last whichever way the rest is sorted.
  const [noA, noB] = [a === null || a === undefined, b === null || b === undefined];
  if (noA || noB) return noA && noB ? 0 : noA ? 1 : -1;
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : words.compare(String(a), String(b));
  return descending ? -order : order;
}

/** The rows that are left by the search, sorted. Without a sort the given order stays. */
export function view<Row>(rows: readonly Row[], state: TextState, how: Viewing<Row>): Row[] {
  const wanted = (state.q ?? '').trim().toLowerCase();
  const kept = rows.filter((row) => wanted === '' || how.text(row).toLowerCase().includes(wanted));
  const sort = sortFrom(state.sort);
  const value = sort && how.values[sort.key];
  return sort && value ? kept.toSorted((a, b) => compare(value(a), value(b), sort.descending)) : kept;
}
