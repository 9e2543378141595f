import { VisuallyHidden } from '@mantine/core';
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';

import { Icon } from '@/shared/ui/icons';

import classes from './DataTable.module.css';
import type { SortValue } from './tableState';

export interface Column<Row> {
  key: string;
  header: string;
  render: (row: Row) => ReactNode;
  align?: 'right';
  /** A column of sentences: it may take more room. */
  wide?: boolean;
  /** Names the row: read out with every cell, and it stays in view while the others scroll sideways. */
  names?: boolean;
}

export interface Sort {
  key: string;
  descending: boolean;
}

interface DataTableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  sort?: Sort;
  sortable?: ReadonlySet<string>;
  onSort?: (sort: Sort) => void;
  /** A mark at the row's edge, for rows whose words say the same. */
  isMarked?: (row: Row) => boolean;
  none?: ReactNode;
  /** What the columns hold, by key: of a long table it tells beforehand how wide each will be. */
  values?: Record<string, (row: Row) => SortValue>;
  /** Another way of looking starts at the top again. */
  viewing?: string;
  /** The end of a long table comes into sight: more rows can be had. */
  onEnd?: () => void;
}

/** From here on a table scrolls inside its frame, under its header. */
const TALL = 26;
/** From here on only the rows in sight are in the page. */
const MANY = 100;
const USUAL_HEIGHT = 58;

/** Rows and columns; scrolls inside its own frame, so that the page never scrolls sideways. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, rowKey, sort, isMarked, none, values, viewing, onEnd } = props;
  const frame = useRef<HTMLDivElement>(null);
  const many = rows.length > MANY;
  // A row with the focus in it stays in the page when it is scrolled away: else the focus would be lost.
  const [held, setHeld] = useState<number | null>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler memoises this component
  const virtual = useVirtualizer({
    enabled: many,
    count: rows.length,
    getScrollElement: () => frame.current,
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
  useEffect(() => {
    if (frame.current) frame.current.scrollTop = 0;
  }, [viewing, sort?.key, sort?.descending]);
  const atEnd = many && (virtual.getVirtualItems().at(-1)?.index ?? 0) >= rows.length - 1;
  useEffect(() => {
    if (atEnd) onEnd?.();
  }, [atEnd, onEnd]);
  const widest = useMemo(() => (many ? widestOf(rows, columns, values) : []), [many, rows, columns, values]);

  const drawn = (row: Row, place: number) => (
    <BodyRow
      key={rowKey(row)}
      row={row}
      columns={columns}
      isMarked={isMarked?.(row) ?? false}
      {...(many && { place, measure: virtual.measureElement })}
    />
  );
  return (
    <div className={classes.frame}>
      <div
        ref={frame}
        className={rows.length >= TALL ? `${classes.scroll} ${classes.tall}` : classes.scroll}
        tabIndex={0}
        role="region"
        aria-label={caption}
      >
        <table className={classes.table} aria-rowcount={many ? rows.length + 1 : undefined}>
          <VisuallyHidden component="caption">{caption}</VisuallyHidden>
          <thead>
            <Headers {...props} />
          </thead>
          <tbody
            onFocus={(event) => {
              const place = event.target.closest<HTMLElement>('tr[data-index]')?.dataset.index;
              setHeld(place === undefined ? null : Number(place));
            }}
            onBlur={() => setHeld(null)}
          >
            {many ? withGaps(virtual, rows, columns.length, drawn) : rows.map(drawn)}
            {widest.map((row, place) => (
              <tr key={`widest-${place}`} className={classes.sizing} aria-hidden="true">
                {cellsOf(row, columns)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <div className={classes.none}>{none ?? 'Nothing to show.'}</div>}
    </div>
  );
}

function Headers<Row>({ columns, rows, sort, sortable, onSort }: DataTableProps<Row>) {
  return (
    <tr aria-rowindex={rows.length > MANY ? 1 : undefined}>
      {columns.map((column) => {
        const active = sort?.key === column.key;
        return (
          <th
            key={column.key}
            scope="col"
            className={[column.align === 'right' && classes.right, column.names && classes.pinned]
              .filter(Boolean)
              .join(' ')}
            aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : undefined}
          >
            {onSort && sortable?.has(column.key) ? (
              <button
                type="button"
                className={classes.sort}
                onClick={() => onSort({ key: column.key, descending: active ? !sort.descending : false })}
              >
                {column.header}
                {active && <Icon name={sort.descending ? 'down' : 'up'} size={13} strokeWidth={2.6} />}
              </button>
            ) : (
              column.header
            )}
          </th>
        );
      })}
    </tr>
  );
}

interface BodyRowProps<Row> {
  row: Row;
  columns: Column<Row>[];
  isMarked: boolean;
  /** In a table of which only a part is in the page. */
  place?: number;
  measure?: (row: HTMLTableRowElement | null) => void;
}

function PlainRow<Row>({ row, columns, isMarked, place, measure }: BodyRowProps<Row>) {
  return (
    <tr
      ref={measure}
      className={isMarked ? classes.marked : undefined}
      data-index={place}
      aria-rowindex={place === undefined ? undefined : place + 2}
    >
      {cellsOf(row, columns)}
    </tr>
  );
}

/** While a table is scrolled, the rows that stay in sight are not drawn again. */
const BodyRow = memo(PlainRow) as typeof PlainRow;

function cellsOf<Row>(row: Row, columns: Column<Row>[]): ReactNode {
  return columns.map((column) => {
    const look = [
      column.align === 'right' && classes.right,
      column.wide && classes.wide,
      column.names && classes.pinned,
    ]
      .filter(Boolean)
      .join(' ');
    return column.names ? (
      <th key={column.key} scope="row" className={look}>
        {column.render(row)}
      </th>
    ) : (
      <td key={column.key} className={look}>
        {column.render(row)}
      </td>
    );
  });
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
  values: DataTableProps<Row>['values'] = {},
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
