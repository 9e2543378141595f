import { Slider } from '@mantine/core';
import { useState } from 'react';

import { format } from '@/shared/format/format';
import type { TextState } from '@/shared/shapes/tableState';

import { DEMANDS, LEADS, LEVELS } from './lines';
import type { Basis, WhatIf } from './replan';
import classes from './stockout.module.css';

interface KnobsProps {
  basis: Basis;
  whatIf: WhatIf | null;
  onState: (change: TextState) => void;
}

const signed = (value: number): string =>
  `${value > 0 ? '+' : value < 0 ? '−' : ''}${format.number(Math.abs(value), 1)}`;

export function Knobs({ basis, whatIf, onState }: KnobsProps) {
  const asked = whatIf ?? { level: basis.level, leadShift: 0, demandFactor: 1 };
  const usual = Math.round(basis.level * 1_000) / 10;
  return (
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
  );
}

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
