import { humanise } from '@/shared/format/format';
import { lazyPart } from '@/shared/ui/lazyPart';

import { revenueOverview } from './overview/revenueForecast';
import { spendOverview } from './overview/spendAnomalies';
import { stockOverview } from './overview/stockoutRisk';
import type { InsightView } from './view';

// Each comes when an insight of its kind is there: a department has one or two, and loads nothing of the others.
const RevenueForecastView = lazyPart(() => import('./insights/RevenueForecastView'), 'RevenueForecastView');
const StockoutRiskView = lazyPart(() => import('./insights/StockoutRiskView'), 'StockoutRiskView');
const SpendAnomaliesView = lazyPart(() => import('./insights/SpendAnomaliesView'), 'SpendAnomaliesView');
const OtherView = lazyPart(() => import('./insights/OtherView'), 'OtherView');

/** Insights are drawn by their kind, wherever they come from; a new kind shows at once, as a table. */
const VIEWS: Partial<Record<string, InsightView>> = {
  revenue_forecast: {
    title: 'Revenue forecast',
    View: RevenueForecastView,
    height: 560,
    overview: (it) => revenueOverview(it),
  },
  stockout_risk: { title: 'Stock-out risk', View: StockoutRiskView, height: 1060, overview: stockOverview },
  spend_anomalies: {
    title: 'Spending worth a look',
    View: SpendAnomaliesView,
    height: 900,
    overview: spendOverview,
  },
};

export const viewOf = (kind: string): InsightView =>
  VIEWS[kind] ?? { title: humanise(kind), View: OtherView, height: 480 };
