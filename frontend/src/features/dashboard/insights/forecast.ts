import type { Formats } from '@/shared/format/format';
import type {
  CategoryForecast,
  Drivers,
  Elasticities,
  Forecasted,
  ForecastError,
  ForecastQuality,
  Moves,
  RevenueForecast,
} from '@/shared/insights/types';
import type { BandedSeries } from '@/shared/shapes/series';

/** One line to look at: the whole department or one category, with all that is known of it. */
export interface Line extends Forecasted {
  /** Null: the whole department. */
  category: string | null;
  drivers?: Drivers;
  elasticity?: Elasticities;
}

/** The department first, then its categories. Insights of the first version have no total. */
export function linesOf(data: Partial<RevenueForecast>, categories: readonly CategoryForecast[]): Line[] {
  const { total, drivers, elasticity } = data;
  return total ? [{ ...total, category: null, drivers, elasticity }, ...categories] : [...categories];
}

export const seriesOf = ({ history, forecast }: Forecasted): BandedSeries => ({
  past: history.map(({ week_start, revenue }) => ({ at: week_start, value: revenue })),
  future: forecast.map(({ week_start, revenue, ...band }) => ({ at: week_start, value: revenue, ...band })),
});

export function isQuality(value: unknown): value is ForecastQuality {
  return typeof value === 'object' && value !== null && 'folds' in value && 'model' in value;
}

/** How far to trust it, measured on the past and beside the simplest forecast there is. */
export function qualityInWords(
  error: ForecastError | null | undefined,
  folds: number,
  format: Pick<Formats, 'integer' | 'percent'>,
): string {
  if (!error || error.model === null) {
    return 'The past is too short to measure how far off this forecast usually is.';
  }
  const times = folds === 1 ? 'In one test on the past' : `In ${format.integer(folds)} tests on the past`;
  const model = `${times}, the forecast was off by ${format.percent(error.model)} on average`;
  if (error.baseline === null) return `${model}.`;
  const naive = format.percent(error.baseline);
  return error.model < error.baseline
    ? `${model}, repeating an earlier week’s figure (the naive forecast) by ${naive}.`
    : `${model}, repeating an earlier week’s figure (the naive forecast) by only ${naive}: take it with care.`;
}

/** The parts of a change in the order they are told, with what each stands for. */
export const EFFECTS: readonly {
  key: Exclude<keyof Moves, 'before' | 'now' | 'change'>;
  name: string;
  note: string;
}[] = [
  { key: 'price', name: 'Price', note: 'list prices' },
  { key: 'discount', name: 'Discount', note: 'given on them' },
  { key: 'volume', name: 'Volume', note: 'units sold' },
  { key: 'mix', name: 'Mix', note: 'dearer or cheaper products' },
  { key: 'refunds', name: 'Refunds', note: 'goods taken back' },
];
