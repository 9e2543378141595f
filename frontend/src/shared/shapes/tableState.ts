import type { Sort } from './DataTable';

/** How a reader looks at a table; kept as text, because it lives in the address. */
export type TextState = Partial<Record<string, string>>;

export const PAGE_SIZE = 25;

export interface Viewed<Row> {
  rows: Row[];
  /** After the search, before the paging. */
  total: number;
  page: number;
  pages: number;
}

export type SortValue = string | number | null | undefined;

export const sortFrom = (text: string | undefined): Sort | undefined =>
  text ? { key: text.replace(/^-/, ''), descending: text.startsWith('-') } : undefined;

export const sortToText = (sort: Sort): string => `${sort.descending ? '-' : ''}${sort.key}`;

function compare(a: SortValue, b: SortValue, descending: boolean): number {
  // What is not known goes last whichever way the rest is sorted.
  const [noA, noB] = [a === null || a === undefined, b === null || b === undefined];
  if (noA || noB) return noA && noB ? 0 : noA ? 1 : -1;
  const order =
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : String(a).localeCompare(String(b), undefined, { numeric: true });
  return descending ? -order : order;
}

/** Search, sort and page rows that are all here. Without a sort the given order stays. */
export function view<Row>(
  rows: readonly Row[],
  state: TextState,
  how: { text: (row: Row) => string; values: Record<string, (row: Row) => SortValue> },
): Viewed<Row> {
  const wanted = (state.q ?? '').trim().toLowerCase();
  let kept = wanted ? rows.filter((row) => how.text(row).toLowerCase().includes(wanted)) : [...rows];
  const sort = sortFrom(state.sort);
  const value = sort && how.values[sort.key];
  if (sort && value) kept = kept.toSorted((a, b) => compare(value(a), value(b), sort.descending));
  const pages = Math.max(1, Math.ceil(kept.length / PAGE_SIZE));
  const page = Math.min(Math.max(1, Number(state.page) || 1), pages);
  return { rows: kept.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE), total: kept.length, page, pages };
}
