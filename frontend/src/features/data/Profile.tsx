import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import type {
  Cell,
  ColumnProfileOutput,
  DriftFlagOutput,
  DriftOutput,
  ProfileOutput,
} from '@/shared/api/gen/model';
import { ApiProblem } from '@/shared/api/problem';
import { profileQuery } from '@/shared/api/queries';
import { format, plural, UNKNOWN } from '@/shared/format/format';
import { Async, Lines } from '@/shared/ui/Async';
import { EmptyState } from '@/shared/ui/EmptyState';
import { TextLink } from '@/shared/ui/links';
import { Notice } from '@/shared/ui/Notice';
import { Panel } from '@/shared/ui/Panel';

import classes from './profile.module.css';

/** What the columns hold, and what is not as it was in the upload before. */
export function Profile({ dataset }: { dataset: string }) {
  const profile = useQuery(profileQuery(dataset));
  if (profile.error instanceof ApiProblem && profile.error.code === 'not-profiled') {
    return (
      <Panel title="Columns">
        <EmptyState icon="clock" title="No profile yet">
          {profile.error.hint}
        </EmptyState>
      </Panel>
    );
  }
  return (
    <Async query={profile} skeleton={<Lines count={12} height={28} />}>
      {(data) => (
        <Stack gap="lg">
          <Drift drift={data.drift} />
          <Columns profile={data} />
        </Stack>
      )}
    </Async>
  );
}

function Drift({ drift: { compared_with: before, reason, flags } }: { drift: DriftOutput }) {
  return (
    <Panel
      title="Against the upload before"
      lead={
        before && (
          <>
            Compared with{' '}
            <TextLink to="/data/$dataset" params={{ dataset: before.id }} size="sm">
              {before.name}
            </TextLink>
            , uploaded {format.dateTime(before.uploaded_at)}.
          </>
        )
      }
    >
      {!before ? (
        <EmptyState icon="info" title="Not compared">
          {reason}
        </EmptyState>
      ) : flags.length === 0 ? (
        <EmptyState icon="check" title="Nothing unusual">
          The columns hold what they held before.
        </EmptyState>
      ) : (
        <ul className={classes.flags}>
          {flags.map((flag) => (
            <li key={`${flag.column ?? ''}/${flag.code}`}>
              <Flag flag={flag} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Flag({ flag: { column, severity, message } }: { flag: DriftFlagOutput }) {
  return (
    <Notice
      tone={severity === 'warning' ? 'warning' : 'info'}
      title={`${severity === 'warning' ? 'Look before use' : 'At leisure'}: ${column ?? 'the whole file'}`}
    >
      {message}
    </Notice>
  );
}

function Columns({ profile }: { profile: ProfileOutput }) {
  return (
    <Panel
      title="Columns"
      lead={`What ${plural(profile.rows, 'clean row', 'clean rows')} hold, as loaded ${format.ago(profile.loaded_at)}.`}
    >
      <div className={classes.grid}>
        {profile.columns.map((column) => (
          <ColumnCard key={column.name} column={column} flags={profile.drift.flags} />
        ))}
      </div>
    </Panel>
  );
}

/** Numbers come as numbers or, where no digit may be lost, as text; days as text. */
const write = (value: Cell | null, kind: ColumnProfileOutput['kind']): string => {
  if (value === null) return UNKNOWN;
  if (kind === 'date') return format.date(String(value));
  return kind === 'text' ? String(value) : format.number(Number(value), 4);
};

function ColumnCard({ column, flags }: { column: ColumnProfileOutput; flags: DriftFlagOutput[] }) {
  const { name, kind, rows, nulls, distinct, quantiles, histogram, top } = column;
  const own = flags.filter((flag) => flag.column === name).length;
  const about = column.distinct_is_estimate || column.quantile_error > 0 ? '≈ ' : '';
  const facts: [string, string][] = [
    ['Empty', nulls === 0 ? 'none' : `${format.integer(nulls)} (${format.percent(nulls / rows, 1)})`],
    ['Different values', `${column.distinct_is_estimate ? '≈ ' : ''}${format.integer(distinct)}`],
  ];
  if (kind === 'text') {
    facts.push(['Characters', `${format.integer(column.shortest)} to ${format.integer(column.longest)}`]);
  } else {
    facts.push(['Smallest', write(column.min, kind)], ['Largest', write(column.max, kind)]);
  }
  if (column.mean !== null) facts.push(['Mean', format.number(column.mean, 2)]);
  if (quantiles) {
    facts.push(
      [`${about}Median`, write(quantiles.p50, kind)],
      [`${about}Middle half`, `${write(quantiles.p25, kind)} to ${write(quantiles.p75, kind)}`],
      [`${about}Middle 90 %`, `${write(quantiles.p05, kind)} to ${write(quantiles.p95, kind)}`],
    );
  }
  return (
    <section className={classes.card} aria-label={`Column ${name}`}>
      <div className={classes.head}>
        <h3 className={classes.name}>{name}</h3>
        <span className={classes.kind}>{kind}</span>
        {own > 0 && <span className={classes.flagged}>{plural(own, 'change', 'changes')}</span>}
      </div>
      <dl className={classes.facts}>
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className="tabular">{value}</dd>
          </div>
        ))}
      </dl>
      {histogram.length > 1 && <Histogram column={column} />}
      {top.length > 0 && (
        <details className={classes.more}>
          <summary>Most frequent</summary>
          <ol className={classes.top}>
            {top.map(({ value, rows: count }) => (
              <li key={String(value)}>
                <span className={classes.value}>{write(value, kind)}</span>
                <span className="tabular">
                  {column.top_short_by > 0 && '≥ '}
                  {format.integer(count)}
                </span>
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}

/** Each bar holds about as many rows: where they lie close together the bar is narrow and tall. The outermost
 * hundredths would squeeze all others into a corner, and are not drawn. */
function Histogram({ column: { name, kind, histogram, quantiles } }: { column: ColumnProfileOutput }) {
  const at = (value: Cell) => (kind === 'date' ? Date.parse(String(value)) : Number(value));
  if (!quantiles) return null;
  const [from, whole] = [at(quantiles.p01), at(quantiles.p99) - at(quantiles.p01)];
  if (!(whole > 0)) return null;
  const least = whole / 100;
  const bars = histogram.map((bar) => {
    const width = Math.max(at(bar.high) - at(bar.low), least);
    return { left: (at(bar.low) - from) / whole, width: width / whole, density: bar.rows / width, bar };
  });
  const tallest = Math.max(...bars.map(({ density }) => density));
  const words = histogram
    .map((bar) => `${write(bar.low, kind)} to ${write(bar.high, kind)}: ${plural(bar.rows, 'row', 'rows')}`)
    .join('; ');
  return (
    <svg
      className={classes.histogram}
      viewBox="0 0 100 32"
      preserveAspectRatio="none"
      role="img"
      aria-label={`How ${name} is spread. ${words}`}
    >
      {bars.map(({ left, width, density, bar }) => (
        <rect
          key={String(bar.low)}
          x={left * 100}
          width={width * 100}
          y={32 - (density / tallest) * 32}
          height={(density / tallest) * 32}
        />
      ))}
    </svg>
  );
}
