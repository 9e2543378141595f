import { text } from '@/shared/router/search';

/** `dataset`: only the insights of that upload's run. Everything else is `<insight kind>.<key>`, the cards' own. */
export interface DashboardSearch {
  dataset?: string;
  [state: `${string}.${string}`]: string | undefined;
}

export function dashboardSearch(raw: Record<string, unknown>): DashboardSearch {
  const search: DashboardSearch = { dataset: text(raw, 'dataset') };
  for (const key of Object.keys(raw)) {
    if (/^[a-z_]+\.[a-z]+$/.test(key)) search[key as `${string}.${string}`] = text(raw, key);
  }
  return search;
}
