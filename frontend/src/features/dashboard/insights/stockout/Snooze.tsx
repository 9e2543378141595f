import { Button, Menu } from '@mantine/core';

import { format, plural } from '@/shared/format/format';

import type { Line } from './lines';
import { today } from './useDesk';

interface SnoozeProps {
  line: Line;
  onSnooze: (key: string, until: string | null) => void;
}

const DAYS = [3, 7, 14, 30];

/** An item that waits: marked on the list, and not in the order, until its day has passed. */
export function Snooze({ line, onSnooze }: SnoozeProps) {
  const { item, snoozedUntil } = line;
  const name = `${item.sku}, ${item.warehouse_id}`;
  if (snoozedUntil !== null) {
    return (
      <Button
        size="compact-sm"
        variant="subtle"
        aria-label={`Wake up: ${name}`}
        onClick={() => onSnooze(line.key, null)}
      >
        Wake up
      </Button>
    );
  }
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button size="compact-sm" variant="subtle" color="gray" aria-label={`Snooze: ${name}`}>
          Snooze
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Leave out of the order</Menu.Label>
        {DAYS.map((days) => (
          <Menu.Item key={days} onClick={() => onSnooze(line.key, today(days))}>
            {plural(days, 'day', 'days')}, to {format.date(today(days))}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
