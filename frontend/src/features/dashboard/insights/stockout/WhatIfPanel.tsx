import { Button, Text } from '@mantine/core';
import { useState } from 'react';

import { format, plural } from '@/shared/format/format';
import type { TextState } from '@/shared/shapes/tableState';
import { Icon } from '@/shared/ui/icons';
import { lazyPart } from '@/shared/ui/lazyPart';
import { WhenWanted } from '@/shared/ui/WhenWanted';

import type { Line } from './lines';
import type { Basis, WhatIf } from './replan';
import classes from './stockout.module.css';

const Knobs = lazyPart(() => import('./Knobs'), 'Knobs');

interface WhatIfPanelProps {
  basis: Basis;
  whatIf: WhatIf | null;
  now: readonly Line[];
  then: readonly Line[];
  onState: (change: TextState) => void;
}

/** Service level, lead time and demand to play with; worked out in the page, nothing is stored. */
export function WhatIfPanel({ basis, whatIf, now, then, onState }: WhatIfPanelProps) {
  const [opened, setOpened] = useState(whatIf !== null);
  return (
    <details
      className={classes.whatif}
      open={whatIf !== null || undefined}
      onToggle={(event) => setOpened(event.currentTarget.open)}
    >
      <summary>
        <Icon name="pulse" size={16} /> What if?
        <span className={classes.hint}>
          {whatIf ? 'On: the figures below are imagined' : 'Another service level, lead time or demand'}
        </span>
        <Icon name="down" size={16} className={classes.chevron} />
      </summary>
      <WhenWanted wanted={opened}>
        <Knobs basis={basis} whatIf={whatIf} onState={onState} />
      </WhenWanted>
      {whatIf && (
        <div className={classes.outcome} role="status">
          <dl>
            {FIGURES.map(({ label, of }) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd>
                  {format.integer(of(now))} → <b>{format.integer(of(then))}</b>
                </dd>
              </div>
            ))}
          </dl>
          <Text size="sm" c="dimmed">
            What-if over {plural(then.length, 'item', 'items')}. Nothing is stored, and nobody else sees it.
          </Text>
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="undo" size={14} />}
            onClick={() => onState({ level: undefined, lead: undefined, demand: undefined })}
          >
            Back to what is
          </Button>
        </div>
      )}
    </details>
  );
}

const sum = (lines: readonly Line[], of: (line: Line) => number): number =>
  lines.reduce((total, line) => total + of(line), 0);

const FIGURES: { label: string; of: (lines: readonly Line[]) => number }[] = [
  { label: 'At risk', of: (lines) => sum(lines, ({ figures }) => Number(figures.at_risk)) },
  {
    label: 'Items to order',
    of: (lines) => sum(lines, ({ figures }) => Number(figures.reorder_quantity > 0)),
  },
  { label: 'Units to order', of: (lines) => sum(lines, ({ figures }) => figures.reorder_quantity) },
  { label: 'Safety stock', of: (lines) => sum(lines, ({ figures }) => figures.safety_stock) },
];
