import { ActionIcon, TextInput } from '@mantine/core';
import { useState } from 'react';

import { format } from '@/shared/format/format';
import { Icon } from '@/shared/ui/icons';

import type { Line } from './lines';
import classes from './stockout.module.css';

interface OrderCellProps {
  line: Line;
  onOrder: (key: string, quantity: number | null) => void;
}

/** Whole units, nothing or at least the minimum order; else why not. */
function fault(typed: string, minimum: number): string | null {
  if (!/^\d{1,9}$/.test(typed)) return 'A whole number of units, or 0';
  const quantity = Number(typed);
  return quantity > 0 && quantity < minimum ? `Minimum order ${format.integer(minimum)}, or 0` : null;
}

/** The quantity to order. What cannot be ordered is not taken, and the field says why. */
export function OrderCell({ line, onOrder }: OrderCellProps) {
  const { item, figures, quantity, edited } = line;
  const [typed, setTyped] = useState<string | null>(null);
  const minimum = Math.ceil(item.min_order_qty ?? 0);
  const error = typed === null ? null : fault(typed.trim(), minimum);
  const keep = () => {
    if (typed === null || error !== null) return;
    const own = Number(typed.trim());
    onOrder(line.key, own === figures.reorder_quantity ? null : own);
    setTyped(null);
  };
  return (
    <div className={classes.order}>
      <TextInput
        size="xs"
        inputMode="numeric"
        aria-label={`Order of ${item.sku}, ${item.warehouse_id}`}
        value={typed ?? String(quantity)}
        error={error}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onBlur={keep}
        onKeyDown={(event) => {
          if (event.key === 'Enter') keep();
          if (event.key === 'Escape') setTyped(null);
        }}
        classNames={{ input: classes.quantity, error: classes.fault }}
      />
      {edited && (
        <div className={classes.suggested}>
          suggested {format.integer(figures.reorder_quantity)}
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            aria-label={`Order of ${item.sku}, ${item.warehouse_id}: back to the suggested ${format.integer(figures.reorder_quantity)}`}
            onClick={() => onOrder(line.key, null)}
          >
            <Icon name="undo" size={13} />
          </ActionIcon>
        </div>
      )}
    </div>
  );
}
