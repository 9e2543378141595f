import { format } from '@/shared/format/format';
import type { ItemSnooze } from '@/shared/insights/types';
import { Icon } from '@/shared/ui/icons';

import classes from './items.module.css';

/** Until when it waits, who says so, and why; or why it is back. */
export function Waiting({ snooze }: { snooze: ItemSnooze | null | undefined }) {
  if (!snooze) return null;
  const said = `by ${snooze.snoozed_by}${snooze.note && `: “${snooze.note}”`}`;
  return (
    <div className={classes.waits}>
      <Icon name={snooze.ended ? 'retry' : 'clock'} size={12} />{' '}
      {snooze.ended
        ? `Back. ${snooze.ended} Snoozed ${said}`
        : `Snoozed, not before ${format.date(snooze.until)}, ${said}`}
    </div>
  );
}
