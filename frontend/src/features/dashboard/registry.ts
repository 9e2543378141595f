import { humanise } from '@/shared/format/format';

import { OtherView } from './insights/OtherView';
import { RevenueForecastView } from './insights/RevenueForecastView';
import { SpendAnomaliesView } from './insights/SpendAnomaliesView';
import { StockoutRiskView } from './insights/StockoutRiskView';
import { revenueOverview } from './overview/revenueForecast';
import { spendOverview } from './overview/spendAnomalies';
import { stockOverview } from './overview/stockoutRisk';
import type { InsightView } from './view';

/** Insights are drawn by their kind, wherever they come from; a new kind shows at once, as a table. */
const VIEWS: Partial<Record<string, InsightView>> = {
  revenue_forecast: {
    title: 'Revenue forecast',
    View: RevenueForecastView,
    overview: (it) => revenueOverview(it),
  },
  stockout_risk: { title: 'Stock-out risk', View: StockoutRiskView, overview: stockOverview },
  spend_anomalies: { title: 'Spending worth a look', View: SpendAnomaliesView, overview: spendOverview },
};

export const viewOf = (kind: string): InsightView =>
  VIEWS[kind] ?? { title: humanise(kind), View: OtherView };
