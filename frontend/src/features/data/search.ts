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

export interface DatasetSearch {
  tab?: 'rejects' | 'reading';
  cursor?: string;
}

export const datasetSearch = (raw: Record<string, unknown>): DatasetSearch => ({
  tab: oneOf(raw, 'tab', ['rejects', 'reading']),
  cursor: text(raw, 'cursor'),
});
