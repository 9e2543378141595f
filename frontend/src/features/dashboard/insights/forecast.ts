import type { CategoryForecast, ForecastQuality } from '@/shared/insights/types';
import type { Formats } from '@/shared/format/format';
import type { BandedSeries } from '@/shared/shapes/series';

export const seriesOf = ({ history, forecast }: CategoryForecast): BandedSeries => ({
  past: history.map(({ week_start, revenue }) => ({ at: week_start, value: revenue })),
  future: forecast.map(({ week_start, revenue, ...band }) => ({ at: week_start, value: revenue, ...band })),
});

export interface NextWeek {
  weekStart: string | null;
  expected: number | null;
  /** Sold in the newest whole week, by the categories that have a forecast. */
  latest: number | null;
}

/** Next week over all categories, and the newest week of the same categories to compare it with. */
export function nextWeek(categories: readonly CategoryForecast[]): NextWeek {
  const ready = categories.filter((category) => category.forecast.length > 0);
  const newest = ready
    .map((category) => category.history.at(-1)?.week_start ?? '')
    .reduce((a, b) => (a > b ? a : b), '');
  const latest = ready.map(
    (category) => category.history.find((point) => point.week_start === newest)?.revenue ?? 0,
  );
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  return {
    weekStart: ready[0]?.forecast[0]?.week_start ?? null,
    expected: ready.length > 0 ? sum(ready.map((category) => category.forecast[0]?.revenue ?? 0)) : null,
    latest: newest ? sum(latest) : null,
  };
}

export function isQuality(value: unknown): value is ForecastQuality {
  return typeof value === 'object' && value !== null && 'folds' in value && 'model' in value;
}

/** How far to trust it, measured on the past and beside the simplest forecast there is. */
export function qualityInWords(quality: unknown, format: Formats): string {
  if (!isQuality(quality) || quality.model === null) {
    return 'The past is too short to measure how far off this forecast usually is.';
  }
  const times =
    quality.folds === 1 ? 'In one test on the past' : `In ${format.integer(quality.folds)} tests on the past`;
  const model = `${times}, the forecast was off by ${format.percent(quality.model)} on average.`;
  if (quality.baseline === null) return model;
  const baseline = format.percent(quality.baseline);
  return quality.model < quality.baseline
    ? `${model} Repeating the same season’s figure would have been off by ${baseline}.`
    : `${model} Repeating the same season’s figure would have been off by only ${baseline}, so take it with care.`;
}
