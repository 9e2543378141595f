/** A revenue forecast with all that the second version of the method tells; that of `boards` is of the first. */
import type { DashboardOutput, InsightOutput } from '@/shared/api/gen/model';
import type { Elasticities, ForecastPoint, Moves, RevenueForecast } from '@/shared/insights/types';

import { boards, forecast } from './fixtures';

const ready = forecast.categories.filter((category) => category.forecast.length > 0);
const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);

export const moves = (given: Partial<Moves> = {}): Moves => ({
  before: 100_000,
  now: 104_000,
  change: 4_000,
  price: 1_500,
  discount: -600,
  volume: 5_000,
  mix: -1_700,
  refunds: -200,
  ...given,
});

export const elasticity: Elasticities = {
  price: {
    value: -1.42,
    lower: -1.71,
    upper: -1.13,
    products: 84,
    observations: 4_210,
    note: '10 % cheaper: +16 % units (between +13 and +20 %).',
  },
  discount: {
    value: null,
    lower: null,
    upper: null,
    note: 'Not enough discount variation, because only 3 products had one.',
  },
};

const totalAhead = [0, 1, 2, 3].map((step): ForecastPoint => {
  const points = ready.map((category) => category.forecast[step] as ForecastPoint);
  const revenue = sum(points.map((point) => point.revenue));
  const band = {
    lower80: revenue * 0.9,
    upper80: revenue * 1.1,
    lower95: revenue * 0.84,
    upper95: revenue * 1.16,
  };
  return { week_start: points[0]?.week_start ?? '', revenue, ...band };
});

export const forecast2: RevenueForecast = {
  ...forecast,
  categories: forecast.categories.map((category) =>
    category.forecast.length > 0
      ? {
          ...category,
          quality: { metric: 'wape', model: 0.21, baseline: 0.19 },
          drivers: { previous: moves({ change: -50 }), year_ago: null },
        }
      : category,
  ),
  total: {
    history: (ready[0]?.history ?? []).map(({ week_start }, week) => ({
      week_start,
      revenue: sum(ready.map((category) => category.history[week]?.revenue ?? 0)),
    })),
    forecast: totalAhead,
    quality: { metric: 'wape', model: 0.064, baseline: 0.118 },
  },
  drivers: {
    weeks: 4,
    previous: moves(),
    year_ago: moves({ before: 80_000, change: 24_000, volume: 25_000 }),
  },
  elasticity,
};

export const salesBoard = (given: Partial<InsightOutput> = {}): DashboardOutput => {
  const board = boards.sales as DashboardOutput;
  const [insight] = board.insights;
  return {
    ...board,
    insights: [{ ...(insight as InsightOutput), version: 2, data: { ...forecast2 }, ...given }],
  };
};
