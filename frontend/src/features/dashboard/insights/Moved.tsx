import { SegmentedControl, Title } from '@mantine/core';

import { format } from '@/shared/format/format';
import { FigureHelp } from '@/shared/insights/FigureHelp';
import type { Drivers } from '@/shared/insights/types';
import { Contributions } from '@/shared/shapes/Contributions';

import { EFFECTS } from './forecast';
import classes from './RevenueForecastView.module.css';

interface MovedProps {
  kind: string;
  /** Whose revenue: the department's or a category's name. */
  of: string;
  drivers: Drivers;
  against: string | undefined;
  onAgainst: (against: string | undefined) => void;
  money: (value: number) => string;
}

/** What moved revenue: the last four weeks against the four before, or against the same of the year before. */
export function Moved({ kind, of, drivers, against, onAgainst, money }: MovedProps) {
  const year = against === 'year' ? drivers.year_ago : null;
  const moves = year ?? drivers.previous;
  const before = year ? 'The same 4 weeks a year before' : 'The 4 weeks before';
  const signed = (value: number) => `${value > 0 ? '+' : ''}${money(value)}`;
  return (
    <section aria-label={`What moved revenue: ${of}`}>
      <div className={classes.head}>
        <Title order={3} className={classes.title}>
          What moved revenue <FigureHelp kind={kind} figure="drivers" label="What moved revenue" />
        </Title>
        {drivers.previous && drivers.year_ago && (
          <SegmentedControl
            size="xs"
            aria-label="Compared with"
            value={year ? 'year' : 'before'}
            onChange={(value) => onAgainst(value === 'year' ? value : undefined)}
            data={[
              { value: 'before', label: '4 weeks before' },
              { value: 'year', label: 'Year before' },
            ]}
          />
        )}
      </div>
      {moves ? (
        <>
          <p className={classes.told}>
            <b>{signed(moves.change)}</b>
            {moves.before > 0 &&
              ` (${moves.change > 0 ? '+' : ''}${format.percent(moves.change / moves.before, 1)})`}{' '}
            in the last 4 whole weeks.
          </p>
          <Contributions
            caption={`What moved the revenue of ${of}`}
            from={{ name: before, value: money(moves.before) }}
            to={{ name: 'The last 4 weeks', value: money(moves.now) }}
            items={EFFECTS.map(({ key, name, note }) => ({ name, note, value: moves[key] }))}
            write={signed}
          />
        </>
      ) : (
        <p className={classes.told}>Eight whole weeks are needed to compare four with the four before.</p>
      )}
    </section>
  );
}
