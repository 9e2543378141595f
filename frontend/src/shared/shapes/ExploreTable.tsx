import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';

import { ExportMenu } from '@/shared/export/ExportMenu';
import { flattened, sheetOf, type ExportColumn } from '@/shared/export/sheet';
import { format, plural } from '@/shared/format/format';
import { SearchField } from '@/shared/ui/SearchField';

import { DataTable, type Column } from './DataTable';
import classes from './DataTable.module.css';
import { sortFrom, sortToText, view, type SortValue, type TextState } from './tableState';

interface ExploreTableProps<Row extends object> {
  caption: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  text: (row: Row) => string;
  /** What a column is sorted by; a column without one cannot be sorted. */
  values: Record<string, (row: Row) => SortValue>;
  state: TextState;
  onState: (change: TextState) => void;
  /** What goes into a file; every field of the rows where nothing is said. */
  exported?: readonly ExportColumn<Row>[];
}

/** A table of rows that are all here: search, filter, sort and export, with the way of looking kept by the caller. */
export function ExploreTable<Row extends object>(props: ExploreTableProps<Row>) {
  const { caption, columns, rows, rowKey, text, values, state, onState } = props;
  const { department } = useParams({ strict: false });
  const seen = useMemo(() => view(rows, state, { text, values }), [rows, state, text, values]);
  return (
    <>
      <div className={classes.tools}>
        <SearchField
          label={`Search: ${caption}`}
          value={state.q}
          onSearch={(q) => onState({ q })}
          className={classes.search}
        />
        <div className={classes.export}>
          <ExportMenu
            sheet={() => (props.exported ? sheetOf(caption, props.exported, seen) : flattened(caption, seen))}
            rows={seen.length}
            name={[department, caption]}
          />
        </div>
      </div>
      <DataTable
        caption={caption}
        columns={columns}
        rows={seen}
        rowKey={rowKey}
        sort={sortFrom(state.sort)}
        sortable={new Set(Object.keys(values))}
        onSort={(sort) => onState({ sort: sortToText(sort) })}
        none={state.q ? `Nothing matches “${state.q}”.` : undefined}
        values={values}
        viewing={state.q}
      />
      <div className={classes.foot}>
        <span className="tabular" role="status">
          {seen.length === rows.length
            ? plural(rows.length, 'row', 'rows')
            : `${format.integer(seen.length)} of ${plural(rows.length, 'row', 'rows')}`}
        </span>
      </div>
    </>
  );
}
