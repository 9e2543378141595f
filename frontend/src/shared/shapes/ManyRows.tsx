import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useState, type ReactNode } from 'react';

import classes from './DataTable.module.css';
import { BodyRow, cellsOf, type Column } from './rows';
import type { SortValue } from './tableState';

const USUAL_HEIGHT = 58;

interface ManyRowsProps<Row> {
  columns: Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  isMarked?: (row: Row) => boolean;
  values?: Record<string, (row: Row) => SortValue>;
  /** What they are scrolled in. */
  frame: HTMLDivElement;
  /** The last of them comes into sight. */
  onEnd?: () => void;
}

/** The body of a long table: only the rows in sight are in the page. */
export function ManyRows<Row>(props: ManyRowsProps<Row>) {
  const { columns, rows, rowKey, isMarked, values, frame, onEnd } = props;
  // A row with the focus in it stays in the page when it is scrolled away: else the focus would be lost.
  const [held, setHeld] = useState<number | null>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler memoises this component
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame,
    getItemKey: (place) => {
      const row = rows[place];
      return row === undefined ? place : rowKey(row);
    },
    estimateSize: () => USUAL_HEIGHT,
    overscan: 10,
    rangeExtractor: (range) => {
      const places = defaultRangeExtractor(range);
      return held === null || held >= range.count || places.includes(held)
        ? places
        : [...places, held].toSorted((a, b) => a - b);
    },
  });
  const atEnd = (virtual.getVirtualItems().at(-1)?.index ?? 0) >= rows.length - 1;
  useEffect(() => {
    if (atEnd) onEnd?.();
  }, [atEnd, onEnd]);
  const widest = useMemo(() => widestOf(rows, columns, values), [rows, columns, values]);
  return (
    <tbody
      onFocus={(event) => {
        const place = event.target.closest<HTMLElement>('tr[data-index]')?.dataset.index;
        setHeld(place === undefined ? null : Number(place));
      }}
      onBlur={() => setHeld(null)}
    >
      {withGaps(virtual, rows, columns.length, (row, place) => (
        <BodyRow
          key={rowKey(row)}
          row={row}
          columns={columns}
          isMarked={isMarked?.(row) ?? false}
          place={place}
          measure={virtual.measureElement}
        />
      ))}
      {widest.map((row, place) => (
        <tr key={`widest-${place}`} className={classes.sizing} aria-hidden="true">
          {cellsOf(row, columns)}
        </tr>
      ))}
    </tbody>
  );
}

/** The rows in sight, and empty ones as tall as those that are not. */
function withGaps<Row>(
  virtual: {
    getVirtualItems: () => { index: number; start: number; end: number }[];
    getTotalSize: () => number;
  },
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
  for (const { index, start, end } of virtual.getVirtualItems()) {
    const row = rows[index];
    if (row === undefined) continue;
    gap(start, `before-${index}`);
    parts.push(drawn(row, index));
    reached = end;
  }
  gap(virtual.getTotalSize(), 'after');
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
