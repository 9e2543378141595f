import { VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';

import { Icon } from '@/shared/ui/icons';

import classes from './DataTable.module.css';

export interface Column<Row> {
  key: string;
  header: string;
  render: (row: Row) => ReactNode;
  align?: 'right';
  /** A column of sentences: it may take more room. */
  wide?: boolean;
  /** Names the row: read out with every cell. */
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
}

/** Rows and columns; scrolls inside its own frame, so that the page never scrolls sideways. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, rowKey, sort, sortable, onSort, isMarked, none } = props;
  return (
    <div className={classes.frame}>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label={caption}>
        <table className={classes.table}>
          <VisuallyHidden component="caption">{caption}</VisuallyHidden>
          <thead>
            <tr>
              {columns.map((column) => {
                const active = sort?.key === column.key;
                return (
                  <th
                    key={column.key}
                    scope="col"
                    className={column.align === 'right' ? classes.right : undefined}
                    aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : undefined}
                  >
                    {onSort && sortable?.has(column.key) ? (
                      <button
                        type="button"
                        className={classes.sort}
                        onClick={() =>
                          onSort({ key: column.key, descending: active ? !sort.descending : false })
                        }
                      >
                        {column.header}
                        {active && (
                          <Icon name={sort.descending ? 'down' : 'up'} size={13} strokeWidth={2.6} />
                        )}
                      </button>
                    ) : (
                      column.header
                    )}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={rowKey(row)} className={isMarked?.(row) ? classes.marked : undefined}>
                {columns.map((column) => {
                  const look = [column.align === 'right' && classes.right, column.wide && classes.wide]
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
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <div className={classes.none}>{none ?? 'Nothing to show.'}</div>}
    </div>
  );
}
