import { Icon, type IconName } from '@/shared/ui/icons';

import { STATE_WORDS, type State } from '../items/states';
import classes from './Queue.module.css';

const ICONS: Record<State, IconName> = {
  open: 'search',
  reopened: 'retry',
  snoozed: 'clock',
  acknowledged: 'user',
  expected: 'check',
  confirmed: 'alert',
  fixed: 'check',
};

/** Icon and word beside the colour: each says it alone. */
export function StateBadge({ state }: { state: State }) {
  return (
    <span className={`${classes.state} ${classes[state] ?? ''}`}>
      <Icon name={ICONS[state]} size={13} strokeWidth={2.4} />
      {STATE_WORDS[state]}
    </span>
  );
}
