import { useEffect, useMemo, useState, type ReactNode } from 'react';

import classes from './DataTable.module.css';
import { BodyRow, cellsOf, type Column } from './rows';
import type { SortValue } from './tableState';
import type { InSight, InSightProps } from './InSight';

/** Enough for the tallest frame. */
const FIRST = 26;
export const USUAL_HEIGHT = 58;

/** The rows that are in the page, and how tall all are together; in px. */
export interface RowsInSight {
  rows: readonly { index: number; start: number; end: number }[];
  height: number;
  measure?: (row: HTMLTableRowElement | null) => void;
}

const fromTheTop = (count: number, most: number): RowsInSight => ({
  rows: Array.from({ length: Math.min(count, most) }, (_, index) => ({
    index,
    start: index * USUAL_HEIGHT,
    end: (index + 1) * USUAL_HEIGHT,
  })),
  height: count * USUAL_HEIGHT,
});

interface ManyRowsProps<Row> {
  columns: Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  isMarked?: (row: Row) => boolean;
  values?: Record<string, (row: Row) => SortValue>;
  /** What they are scrolled in. */
  frame: HTMLDivElement | null;
  /** The last of them comes into sight. */
  onEnd?: () => void;
}

/** The body of a long table: only the rows in sight are in the page. */
export function ManyRows<Row>(props: ManyRowsProps<Row>) {
  const { columns, rows, rowKey, isMarked, values, frame, onEnd } = props;
  // A row with the focus in it stays in the page when it is scrolled away: else the focus would be lost.
  const [held, setHeld] = useState<number | null>(null);
  const watch = useWatch(frame);
  const [told, setTold] = useState<RowsInSight | null>(null);
  const inSight = told ?? fromTheTop(rows.length, watch === 'failed' ? Infinity : FIRST);
  // Where all are drawn at once their end says nothing of where the reader is.
  const atEnd = watch !== 'failed' && (inSight.rows.at(-1)?.index ?? 0) >= rows.length - 1;
  useEffect(() => {
    if (atEnd) onEnd?.();
  }, [atEnd, onEnd]);
  const widest = useMemo(() => widestOf(rows, columns, values), [rows, columns, values]);
  return (
    <>
      <tbody
        onFocus={(event) => {
          const place = event.target.closest<HTMLElement>('tr[data-index]')?.dataset.index;
          setHeld(place === undefined ? null : Number(place));
        }}
        onBlur={() => setHeld(null)}
      >
        {withGaps(inSight, rows, columns.length, (row, place) => (
          <BodyRow
            key={rowKey(row)}
            row={row}
            columns={columns}
            isMarked={isMarked?.(row) ?? false}
            place={place}
            measure={inSight.measure}
          />
        ))}
        {widest.map((row, place) => (
          <tr key={`widest-${place}`} className={classes.sizing} aria-hidden="true">
            {cellsOf(row, columns)}
          </tr>
        ))}
      </tbody>
      {watch !== null && watch !== 'failed' && frame && (
        <Watch watch={watch} {...{ rows, rowKey, frame, held }} onChange={setTold} />
      )}
    </>
  );
}

const Watch = <Row,>({ watch: Watching, ...props }: InSightProps<Row> & { watch: typeof InSight }) => (
  <Watching {...props} />
);

/** In ms after the table is there. */
const SOON = 3_000;
/** A hand on the table is about to scroll it. */
const SIGNS = ['scroll', 'wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

/**
 * What tells which rows are in sight, once the table is about to be scrolled: a table that nobody scrolls does without. Its
 * code comes soon after the table, and where it does not come, all rows are drawn. No lazy component: React would keep it
 * back for a moment, and what it finds then would not be what it has measured.
 */
function useWatch(frame: HTMLElement | null): typeof InSight | 'failed' | null {
  const [watch, setWatch] = useState<typeof InSight | 'failed' | null>(null);
  useEffect(() => {
    if (!frame) return;
    let coming: Promise<typeof InSight | 'failed'> | undefined;
    const fetch = () =>
      (coming ??= import('./InSight').then(
        (part) => part.InSight,
        () => 'failed' as const,
      ));
    let isGone = false;
    const begin = () =>
      void fetch().then((found) => {
        if (!isGone) setWatch(() => found);
      });
    const timer = setTimeout(() => void fetch(), SOON);
    SIGNS.forEach((sign) => frame.addEventListener(sign, begin, { passive: true, once: true }));
    return () => {
      isGone = true;
      clearTimeout(timer);
      SIGNS.forEach((sign) => frame.removeEventListener(sign, begin));
    };
  }, [frame]);
  return watch;
}

/** The rows in sight, and empty ones as tall as those that are not. */
function withGaps<Row>(
  inSight: RowsInSight,
  rows: readonly Row[],
  width: number,
  drawn: (row: Row, place: number) => ReactNode,
): ReactNode[] {
  const parts: ReactNode[] = [];
  let reached = 0;
  const gap = (to: number, name: string) => {
    if (to > reached) {
      parts.push(
        <tr key={name} aria-hidden="true" className={classes.gap}>
          <td colSpan={width} style={{ height: to - reached }} />
        </tr>,
      );
    }
  };
  for (const { index, start, end } of inSight.rows) {
    const row = rows[index];
    if (row === undefined) continue;
    gap(start, `before-${index}`);
    parts.push(drawn(row, index));
    reached = end;
  }
  gap(inSight.height, 'after');
  return parts;
}

/** For each column the row with the most in it. Drawn out of sight, they keep the columns as wide as they will ever
 * have to be: else each new row that scrolls into view would move them. */
function widestOf<Row>(
  rows: readonly Row[],
  columns: Column<Row>[],
  values: ManyRowsProps<Row>['values'] = {},
): Row[] {
  const found = new Set<Row>();
  for (const { key, wide } of columns) {
    const value = values[key];
    if (!value || wide) continue;
    let [best, longest] = [rows[0], -1];
    for (const row of rows) {
      const { length } = String(value(row) ?? '');
      if (length > longest) [best, longest] = [row, length];
    }
    if (best !== undefined) found.add(best);
  }
  return [...found];
}
