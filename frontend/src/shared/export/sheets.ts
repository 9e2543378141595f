/** The sheets of an insight, by its kind; an insight of another kind gives a sheet for each of its lists. */
import type { InsightOutput } from '@/shared/api/gen/model';
import { humanise } from '@/shared/format/format';
import type {
  DeadStock,
  ForecastPoint,
  RevenueForecast,
  StockClass,
  StockSupplier,
} from '@/shared/insights/types';

import { day, flattened, sheetOf, type ExportColumn, type Sheet } from './sheet';

/** `items` are all of the ranking, which may be more than `insight.data.items` holds. */
type Sheets = (data: Record<string, unknown>, items: readonly object[]) => Sheet[];

interface Week {
  category: string;
  week_start: string;
  revenue: number;
  ahead?: ForecastPoint;
}

const WEEKS: ExportColumn<Week>[] = [
  { header: 'Category', value: (week) => week.category },
  { header: 'Week of', value: (week) => day(week.week_start) },
  { header: 'Forecast', value: (week) => week.ahead !== undefined },
  { header: 'Revenue', value: (week) => week.revenue },
  { header: 'Lower 80 %', value: (week) => week.ahead?.lower80 ?? null },
  { header: 'Upper 80 %', value: (week) => week.ahead?.upper80 ?? null },
  { header: 'Lower 95 %', value: (week) => week.ahead?.lower95 ?? null },
  { header: 'Upper 95 %', value: (week) => week.ahead?.upper95 ?? null },
];

const revenueForecast: Sheets = (data) => {
  const { categories, top_categories: top } = data as unknown as RevenueForecast;
  const weeks = categories.flatMap(({ category, history, forecast }): Week[] => [
    ...history.map((point) => ({ category, ...point })),
    ...forecast.map((point) => ({
      category,
      week_start: point.week_start,
      revenue: point.revenue,
      ahead: point,
    })),
  ]);
  return [
    flattened('Next week by category', top),
    sheetOf('Revenue by week', WEEKS, weeks),
    ...othersIn(data, ['categories', 'top_categories']),
  ];
};

const stockoutRisk: Sheets = (data, items) => [
  flattened(
    'Stock-out risk',
    // How demand is seen is for working it out again, not for reading.
    items.map((item) => Object.fromEntries(Object.entries(item).filter(([key]) => key !== 'demand_views'))),
  ),
  flattened('Suppliers', (data.suppliers as StockSupplier[] | undefined) ?? []),
  flattened('Classes', (data.classes as StockClass[] | undefined) ?? []),
  flattened('Dead stock', (data.dead_stock as DeadStock | undefined)?.largest ?? []),
];

const spendAnomalies: Sheets = (data, items) => [flattened('Payments', items), ...othersIn(data, ['items'])];

const isRows = (value: unknown): value is object[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((each) => typeof each === 'object' && each !== null && !Array.isArray(each));

const othersIn = (data: Record<string, unknown>, known: readonly string[]): Sheet[] =>
  Object.entries(data).flatMap(([key, value]) =>
    isRows(value) && !known.includes(key) ? [flattened(humanise(key), value)] : [],
  );

const SHEETS: Partial<Record<string, Sheets>> = {
  revenue_forecast: revenueForecast,
  stockout_risk: stockoutRisk,
  spend_anomalies: spendAnomalies,
};

/** Those that have rows. */
export function sheetsOf(insight: Pick<InsightOutput, 'kind' | 'data'>, items: readonly object[]): Sheet[] {
  const { kind, data } = insight;
  const made = SHEETS[kind]?.(data, items) ?? [
    ...(items.length > 0 ? [flattened(humanise(kind), items)] : []),
    ...othersIn(data, ['items']),
  ];
  return made.filter(({ rows }) => rows.length > 0);
}
