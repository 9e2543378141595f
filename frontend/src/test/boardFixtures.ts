/** What the dashboards of the three departments answer. */
import type { DashboardOutput } from '@/shared/api/gen/model';
import type { RevenueForecast, SpendItem, StockItem } from '@/shared/insights/types';

const DAY = 86_400_000;
const monday = (week: number): string =>
  new Date(Date.parse('2025-03-31T00:00:00Z') + week * 7 * DAY).toISOString().slice(0, 10);

const category = (name: string, level: number, growth: number) => {
  const value = (week: number) =>
    Math.round(
      level * (1 + growth * week) * (1 + 0.18 * Math.sin(week / 4 + level)) +
        ((week * 7919) % 13) * level * 0.006,
    );
  return {
    category: name,
    history: Array.from({ length: 52 }, (_, week) => ({ week_start: monday(week), revenue: value(week) })),
    forecast: [52, 53, 54, 55].map((week, step) => {
      const revenue = value(week);
      const spread = revenue * (0.07 + 0.02 * step);
      return {
        week_start: monday(week),
        revenue,
        lower80: revenue - spread,
        upper80: revenue + spread,
        lower95: revenue - spread * 1.6,
        upper95: revenue + spread * 1.6,
      };
    }),
  };
};

const categories = [
  category('Electronics', 84_000, 0.004),
  category('Home & Garden', 51_000, 0.002),
  category('Fashion', 38_000, 0.003),
  category('Toys', 22_000, 0.006),
  category('Beauty', 16_500, 0.001),
  category('Books', 9_800, -0.002),
];
const nextWeekOf = (entry: (typeof categories)[number]) => entry.forecast[0]?.revenue ?? 0;
const total = categories.reduce((sum, entry) => sum + nextWeekOf(entry), 0);

export const forecast: RevenueForecast = {
  history_weeks: 52,
  categories: [
    ...categories,
    {
      category: 'Gift cards',
      history: [50, 51].map((week) => ({ week_start: monday(week), revenue: 900 })),
      forecast: [],
      note: 'Not enough history: 2 whole weeks, at least 8 are needed.',
    },
  ],
  top_categories: categories.slice(0, 5).map((entry) => ({
    category: entry.category,
    next_week_revenue: nextWeekOf(entry),
    share: nextWeekOf(entry) / total,
  })),
};

export const stockItem = (place: number): StockItem => {
  const atRisk = place < 14;
  const critical = place < 5;
  const stock = critical ? place * 4 : atRisk ? 60 + place * 6 : 400 + place * 11;
  return {
    warehouse_id: `WH-${(place % 3) + 1}`,
    sku: `SKU-${4000 + place}`,
    product_category: ['Electronics', 'Home & Garden', 'Toys'][place % 3] ?? null,
    supplier_id: `SUP-${10 + (place % 4)}`,
    snapshot_date: '2026-03-30',
    current_stock: stock,
    daily_demand: 9.4,
    days_of_cover: stock / 9.4,
    stockout_probability: critical ? 0.999 - place * 0.02 : atRisk ? 0.78 - place * 0.03 : 0.002,
    at_risk: atRisk,
    safety_stock: 42,
    reorder_point: 118,
    reorder_quantity: atRisk ? 240 + place * 10 : 0,
    severity: critical ? 'critical' : atRisk ? 'high' : 'low',
    reason: atRisk
      ? `${stock} in stock at 9.4 a day cover ${(stock / 9.4).toFixed(1)} days: delivery takes 9 days; order ${240 + place * 10}.`
      : 'Above the reorder point of 118, nothing to order.',
  };
};

export const spendItem = (place: number): SpendItem => ({
  txn_id: `TX-2026-${String(place + 17).padStart(5, '0')}`,
  date: `2026-03-${String((place % 27) + 1).padStart(2, '0')}`,
  category: ['Travel', 'Software', 'Office supplies'][place % 3] ?? null,
  vendor: place === 3 ? null : (['Rail Europe', 'Nimbus Cloud', 'Staples'][place % 3] ?? null),
  amount: place === 0 ? 184_500 : 9_400 / (place + 1) + 310.5,
  currency: place % 5 === 4 ? 'USD' : 'EUR',
  severity: place < 2 ? 'critical' : place < 6 ? 'high' : place < 12 ? 'medium' : 'low',
  score: Math.max(12, 98 - place * 6),
  reasons: [
    {
      code: 'amount-far-from-usual',
      message: `The amount is ${Math.max(2, 310 - place * 40)} times the usual 594.20 for this category and vendor.`,
    },
    ...(place % 4 === 1
      ? [
          {
            code: 'repeated-payment',
            message:
              'Possible duplicate: the same vendor was already paid exactly this 3 days earlier (TX-2026-00003).',
          },
        ]
      : []),
  ],
  evidence: { typical_low: 120.4, typical_high: 1_420.9, median: 594.2, n: 214, matching_txn_ids: [] },
  worth_review: place < 6,
  status: 'open',
});

const LATEST = {
  id: '9c1e7c1a-5d53-4b5e-9a55-6f1f5a1f1001',
  name: 'March sales',
  rows: 12_304,
  rejected: 0,
  uploaded_at: '2026-04-01T08:00:00Z',
};

const board = (
  department: string,
  kind: string,
  summary: string,
  data: object,
  quality: object | null = null,
) =>
  ({
    department,
    last_updated: '2026-04-01T08:00:05Z',
    datasets: { count: 4, loaded: 3, latest: LATEST },
    insights: [
      {
        id: `5a1f6f1f-0000-4000-8000-${kind
          .padEnd(12, '0')
          .slice(0, 12)
          .replace(/[^0-9a-f]/g, 'a')}`,
        kind,
        dataset_id: LATEST.id,
        computed_at: '2026-04-01T08:00:05Z',
        method:
          'The mean of three simple forecasts per category, with bands from the errors of its backtests.',
        quality,
        summary,
        version: 1,
        parameters: {},
        given: { settings: {}, reviews: 0 },
        basis: { rows: 36_912, datasets: ['a', 'b', 'c'], rows_of: { a: 12_304, b: 12_304, c: 12_304 } },
        sha256: '',
        figures: {},
        since: null,
        subject: [],
        items_total: null,
        data,
      },
    ],
  }) as DashboardOutput;

export const boards: Record<string, DashboardOutput> = {
  sales: board(
    'sales',
    'revenue_forecast',
    'Week of 2026-03-30: about 238,412 revenue expected over 6 categories, most of it in Electronics (96,120).',
    forecast,
    { metric: 'wape', model: 0.087, baseline: 0.142, folds: 8 },
  ),
  supply_chain: board(
    'supply_chain',
    'stockout_risk',
    '14 of 60 items are at risk of running out within 14 days, 5 critical; 14 should be ordered now.',
    { horizon_days: 14, items: Array.from({ length: 60 }, (_, place) => stockItem(place)) },
  ),
  finance: board(
    'finance',
    'spend_anomalies',
    '6 of 4,120 payments are worth a review, 198,220.00 EUR in all; 18 are listed in order of strangeness.',
    { items: Array.from({ length: 18 }, (_, place) => spendItem(place)) },
  ),
};
