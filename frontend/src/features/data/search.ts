import { oneOf, page, text } from '@/shared/router/search';

export interface DatasetsSearch {
  q?: string;
  department?: string;
  page?: number;
}

export const datasetsSearch = (raw: Record<string, unknown>): DatasetsSearch => ({
  q: text(raw, 'q'),
  department: text(raw, 'department'),
  page: page(raw),
});

const TABS = ['rejects', 'profile', 'history', 'reading'] as const;

/** `column` and `value`: which clean rows; `order`: from the last line backwards. */
export interface DatasetSearch {
  tab?: (typeof TABS)[number];
  cursor?: string;
  column?: string;
  value?: string;
  order?: 'last';
}

export const datasetSearch = (raw: Record<string, unknown>): DatasetSearch => ({
  tab: oneOf(raw, 'tab', TABS),
  cursor: text(raw, 'cursor'),
  column: text(raw, 'column'),
  value: text(raw, 'value'),
  order: oneOf(raw, 'order', ['last']),
});

export const tabOf = (name: string | null): DatasetSearch['tab'] => TABS.find((tab) => tab === name);
