import { Icon, type IconName } from '@/shared/ui/icons';

import { STATE_WORDS, type State } from './queue';
import classes from './Queue.module.css';

const ICONS: Record<State, IconName> = {
  open: 'clock',
  acknowledged: 'user',
  expected: 'check',
  confirmed: 'alert',
  fixed: 'check',
};

/** Icon and word beside the colour: each says it alone. */
export function StateBadge({ state, reopened }: { state: State; reopened: boolean }) {
  return (
    <span className={`${classes.state} ${classes[state]}`}>
      <Icon name={reopened ? 'retry' : ICONS[state]} size={13} strokeWidth={2.4} />
      {reopened ? 'Reopened' : STATE_WORDS[state]}
    </span>
  );
}
