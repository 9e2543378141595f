import type { InsightOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import type { SpendAnomalies } from '@/shared/insights/types';

import { sumsByCurrency } from '../insights/spending';
import { changeOf, type Attention, type Kpi, type Overview } from './entries';

/** What is worth a review stands first in the list, and what was said of it since shows at once. */
export function spendOverview(insight: InsightOutput): Overview {
  const { kind } = insight;
  const { items = [] } = insight.data as Partial<SpendAnomalies>;
  const worth = items.filter((item) => item.worth_review);
  const open = worth.filter((item) => item.status === null || item.status === 'open');
  const critical = open.filter((item) => item.severity === 'critical').length;
  const [largest, ...others] = sumsByCurrency(open);
  const kpis: Kpi[] = [
    {
      label: 'Worth a review',
      value: format.integer(insight.figures.worth_review ?? worth.length),
      note: changeOf(insight, 'worth_review') ?? `of ${plural(items.length, 'payment', 'payments')} listed`,
      tone: worth.length > 0 ? 'warning' : 'good',
      icon: worth.length > 0 ? 'alert' : 'check',
      figure: 'worth_review',
    },
    {
      label: 'Still open',
      value: format.integer(open.length),
      note:
        worth.length > open.length
          ? `${format.integer(worth.length - open.length)} reviewed`
          : 'none of them reviewed yet',
      icon: 'search',
      figure: 'status',
    },
    {
      label: 'Critical',
      value: format.integer(critical),
      note: 'of those still open',
      icon: 'bolt',
      figure: 'severity',
    },
    {
      label: 'Open amount',
      value: largest ? format.money(largest.sum, largest.currency, 0) : format.integer(0),
      note: others.map(({ sum, currency }) => `and ${format.money(sum, currency, 0)}`).join(' ') || undefined,
      icon: 'coins',
    },
  ];
  const attention: Attention[] =
    open.length > 0
      ? [
          {
            key: `${kind}/review`,
            tone: critical > 0 ? 'bad' : 'warning',
            title: `${plural(open.length, 'payment is', 'payments are')} worth a review`,
            detail: critical > 0 ? `${format.integer(critical)} critical` : undefined,
            action: 'See the payments',
            target: { to: 'insight', kind, state: { show: 'focus', sort: undefined } },
          },
        ]
      : [];
  return { kpis, attention };
}
