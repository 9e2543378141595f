/** The shapes of `insight.data` by `insight.kind`. OpenAPI calls them free-form; the contract is written here. */

import type { Verdict } from '@/shared/api/gen/model';

export interface WeekPoint {
  week_start: string;
  revenue: number;
}

export interface ForecastPoint extends WeekPoint {
  lower80: number;
  upper80: number;
  lower95: number;
  upper95: number;
}

/** Of the backtest: the sum of absolute errors as a share of the sum of what was sold; null where there is none. */
export interface ForecastError {
  metric: string;
  model: number | null;
  baseline: number | null;
}

/** The insight's `quality`: of all categories together, over so many rolling origins. */
export interface ForecastQuality extends ForecastError {
  folds: number;
}

/** Two times four weeks: `change` = `now` − `before` = price + discount + volume + mix + refunds. */
export interface Moves {
  before: number;
  now: number;
  change: number;
  price: number;
  discount: number;
  volume: number;
  mix: number;
  refunds: number;
}

/** Null where the past does not reach back so far. */
export interface Drivers {
  previous: Moves | null;
  year_ago: Moves | null;
}

/** % more units for 1 % more price; `value` is null where prices moved too little, and `note` says so. */
export interface Elasticity {
  value: number | null;
  lower: number | null;
  upper: number | null;
  products?: number;
  observations?: number;
  note: string;
}

export interface Elasticities {
  price: Elasticity;
  discount: Elasticity;
}

/** A line with its forecast. What is optional came with the second version of the method. */
export interface Forecasted {
  history: WeekPoint[];
  /** Empty where the history is too short; `note` then says so. */
  forecast: ForecastPoint[];
  note?: string;
  quality?: ForecastError;
}

export interface CategoryForecast extends Forecasted {
  category: string;
  drivers?: Drivers;
  /** Of the 300 largest categories only. */
  elasticity?: Elasticities;
}

export interface TopCategory {
  category: string;
  next_week_revenue: number;
  share: number;
}

export interface RevenueForecast {
  currency?: string;
  history_weeks: number;
  categories: CategoryForecast[];
  top_categories: TopCategory[];
  total?: Forecasted;
  drivers?: Drivers & { weeks: number };
  elasticity?: Elasticities;
}

export type Severity = 'critical' | 'high' | 'medium' | 'low';

/** An item that waits until a day. `ended` says why it waits no more; empty while it does. */
export interface ItemSnooze {
  until: string;
  note: string;
  snoozed_by: string;
  snoozed_at: string;
  ended: string;
}

/** What a person said of an item. `reopened` says why it holds no more; empty while it does. */
export interface ItemReview {
  id: string;
  verdict: Verdict;
  note: string;
  reviewed_by: string;
  reviewed_at: string;
  reopened: string;
}

/** How an item stands: the verdict that holds, "snoozed" or "open". */
export interface Standing {
  status?: string | null;
  review?: ItemReview | null;
  snooze?: ItemSnooze | null;
}

export interface StockItem extends Standing {
  warehouse_id: string;
  sku: string;
  product_category: string | null;
  supplier_id: string | null;
  snapshot_date?: string;
  current_stock: number;
  daily_demand: number;
  days_of_cover: number | null;
  stockout_probability: number;
  at_risk: boolean;
  safety_stock: number;
  reorder_point: number;
  reorder_quantity: number;
  severity: Severity;
  reason: string;
  /** From version 2 on. */
  lead_time_days?: number;
  lead_time_sd?: number | null;
  abc?: string;
  xyz?: string;
  dead_stock?: boolean;
  idle_days?: number;
  /** From version 4 on: nothing is expected of it, and nothing ordered. */
  no_longer_reported?: boolean;
  /** From version 3 on. `demand_views`: units a day and variance to mean ratio of each view of demand. */
  min_order_qty?: number;
  demand_views?: [daily: number, dispersion: number][];
}

export interface StockSupplier {
  supplier_id: string;
  items: number;
  at_risk: number;
  at_risk_share: number;
  lead_time_days: number | null;
  lead_time_shortest: number | null;
  lead_time_longest: number | null;
  lead_time_sd: number | null;
  without_lead_time: number;
  safety_stock: number;
  safety_stock_for_lead_time: number;
}

export interface StockClass {
  abc: string;
  xyz: string;
  items: number;
  daily_demand: number;
  at_risk: number;
}

export interface DeadStock {
  days: number;
  items: number;
  units: number;
  /** The 50 with the most units. */
  largest: { warehouse_id: string; sku: string; current_stock: number; idle_days: number }[];
}

export interface StockoutRisk {
  horizon_days: number;
  items: StockItem[];
}

export interface SpendReason {
  code: string;
  message: string;
}

export interface SpendEvidence {
  typical_low: number;
  typical_high: number;
  median: number;
  n: number;
  matching_txn_ids: string[];
}

export interface SpendItem extends Standing {
  txn_id: string;
  date: string;
  category: string | null;
  vendor: string | null;
  amount: number;
  currency: string | null;
  severity: Severity;
  score: number;
  reasons: SpendReason[];
  evidence?: SpendEvidence;
  worth_review: boolean;
}

export interface SpendAnomalies {
  items: SpendItem[];
}

export interface InsightBasis {
  rows?: number;
  datasets?: string[];
}
