import { Button, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';

import { ExportMenu } from '@/shared/export/ExportMenu';
import { flattened, sheetOf, type ExportColumn } from '@/shared/export/sheet';
import { format, plural } from '@/shared/format/format';
import { Icon } from '@/shared/ui/icons';

import { DataTable, type Column } from './DataTable';
import classes from './DataTable.module.css';
import {
  choicesOf,
  sortFrom,
  sortToText,
  view,
  type Facet,
  type SortValue,
  type TextState,
} from './tableState';

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
  isMarked?: (row: Row) => boolean;
  /** The few rows that matter and all of them. */
  focus?: { label: string; all: string; has: (row: Row) => boolean };
  /** Columns whose values the reader can choose among. */
  facets?: readonly Facet<Row>[];
  /** What goes into a file; every field of the rows where nothing is said. */
  exported?: readonly ExportColumn<Row>[];
  /** What the file is called, between the department and the day; the caption where nothing is said. */
  exportName?: string;
  /** More ways to look or to act, beside the search. */
  tools?: ReactNode;
  /** Rows that are not here yet. `total`: with those that are. */
  rest?: { total: number; loading: boolean; onMore: () => void };
}

/** A table of rows that are all here: search, filter, sort and export, with the way of looking kept by the caller. */
export function ExploreTable<Row extends object>(props: ExploreTableProps<Row>) {
  const { caption, columns, rows, rowKey, text, values, state, onState, isMarked, focus, facets } = props;
  const { department } = useParams({ strict: false });
  const focused = useMemo(() => (focus ? rows.filter(focus.has) : []), [rows, focus]);
  const onlyFocus = focus !== undefined && (state.show ?? (focused.length > 0 ? 'focus' : 'all')) === 'focus';
  const among = onlyFocus ? focused : rows;
  const seen = useMemo(
    () => view(among, state, { text, values, facets }),
    [among, state, text, values, facets],
  );
  const narrowed = state.q !== undefined || facets?.some(({ key }) => state[key] !== undefined);
  return (
    <>
      <div className={classes.tools}>
        {focus && (
          <SegmentedControl
            aria-label={`Which rows of: ${caption}`}
            value={onlyFocus ? 'focus' : 'all'}
            onChange={(show) => onState({ show })}
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
          onChange={(event) => onState({ q: event.currentTarget.value || undefined })}
          className={classes.search}
        />
        {facets?.map((facet) => (
          <FacetChoice key={facet.key} facet={facet} rows={rows} state={state} onState={onState} />
        ))}
        {props.tools}
        <div className={classes.export}>
          <ExportMenu
            sheet={() => (props.exported ? sheetOf(caption, props.exported, seen) : flattened(caption, seen))}
            rows={seen.length}
            name={[department, props.exportName ?? caption]}
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
        isMarked={isMarked}
        none={
          state.q ? `Nothing matches “${state.q}”.` : narrowed ? 'Nothing matches these filters.' : undefined
        }
        values={values}
        viewing={JSON.stringify([state.q, onlyFocus, facets?.map(({ key }) => state[key])])}
      />
      <div className={classes.foot}>
        <span className="tabular" role="status">
          {seen.length === rows.length
            ? plural(rows.length, 'row', 'rows')
            : `${format.integer(seen.length)} of ${plural(rows.length, 'row', 'rows')}`}
        </span>
        {props.rest && props.rest.total > rows.length && (
          <span className={classes.rest}>
            {format.integer(rows.length)} of {format.integer(props.rest.total)} are loaded, the most urgent
            first.
            <Button size="xs" variant="default" loading={props.rest.loading} onClick={props.rest.onMore}>
              Load the next {format.integer(Math.min(MORE, props.rest.total - rows.length))}
            </Button>
          </span>
        )}
      </div>
    </>
  );
}

/** Rows that the API gives at a time. */
export const MORE = 1_000;

function FacetChoice<Row extends object>({
  facet,
  rows,
  state,
  onState,
}: Pick<ExploreTableProps<Row>, 'rows' | 'state' | 'onState'> & { facet: Facet<Row> }) {
  const choices = useMemo(() => choicesOf(rows, facet), [rows, facet]);
  const chosen = state[facet.key] ?? null;
  if (choices.length < 2 && chosen === null) return null;
  return (
    <Select
      aria-label={facet.label}
      placeholder={facet.label}
      // What the address asks for stays visible even where no row has it.
      data={chosen !== null && !choices.includes(chosen) ? [chosen, ...choices] : choices}
      value={chosen}
      onChange={(value) => onState({ [facet.key]: value ?? undefined })}
      clearable
      searchable
      clearButtonProps={{ 'aria-label': `Clear: ${facet.label}` }}
      limit={200}
      className={classes.facet}
    />
  );
}
