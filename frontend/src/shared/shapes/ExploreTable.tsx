import { Pagination, SegmentedControl, TextInput } from '@mantine/core';

import { format } from '@/shared/format/format';
import { Icon } from '@/shared/ui/icons';

import { DataTable, type Column } from './DataTable';
import classes from './DataTable.module.css';
import { PAGE_SIZE, sortFrom, sortToText, view, type SortValue, type TextState } from './tableState';

interface ExploreTableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  text: (row: Row) => string;
  /** What a column is sorted by; a column without one cannot be sorted. */
  values: Record<string, (row: Row) => SortValue>;
  state: TextState;
  onState: (change: TextState) => void;
  isMarked?: (row: Row) => boolean;
  /** The few rows that matter and all of them. */
  focus?: { label: string; all: string; has: (row: Row) => boolean };
}

/** A table of rows that are all here: search, sort and page, with the way of looking kept by the caller. */
export function ExploreTable<Row>(props: ExploreTableProps<Row>) {
  const { caption, columns, rows, rowKey, text, values, state, onState, isMarked, focus } = props;
  const focused = focus ? rows.filter((row) => focus.has(row)) : [];
  const onlyFocus = focus !== undefined && (state.show ?? (focused.length > 0 ? 'focus' : 'all')) === 'focus';
  const seen = view(onlyFocus ? focused : rows, state, { text, values });
  const first = (seen.page - 1) * PAGE_SIZE;
  return (
    <>
      <div className={classes.tools}>
        {focus && (
          <SegmentedControl
            aria-label={`Which rows of: ${caption}`}
            value={onlyFocus ? 'focus' : 'all'}
            onChange={(show) => onState({ show, page: undefined })}
            data={[
              { value: 'focus', label: `${focus.label} (${format.integer(focused.length)})` },
              { value: 'all', label: `${focus.all} (${format.integer(rows.length)})` },
            ]}
          />
        )}
        <TextInput
          aria-label={`Search: ${caption}`}
          placeholder="Search"
          leftSection={<Icon name="search" size={15} />}
          value={state.q ?? ''}
          onChange={(event) => onState({ q: event.currentTarget.value || undefined, page: undefined })}
          style={{ flex: '1 1 160px', maxWidth: 280 }}
        />
      </div>
      <DataTable
        caption={caption}
        columns={columns}
        rows={seen.rows}
        rowKey={rowKey}
        sort={sortFrom(state.sort)}
        sortable={new Set(Object.keys(values))}
        onSort={(sort) => onState({ sort: sortToText(sort), page: undefined })}
        isMarked={isMarked}
        none={state.q ? `Nothing matches “${state.q}”.` : undefined}
      />
      <div className={classes.foot}>
        <span className="tabular" role="status">
          {seen.total > 0
            ? `${format.integer(first + 1)}–${format.integer(first + seen.rows.length)} of ${format.integer(seen.total)}`
            : '0 rows'}
        </span>
        {seen.pages > 1 && (
          <Pagination
            size="sm"
            total={seen.pages}
            value={seen.page}
            onChange={(page) => onState({ page: page > 1 ? String(page) : undefined })}
            getControlProps={(control) => ({ 'aria-label': `${humanControl[control]} page` })}
            getItemProps={(page) => ({ 'aria-label': `Page ${page}` })}
          />
        )}
      </div>
    </>
  );
}

const humanControl = { first: 'First', previous: 'Previous', next: 'Next', last: 'Last' } as const;
