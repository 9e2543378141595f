import { Button } from '@mantine/core';

import { format, UNKNOWN } from '@/shared/format/format';
import { Popout } from '@/shared/ui/Popout';

import type { Line } from './lines';
import classes from './stockout.module.css';

/** The sentence behind an item's figures, and the figures it rests on. */
export function Why({ line }: { line: Line }) {
  const { item, figures, isWhatIf } = line;
  const facts: [string, string][] = [
    ['On hand', format.number(item.current_stock)],
    ['Expected a day', format.number(figures.daily_demand, 2)],
    [
      'Lead time',
      figures.lead_time_days === undefined ? UNKNOWN : `${format.number(figures.lead_time_days, 1)} days`,
    ],
    ['Safety stock', format.integer(figures.safety_stock)],
    ['Reorder point', format.integer(figures.reorder_point)],
    ['Suggested order', format.integer(figures.reorder_quantity)],
    ['Minimum order', item.min_order_qty === undefined ? UNKNOWN : format.number(item.min_order_qty)],
    ['Class', [item.abc, item.xyz].filter(Boolean).join('') || UNKNOWN],
  ];
  return (
    <Popout
      name={`Why ${item.sku}, ${item.warehouse_id}`}
      width={320}
      button={(opens) => (
        <Button
          {...opens}
          size="compact-sm"
          variant="subtle"
          aria-label={`Why: ${item.sku}, ${item.warehouse_id}`}
        >
          Why
        </Button>
      )}
    >
      <div className={classes.why}>
        {isWhatIf && (
          <p className={classes.imagined}>The figures are imagined; the sentence is of what is.</p>
        )}
        <p>{item.reason}</p>
        <dl className={classes.figures}>
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="tabular">{value}</dd>
            </div>
          ))}
        </dl>
      </div>
    </Popout>
  );
}
