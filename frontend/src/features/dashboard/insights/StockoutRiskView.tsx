import { format, UNKNOWN } from '@/shared/format/format';
import type { StockItem } from '@/shared/insights/types';
import type { Column } from '@/shared/shapes/DataTable';
import { ExploreTable } from '@/shared/shapes/ExploreTable';
import { NumberCards } from '@/shared/shapes/NumberCards';
import { SEVERITY_RANK, SeverityBadge } from '@/shared/ui/Badges';
import { EmptyState } from '@/shared/ui/EmptyState';

import { listIn, type InsightViewProps } from '../view';
import classes from './cells.module.css';

export function StockoutRiskView({ insight, state, onState }: InsightViewProps) {
  const items = listIn<StockItem>(insight.data, 'items');
  const horizon = Number(insight.data.horizon_days);
  if (items.length === 0) {
    return (
      <EmptyState icon="box" title="No items yet">
        Upload an inventory snapshot, and the items that may run out appear here.
      </EmptyState>
    );
  }
  const atRisk = items.filter((item) => item.at_risk);
  const critical = atRisk.filter((item) => item.severity === 'critical').length;
  const toOrder = items.filter((item) => item.reorder_quantity > 0);
  const units = toOrder.reduce((sum, item) => sum + item.reorder_quantity, 0);
  const soonest = Math.min(...atRisk.map((item) => item.days_of_cover ?? Infinity));
  return (
    <>
      <NumberCards
        cards={[
          {
            label: 'At risk',
            value: format.integer(atRisk.length),
            note: `of ${format.integer(items.length)} items, within ${format.integer(horizon)} days`,
            tone: atRisk.length > 0 ? 'bad' : 'good',
            icon: atRisk.length > 0 ? 'alert' : 'check',
          },
          {
            label: 'Critical',
            value: format.integer(critical),
            note: 'almost sure to run out',
            icon: 'bolt',
          },
          {
            label: 'Shortest cover',
            value: Number.isFinite(soonest) ? `${format.number(soonest, 1)} days` : UNKNOWN,
            note: 'among the items at risk',
            icon: 'clock',
          },
          {
            label: 'To order now',
            value: format.integer(units),
            note: `units of ${format.integer(toOrder.length)} items`,
            icon: 'box',
          },
        ]}
      />
      <ExploreTable
        caption="Items and their risk of running out"
        columns={COLUMNS}
        rows={items}
        rowKey={(item) => `${item.warehouse_id}/${item.sku}`}
        text={(item) => [item.sku, item.warehouse_id, item.product_category, item.supplier_id].join(' ')}
        values={{
          item: (item) => item.sku,
          risk: (item) => SEVERITY_RANK[item.severity],
          probability: (item) => item.stockout_probability,
          stock: (item) => item.current_stock,
          cover: (item) => item.days_of_cover,
          safety: (item) => item.safety_stock,
          order: (item) => item.reorder_quantity,
        }}
        state={state}
        onState={onState}
        isMarked={(item) => item.at_risk}
        focus={{ label: 'At risk', all: 'All items', has: (item) => item.at_risk }}
      />
    </>
  );
}

const COLUMNS: Column<StockItem>[] = [
  {
    key: 'item',
    header: 'Item',
    names: true,
    render: (item) => (
      <>
        <div className={classes.id}>{item.sku}</div>
        <div className={classes.sub}>
          {[item.warehouse_id, item.product_category].filter(Boolean).join(' · ')}
        </div>
      </>
    ),
  },
  { key: 'risk', header: 'Risk', render: (item) => <SeverityBadge severity={item.severity} /> },
  {
    key: 'probability',
    header: 'Chance',
    align: 'right',
    render: (item) => format.chance(item.stockout_probability),
  },
  {
    key: 'stock',
    header: 'In stock',
    align: 'right',
    render: (item) => (
      <>
        <div>{format.number(item.current_stock)}</div>
        <div className={classes.sub}>{format.number(item.daily_demand, 1)} a day</div>
      </>
    ),
  },
  {
    key: 'cover',
    header: 'Days left',
    align: 'right',
    render: (item) => format.number(item.days_of_cover, 1),
  },
  {
    key: 'safety',
    header: 'Safety stock',
    align: 'right',
    render: (item) => format.integer(item.safety_stock),
  },
  {
    key: 'order',
    header: 'Order',
    align: 'right',
    render: (item) => (item.reorder_quantity > 0 ? <b>{format.integer(item.reorder_quantity)}</b> : UNKNOWN),
  },
  {
    key: 'reason',
    header: 'Why',
    wide: true,
    render: (item) => <span className={classes.why}>{item.reason}</span>,
  },
];
