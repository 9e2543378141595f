import { Switch } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useDeferredValue, useMemo } from 'react';

import { ExportMenu } from '@/shared/export/ExportMenu';
import { sheetOf } from '@/shared/export/sheet';
import { format } from '@/shared/format/format';
import type { DeadStock, StockClass, StockItem, StockSupplier } from '@/shared/insights/types';
import { ExploreTable } from '@/shared/shapes/ExploreTable';
import { view } from '@/shared/shapes/tableState';
import { EmptyState } from '@/shared/ui/EmptyState';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import type { InsightViewProps } from '../view';
import { columnsFor } from './stockout/columns';
import {
  FACETS,
  ITEM_COLUMNS,
  linesOf,
  ORDER_COLUMNS,
  orderOf,
  textOf,
  VALUES,
  whatIfFrom,
  type Line,
} from './stockout/lines';
import { basisOf } from './stockout/replan';
import { Sections } from './stockout/Sections';
import { useDesk } from './stockout/useDesk';
import { WhatIfPanel } from './stockout/WhatIfPanel';
import { useAllItems } from './useAllItems';

const FOCUS = { label: 'At risk', all: 'All items', has: ({ figures }: Line) => figures.at_risk };

/** What will run out, and what to order: the planner's list, with room for their own figures and for what-ifs. */
export function StockoutRiskView({ insight, state, onState }: InsightViewProps) {
  const { department = '' } = useParams({ strict: false });
  const { items, total, more } = useAllItems<StockItem>(insight);
  const onMore = () => void more.fetchNextPage();
  const { quantities, snoozed, order, snooze } = useDesk(department, insight.id);
  const columns = useMemo(() => columnsFor({ order, snooze }), [order, snooze]);
  const basis = useMemo(() => basisOf(insight), [insight]);
  const asked = useMemo(() => (basis ? whatIfFrom(state, basis) : null), [state, basis]);
  // Thousands of items take a moment: the sliders do not wait for them.
  const whatIf = useDeferredValue(asked);
  const now = useMemo(() => linesOf(items, { quantities, snoozed }, null), [items, quantities, snoozed]);
  const lines = useMemo(
    () => (basis && whatIf ? linesOf(items, { quantities, snoozed }, { basis, whatIf }) : now),
    [items, quantities, snoozed, basis, whatIf, now],
  );
  const listed = useMemo(
    () => (state.snoozed === 'hide' ? lines.filter(({ snoozedUntil }) => snoozedUntil === null) : lines),
    [lines, state.snoozed],
  );
  if (items.length === 0) {
    return (
      <EmptyState icon="box" title="No items yet">
        Upload an inventory snapshot, and the items that may run out appear here.
      </EmptyState>
    );
  }
  const waiting = lines.filter(({ snoozedUntil }) => snoozedUntil !== null).length;
  const toOrder = orderOf(
    view(lines, { ...state, sort: undefined }, { text: textOf, values: {}, facets: FACETS }),
  );
  return (
    <>
      {basis && <WhatIfPanel basis={basis} whatIf={asked} now={now} then={lines} onState={onState} />}
      <ExploreTable
        caption={
          whatIf ? 'What-if: items and their risk of running out' : 'Items and their risk of running out'
        }
        columns={columns}
        rows={listed}
        rowKey={(line) => line.key}
        text={textOf}
        values={VALUES}
        state={state}
        onState={onState}
        isMarked={({ figures }) => figures.at_risk}
        focus={FOCUS}
        facets={FACETS}
        exported={ITEM_COLUMNS}
        exportName={whatIf ? 'stockout_risk-what-if' : 'stockout_risk'}
        rest={{ total, loading: more.isFetching, onMore }}
        tools={
          <>
            {waiting > 0 && (
              <Switch
                label={`Hide ${format.integer(waiting)} snoozed`}
                checked={state.snoozed === 'hide'}
                onChange={(event) => onState({ snoozed: event.currentTarget.checked ? 'hide' : undefined })}
              />
            )}
            <ExportMenu
              label={`Order sheet (${format.integer(toOrder.length)})`}
              sheet={() => sheetOf('Order', ORDER_COLUMNS, toOrder)}
              rows={toOrder.length}
              name={[department, whatIf ? 'order-what-if' : 'order']}
            />
          </>
        }
      />
      {more.error && <ProblemNotice error={more.error} onRetry={onMore} />}
      <Sections
        suppliers={insight.data.suppliers as StockSupplier[] | undefined}
        stockClasses={insight.data.classes as StockClass[] | undefined}
        dead={insight.data.dead_stock as DeadStock | undefined}
      />
    </>
  );
}
