import { VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState, type ReactNode } from 'react';

import { Icon } from '@/shared/ui/icons';

import classes from './DataTable.module.css';
import { ManyRows } from './ManyRows';
import { BodyRow, type Column } from './rows';
import type { SortValue } from './tableState';

export type { Column };

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

/** Rows and columns; scrolls inside its own frame, so that the page never scrolls sideways. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, rowKey, sort, isMarked, none, values, viewing, onEnd } = props;
  // A state, not a ref: long tables need it, and are drawn before it is there.
  const [frame, setFrame] = useState<HTMLDivElement | null>(null);
  const many = rows.length > MANY;
  const way = JSON.stringify([viewing, sort?.key, sort?.descending]);
  const shown = useRef(way);
  useEffect(() => {
    if (shown.current !== way) toTop(frame);
    shown.current = way;
  }, [frame, way]);

  return (
    <div className={classes.frame}>
      <div
        ref={setFrame}
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
          {many ? (
            <ManyRows {...{ columns, rows, rowKey, isMarked, values, frame, onEnd }} />
          ) : (
            <tbody>
              {rows.map((row) => (
                <BodyRow key={rowKey(row)} row={row} columns={columns} isMarked={isMarked?.(row) ?? false} />
              ))}
            </tbody>
          )}
        </table>
      </div>
      {rows.length === 0 && <div className={classes.none}>{none ?? 'Nothing to show.'}</div>}
    </div>
  );
}

function toTop(frame: HTMLElement | null) {
  if (frame) frame.scrollTop = 0;
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
