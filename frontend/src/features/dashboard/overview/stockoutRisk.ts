import type { InsightOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';

import { changeOf, type Attention, type Kpi, type Overview } from './entries';

/** From the figures alone: what is listed may be the worst 5,000 of more items. */
export function stockOverview(insight: InsightOutput): Overview {
  const { kind, figures } = insight;
  const {
    items,
    at_risk: atRisk,
    critical = 0,
    to_order: toOrder,
    order_units: units,
    dead_stock: dead,
  } = figures;
  if (items === undefined || atRisk === undefined) return { kpis: [], attention: [] };
  const kpis: Kpi[] = [
    {
      label: 'At risk',
      value: format.integer(atRisk),
      note: changeOf(insight, 'at_risk') ?? `of ${plural(items, 'item', 'items')}`,
      tone: atRisk > 0 ? 'bad' : 'good',
      icon: atRisk > 0 ? 'alert' : 'check',
      figure: 'at_risk',
    },
    {
      label: 'Critical',
      value: format.integer(critical),
      note: changeOf(insight, 'critical') ?? 'almost sure to run out',
      icon: 'bolt',
      figure: 'severity',
    },
  ];
  if (toOrder !== undefined) {
    kpis.push({
      label: 'To order',
      value: plural(toOrder, 'item', 'items'),
      note: units === undefined ? undefined : `${format.integer(units)} units in all`,
      icon: 'box',
      figure: 'reorder_quantity',
    });
  }
  if (dead !== undefined) {
    kpis.push({
      label: 'Dead stock',
      value: plural(dead, 'item', 'items'),
      note: changeOf(insight, 'dead_stock') ?? 'that nobody has asked for',
      icon: 'clock',
      figure: 'dead_stock',
    });
  }
  const attention: Attention[] =
    atRisk > 0
      ? [
          {
            key: `${kind}/risk`,
            tone: critical > 0 ? 'bad' : 'warning',
            title: `${plural(atRisk, 'item is', 'items are')} at risk of running out`,
            detail: critical > 0 ? `${format.integer(critical)} critical` : undefined,
            action: 'See the items',
            target: { to: 'insight', kind, state: { show: 'focus', sort: undefined } },
          },
        ]
      : [];
  return { kpis, attention };
}
