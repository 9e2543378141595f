/**
 * What another service level, lead time or demand would mean for an item, by the arithmetic of the platform's
 * inventory model: a pool of negative binomial demands (docs/insights.md). Nothing is stored.
 */
import type { InsightOutput } from '@/shared/api/gen/model';
import type { Severity, StockItem } from '@/shared/insights/types';

import { incompleteBeta, incompleteGamma } from './special';

/** From here on (units) the platform takes the gamma limit instead of the nearest whole unit. */
const LARGE = 1e6;

export interface WhatIf {
  /** Share of replenishment cycles without a stock-out. */
  level: number;
  /** Days more (or fewer) than each item's lead time. */
  leadShift: number;
  /** Of the expected demand: 1.2 is a fifth more. */
  demandFactor: number;
}

/** The constants that the insight was computed with. */
export interface Basis {
  level: number;
  horizonDays: number;
  reviewDays: number;
  atRiskFrom: number;
  criticalFrom: number;
  agingDays: number;
  weights: number[];
}

export type Replanned = Pick<
  StockItem,
  | 'daily_demand'
  | 'days_of_cover'
  | 'stockout_probability'
  | 'at_risk'
  | 'safety_stock'
  | 'reorder_point'
  | 'reorder_quantity'
  | 'severity'
> & { lead_time_days: number };

/** An item that carries what the arithmetic takes; those of insights from before version 3 do not. */
export type OpenItem = StockItem &
  Required<Pick<StockItem, 'demand_views' | 'min_order_qty' | 'lead_time_days'>>;

export const isOpen = (item: StockItem): item is OpenItem =>
  item.demand_views !== undefined && item.min_order_qty !== undefined && item.lead_time_days !== undefined;

/** Null where the insight was computed before its items carried their demand. */
export function basisOf({ parameters }: Pick<InsightOutput, 'parameters'>): Basis | null {
  const figure = (name: string) => (typeof parameters[name] === 'number' ? parameters[name] : NaN);
  const weights = parameters.view_weights;
  const basis: Basis = {
    level: figure('service_level'),
    horizonDays: figure('horizon_days'),
    reviewDays: figure('review_days'),
    atRiskFrom: figure('at_risk_from'),
    criticalFrom: figure('critical_from'),
    agingDays: figure('mean_uncertainty_days'),
    weights: Array.isArray(weights) ? weights.filter((each): each is number => typeof each === 'number') : [],
  };
  const { weights: found, ...figures } = basis;
  return found.length > 0 && Object.values(figures).every(Number.isFinite) ? basis : null;
}

interface View {
  weight: number;
  mean: number;
  phi: number;
}

/** P(demand > units): the weighed mean over the views. */
function exceeded(units: number, views: readonly View[]): number {
  let sum = 0;
  for (const { weight, mean, phi } of views) {
    if (mean <= 0) continue;
    const size = Math.max(mean, 1e-9) / (phi - 1);
    sum += weight * (units < 0 ? 1 : incompleteBeta(Math.max(units, 0) + 1, size, (phi - 1) / phi));
  }
  return Math.min(1, Math.max(0, sum));
}

/** The gamma distribution's quantile, by bisection. */
function gammaLimit({ mean, phi }: View, level: number): number {
  const shape = Math.max(mean, 1e-9) / phi;
  let [low, high] = [0, shape + 1];
  while (incompleteGamma(shape, high) < level) [low, high] = [high, high * 2];
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (incompleteGamma(shape, middle) < level) low = middle;
    else high = middle;
  }
  return high * phi;
}

/** The least number of units that covers demand with probability `level`. */
function quantile(views: readonly View[], level: number): number {
  const mean = views.reduce((sum, view) => sum + view.weight * view.mean, 0);
  if (views.every((view) => view.mean <= 0)) return 0;
  const isLarge = views.some(
    (view) => view.mean > 0 && incompleteGamma(view.mean / view.phi, LARGE / view.phi) <= level,
  );
  if (isLarge) {
    return Math.ceil(views.reduce((sum, view) => sum + view.weight * gammaLimit(view, level), 0));
  }
  const short = (units: number) => exceeded(units, views) > 1 - level;
  // A first guess by the logistic curve; strides that double lead from it to bounds on both sides.
  const deviation = Math.sqrt(Math.max(...views.map((view) => view.mean * view.phi)));
  let stride = Math.ceil(deviation / 4) + 1;
  let high = Math.max(0, Math.floor(mean + (Math.log(level / (1 - level)) / 1.702) * deviation));
  let low = -1;
  if (short(high)) {
    low = high;
    high += stride;
    while (short(high)) {
      low = high;
      stride *= 2;
      high += stride;
    }
  } else {
    for (let probe = high - stride; probe >= 0; probe -= stride) {
      if (short(probe)) {
        low = probe;
        break;
      }
      high = probe;
      stride *= 2;
    }
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (short(middle)) low = middle;
    else high = middle;
  }
  return high;
}

/** Whole units that are enough; a thousandth too many is the rounding of the sums. */
const whole = (units: number): number => Math.ceil(Math.round(units * 1_000) / 1_000);

export function replan(item: OpenItem, basis: Basis, whatIf: WhatIf): Replanned {
  const views = item.demand_views.map(([daily, dispersion], place) => ({
    weight: basis.weights[place] ?? 0,
    daily: daily * whatIf.demandFactor,
    dispersion,
  }));
  const lead = Math.max(item.lead_time_days + whatIf.leadShift, 0);
  const spread = item.lead_time_sd ?? 0;
  const over = (days: number, sd: number): View[] =>
    views.map(({ weight, daily, dispersion }) => ({
      weight,
      mean: daily * days,
      phi: dispersion * (1 + days / basis.agingDays) + (daily * sd * sd) / Math.max(days, 1),
    }));
  const daily = views.reduce((sum, view) => sum + view.weight * view.daily, 0);
  const stock = item.current_stock;
  const probability = exceeded(Math.floor(stock), over(basis.horizonDays, 0));
  const empty = stock <= 0 && daily > 0;
  const atRisk = probability >= basis.atRiskFrom || empty;
  const safety = whole(Math.max(quantile(over(lead, spread), whatIf.level) - daily * lead, 0));
  const point = whole(daily * lead + safety);
  const due = atRisk || (stock <= point && daily > 0);
  const target = () =>
    quantile(over(Math.max(lead + basis.reviewDays, basis.horizonDays), spread), whatIf.level);
  const severity: Severity =
    probability >= basis.criticalFrom || empty ? 'critical' : atRisk ? 'high' : due ? 'medium' : 'low';
  return {
    daily_demand: daily,
    days_of_cover: daily > 0 ? Math.max(stock, 0) / daily : null,
    stockout_probability: probability,
    at_risk: atRisk,
    safety_stock: safety,
    reorder_point: point,
    reorder_quantity: due
      ? Math.max(Math.ceil(target() - stock), Math.max(Math.ceil(item.min_order_qty), 1))
      : 0,
    severity,
    lead_time_days: lead,
  };
}
