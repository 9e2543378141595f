import type { InsightOutput } from '@/shared/api/gen/model';
import { format } from '@/shared/format/format';
import type { RevenueForecast } from '@/shared/insights/types';

import { signedPercent, type Attention, type Kpi, type Overview } from './entries';

const WEEK = 7 * 86_400_000;

/** The department's next weeks beside its last ones. Insights of the first version have no total, and give nothing. */
export function revenueOverview(insight: InsightOutput, now: number = Date.now()): Overview {
  const { total, drivers, currency } = insight.data as Partial<RevenueForecast>;
  const next = total?.forecast[0];
  if (!total || !next) return { kpis: [], attention: [] };
  const money = (value: number) => (currency ? format.money(value, currency, 0) : format.integer(value));
  const latest = total.history.at(-1);
  const kpis: Kpi[] = [
    {
      label: 'Expected next week',
      value: money(next.revenue),
      note:
        latest && latest.revenue > 0
          ? `${signedPercent(next.revenue / latest.revenue - 1)} on the newest whole week`
          : `Week from ${format.date(next.week_start)}`,
      icon: 'chart',
      figure: 'total',
    },
  ];
  const weeks = insight.figures.four_weeks;
  if (weeks !== undefined) {
    const before = insight.since?.figures.four_weeks;
    kpis.push({
      label: 'Expected in four weeks',
      value: money(weeks),
      note:
        insight.since && before !== undefined && before > 0
          ? `${signedPercent(weeks / before - 1)} on the forecast at “${insight.since.dataset_name}”`
          : `To the week from ${format.date(total.forecast.at(-1)?.week_start)}`,
      icon: 'chart',
      figure: 'forecast',
    });
  }
  const moved = drivers?.previous;
  if (moved) {
    const { year_ago: year } = drivers;
    const told = [
      moved.before > 0 && `${signedPercent(moved.change / moved.before)} on the 4 before`,
      year && year.before > 0 && `${signedPercent(year.change / year.before)} on the year before`,
    ].filter(Boolean);
    kpis.push({
      label: 'Last four weeks',
      value: money(moved.now),
      note: told.join(', ') || undefined,
      icon: moved.change < 0 ? 'down' : 'up',
      figure: 'drivers',
    });
  }
  const error = total.quality;
  if (error && error.model !== null) {
    const worse = error.baseline !== null && error.model >= error.baseline;
    kpis.push({
      label: 'Usual error',
      value: format.percent(error.model),
      note: error.baseline === null ? undefined : `Naive forecast: ${format.percent(error.baseline)}`,
      tone: worse ? 'warning' : undefined,
      icon: worse ? 'alert' : 'check',
      figure: 'quality',
    });
  }
  return { kpis, attention: attentionOf(insight, next.week_start, kpis, now) };
}

function attentionOf(insight: InsightOutput, monday: string, kpis: readonly Kpi[], now: number): Attention[] {
  const { kind } = insight;
  const entries: Attention[] = [];
  if (Date.parse(`${monday}T00:00:00Z`) + WEEK <= now) {
    entries.push({
      key: `${kind}/past`,
      tone: 'warning',
      title: 'The week that is forecast is over',
      detail: `“Next week” is the one from ${format.date(monday)}, because there are no sales of a later date.`,
      action: 'Upload newer sales',
      target: { to: 'upload' },
    });
  }
  if (kpis.some(({ figure, tone }) => figure === 'quality' && tone === 'warning')) {
    entries.push({
      key: `${kind}/error`,
      tone: 'info',
      title: 'The forecast does no better than the naive one',
      action: 'See the forecast',
      target: { to: 'insight', kind, state: { category: undefined } },
    });
  }
  return entries;
}
