import { memo, type ReactNode } from 'react';

import classes from './DataTable.module.css';

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
export const BodyRow = memo(PlainRow) as typeof PlainRow;

export function cellsOf<Row>(row: Row, columns: Column<Row>[]): ReactNode {
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
