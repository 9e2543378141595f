import { VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';

import classes from './Contributions.module.css';

export interface Contribution {
  name: string;
  /** What it stands for, where the name alone does not say it. */
  note?: string;
  value: number;
}

interface ContributionsProps {
  caption: string;
  /** What was before, and what is after all of them. */
  from: { name: string; value: ReactNode };
  to: { name: string; value: ReactNode };
  items: readonly Contribution[];
  /** With its sign. */
  write: (value: number) => string;
}

/** What leads from one number to the next, part by part: a table whose bars are drawn beside its numbers. */
export function Contributions({ caption, from, to, items, write }: ContributionsProps) {
  const largest = Math.max(...items.map(({ value }) => Math.abs(value)), Number.MIN_VALUE);
  return (
    <table className={classes.table}>
      <VisuallyHidden component="caption">{caption}</VisuallyHidden>
      <tbody>
        <tr className={classes.end}>
          <th scope="row">{from.name}</th>
          <td className={classes.bars} />
          <td className={classes.value}>{from.value}</td>
        </tr>
        {items.map(({ name, note, value }) => (
          <tr key={name}>
            <th scope="row">
              {name}
              {note !== undefined && <span className={classes.note}>{note}</span>}
            </th>
            <td className={classes.bars}>
              <span className={classes.track}>
                {value !== 0 && (
                  <span
                    className={value < 0 ? classes.less : classes.more}
                    style={{ width: `${(Math.abs(value) / largest) * 50}%` }}
                  />
                )}
              </span>
            </td>
            <td className={classes.value}>{write(value)}</td>
          </tr>
        ))}
        <tr className={classes.end}>
          <th scope="row">{to.name}</th>
          <td className={classes.bars} />
          <td className={classes.value}>{to.value}</td>
        </tr>
      </tbody>
    </table>
  );
}
