import { Button, SegmentedControl, Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';

import type { InsightOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import table from '@/shared/shapes/DataTable.module.css';
import { sortFrom, sortToText, type TextState } from '@/shared/shapes/tableState';
import { SearchField } from '@/shared/ui/SearchField';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { Facets } from '../items/Facets';
import { StateChips } from '../items/StateChips';
import { statesIn } from '../items/states';
import type { Items } from '../items/useItems';
import { FACETS, STATES, VALUES, type Line } from './lines';

interface OrderListProps {
  insight: InsightOutput;
  caption: string;
  columns: Column<Line>[];
  /** Those that are here, in order. */
  lines: readonly Line[];
  all: Items<unknown>;
  onlyRisks: boolean;
  state: TextState;
  onState: (change: TextState) => void;
  tools: ReactNode;
  outcome: ReactNode;
}

const SORTABLE = new Set(Object.keys(VALUES));

/** The planner's list: what is looked at stands in the address, and the API finds it. */
export function OrderList(props: OrderListProps) {
  const { insight, caption, columns, lines, all, onlyRisks, state, onState } = props;
  const { items, at_risk: atRisk } = insight.figures;
  const label = (word: string, count: number | undefined) =>
    count === undefined ? word : `${word} (${format.integer(count)})`;
  const isNarrowed = state.q !== undefined || Object.values(FACETS).some((key) => state[key] !== undefined);
  return (
    <>
      <div className={table.tools}>
        <SegmentedControl
          aria-label={`Which rows of: ${caption}`}
          value={onlyRisks ? 'focus' : 'all'}
          onChange={(show) => onState({ show })}
          data={[
            { value: 'focus', label: label('At risk', atRisk) },
            { value: 'all', label: label('All items', items ?? insight.items_total ?? undefined) },
          ]}
        />
        <StateChips
          states={STATES}
          chosen={statesIn(state.state)}
          counts={all.counts}
          onChange={(next) => onState({ state: next })}
        />
      </div>
      <div className={table.tools}>
        <SearchField
          label={`Search: ${caption}`}
          value={state.q}
          onSearch={(q) => onState({ q })}
          className={table.search}
        />
        <Facets
          insightId={insight.id}
          keys={FACETS}
          state={state}
          onState={onState}
          className={table.facet}
        />
        {props.tools}
      </div>
      {props.outcome}
      {Boolean(all.error) && <ProblemNotice error={all.error} onRetry={all.onMore} />}
      {all.isFirst ? (
        <Skeleton height={320} radius="md" />
      ) : (
        <DataTable
          caption={caption}
          columns={columns}
          rows={lines}
          rowKey={(line) => line.key}
          sort={sortFrom(state.sort)}
          sortable={SORTABLE}
          onSort={(sort) => onState({ sort: sortToText(sort) })}
          isMarked={({ figures }) => figures.at_risk}
          none={
            state.q
              ? `Nothing matches “${state.q}”.`
              : isNarrowed
                ? 'Nothing matches these filters.'
                : 'Nothing is in these states.'
          }
          values={VALUES}
          viewing={JSON.stringify([
            state.q,
            onlyRisks,
            state.state,
            ...Object.values(FACETS).map((key) => state[key]),
          ])}
          onEnd={all.hasMore && !all.isFetching && !all.error ? all.onMore : undefined}
        />
      )}
      <div className={table.foot}>
        <span className="tabular" role="status">
          {all.hasMore
            ? `${format.integer(all.items.length)} of ${plural(all.total, 'item', 'items')} are here, the most urgent first`
            : plural(lines.length, 'item', 'items')}
        </span>
        {all.hasMore && (
          <Button size="xs" variant="default" loading={all.isFetching} onClick={all.onMore}>
            Load more
          </Button>
        )}
      </div>
    </>
  );
}
