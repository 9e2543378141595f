/** Answers that the insights of all kinds share. */
import type { HelpOutput } from '@/shared/api/gen/model';

export const help: HelpOutput = {
  figures: {
    revenue_forecast: {
      total: 'the department’s weeks. Its forecast is the sum of the categories’ forecasts',
      drivers: 'the last 4 whole weeks against the 4 before (`previous`)',
    },
    stockout_risk: {
      safety_stock: 'quantile of demand over the lead time at the service level − µL',
      at_risk: 'probability ≥ 1/3, or an empty shelf with demand',
    },
    spend_anomalies: { score: '100 · (1 − e^(−S/3))' },
  },
};
