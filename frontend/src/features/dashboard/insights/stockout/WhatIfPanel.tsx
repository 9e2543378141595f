import { Button, Slider, Text } from '@mantine/core';
import { useState } from 'react';

import { format, plural } from '@/shared/format/format';
import type { TextState } from '@/shared/shapes/tableState';
import { Icon } from '@/shared/ui/icons';

import { DEMANDS, LEADS, LEVELS, type Line } from './lines';
import type { Basis, WhatIf } from './replan';
import classes from './stockout.module.css';

interface WhatIfPanelProps {
  basis: Basis;
  whatIf: WhatIf | null;
  now: readonly Line[];
  then: readonly Line[];
  onState: (change: TextState) => void;
}

const signed = (value: number): string =>
  `${value > 0 ? '+' : value < 0 ? '−' : ''}${format.number(Math.abs(value), 1)}`;

/** Service level, lead time and demand to play with; worked out in the page, nothing is stored. */
export function WhatIfPanel({ basis, whatIf, now, then, onState }: WhatIfPanelProps) {
  const asked = whatIf ?? { level: basis.level, leadShift: 0, demandFactor: 1 };
  const usual = Math.round(basis.level * 1_000) / 10;
  return (
    <details className={classes.whatif} open={whatIf !== null || undefined}>
      <summary>
        <Icon name="pulse" size={16} /> What if?
        <span className={classes.hint}>
          {whatIf ? 'On: the figures below are imagined' : 'Another service level, lead time or demand'}
        </span>
        <Icon name="down" size={16} className={classes.chevron} />
      </summary>
      <div className={classes.knobs}>
        <Knob
          label="Service level"
          value={Math.round(asked.level * 1_000) / 10}
          {...LEVELS}
          step={0.1}
          write={(value) => `${format.number(value, 1)} %`}
          onValue={(value) => onState({ level: value === usual ? undefined : String(value) })}
        />
        <Knob
          label="Lead time"
          value={asked.leadShift}
          {...LEADS}
          step={1}
          write={(value) =>
            value === 0 ? 'as it is' : `${signed(value)} ${Math.abs(value) === 1 ? 'day' : 'days'}`
          }
          onValue={(value) => onState({ lead: value === 0 ? undefined : String(value) })}
        />
        <Knob
          label="Demand"
          value={Math.round((asked.demandFactor - 1) * 100)}
          {...DEMANDS}
          step={5}
          write={(value) => (value === 0 ? 'as it is' : `${signed(value)} %`)}
          onValue={(value) => onState({ demand: value === 0 ? undefined : String(value) })}
        />
      </div>
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

interface KnobProps {
  label: string;
  value: number;
  least: number;
  most: number;
  step: number;
  write: (value: number) => string;
  onValue: (value: number) => void;
}

function Knob({ label, value, least, most, step, write, onValue }: KnobProps) {
  // While it is dragged it follows the hand; the figures follow when it is let go.
  const [dragged, setDragged] = useState<number | null>(null);
  const shown = dragged ?? value;
  return (
    <div className={classes.knob}>
      <div className={classes.name}>
        <span>{label}</span>
        <b className="tabular">{write(shown)}</b>
      </div>
      <Slider
        value={shown}
        min={least}
        max={most}
        step={step}
        label={null}
        thumbLabel={label}
        thumbProps={{ 'aria-valuetext': write(shown) }}
        onChange={setDragged}
        onChangeEnd={(next) => {
          setDragged(null);
          onValue(next);
        }}
      />
    </div>
  );
}
