import { format } from '@/shared/format/format';
import type { StockItem } from '@/shared/insights/types';
import type { Column } from '@/shared/shapes/DataTable';
import { SeverityBadge } from '@/shared/ui/Badges';

import cells from '../cells.module.css';
import { SnoozeButton } from '../items/SnoozeForm';
import { Waiting } from '../items/Waiting';
import type { Line } from './lines';
import { OrderCell } from './OrderCell';
import classes from './stockout.module.css';
import type { Draft } from './useDraft';
import { Why } from './Why';

interface Acts extends Pick<Draft, 'order'> {
  snooze: (item: StockItem, until: string | null, note: string) => void;
}

export const columnsFor = ({ order, snooze }: Acts): Column<Line>[] => [
  {
    key: 'item',
    header: 'Item',
    names: true,
    render: ({ item }) => (
      <>
        <div className={cells.id}>{item.sku}</div>
        <div className={cells.sub}>
          {[item.warehouse_id, item.product_category, item.supplier_id].filter(Boolean).join(' · ')}
        </div>
        {item.no_longer_reported && (
          <div className={cells.sub}>Not reported since {format.date(item.snapshot_date)}</div>
        )}
        <Waiting snooze={item.snooze} />
      </>
    ),
  },
  { key: 'risk', header: 'Risk', render: ({ figures }) => <SeverityBadge severity={figures.severity} /> },
  {
    key: 'probability',
    header: 'Chance',
    align: 'right',
    render: ({ figures }) => format.chance(figures.stockout_probability),
  },
  {
    key: 'stock',
    header: 'On hand',
    align: 'right',
    render: ({ item }) => format.number(item.current_stock),
  },
  {
    key: 'demand',
    header: 'A day',
    align: 'right',
    render: ({ figures }) => format.number(figures.daily_demand, 1),
  },
  {
    key: 'cover',
    header: 'Days left',
    align: 'right',
    render: ({ figures }) => format.number(figures.days_of_cover, 1),
  },
  {
    key: 'lead',
    header: 'Lead time',
    align: 'right',
    render: ({ figures, item }) => (
      <>
        {format.number(figures.lead_time_days, 1)}
        {item.lead_time_sd ? (
          <span className={cells.sub}> ±{format.number(item.lead_time_sd, 1)}</span>
        ) : null}
      </>
    ),
  },
  {
    key: 'safety',
    header: 'Safety stock',
    align: 'right',
    render: ({ figures }) => format.integer(figures.safety_stock),
  },
  {
    key: 'order',
    header: 'Order',
    align: 'right',
    render: (line) => <OrderCell line={line} onOrder={order} />,
  },
  {
    key: 'why',
    header: 'Why, or later',
    render: (line) => (
      <div className={classes.acts}>
        <Why line={line} />
        <SnoozeButton
          name={`${line.item.sku}, ${line.item.warehouse_id}`}
          item={line.item}
          onSnooze={(until, note) => snooze(line.item, until, note)}
        />
      </div>
    ),
  },
];
