import { Skeleton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Suspense, useDeferredValue, useMemo } from 'react';

import { ExportMenu } from '@/shared/export/ExportMenu';
import { sheetOf } from '@/shared/export/sheet';
import type { DeadStock, StockClass, StockItem, StockSupplier } from '@/shared/insights/types';
import table from '@/shared/shapes/DataTable.module.css';
import { view } from '@/shared/shapes/tableState';
import { EmptyState } from '@/shared/ui/EmptyState';
import { lazyPart } from '@/shared/ui/lazyPart';

import { listIn, type InsightViewProps } from '../view';
import { AllThatMatch } from './items/AllThatMatch';
import { Outcome } from './items/Outcome';
import { allItems, useItems } from './items/useItems';
import { useStatements } from './items/useStatements';
import { columnsFor } from './stockout/columns';
import { DraftNotice } from './stockout/DraftNotice';
import {
  filtersOf,
  ITEM_COLUMNS,
  linesOf,
  narrowedBy,
  ORDER_COLUMNS,
  orderOf,
  VALUES,
  whatIfFrom,
  type Line,
} from './stockout/lines';
import { OrderList } from './stockout/OrderList';
import { basisOf } from './stockout/replan';
import { useDraft } from './stockout/useDraft';
import { WhatIfPanel } from './stockout/WhatIfPanel';

// Below a long table, so it comes after it.
const Sections = lazyPart(() => import('./stockout/Sections'), 'Sections');

const NOUNS = ['item', 'items'] as const;
const TYPING = 250;

/** What will run out, and what to order: the planner's list, with room for their own figures and for what-ifs. */
export function StockoutRiskView({ insight, department, state, onState }: InsightViewProps) {
  const head = listIn<StockItem>(insight.data, 'items');
  const draft = useDraft(department, insight.id);
  const statements = useStatements<StockItem>(insight);
  const basis = useMemo(() => basisOf(insight), [insight]);
  const asked = useMemo(() => (basis ? whatIfFrom(state, basis) : null), [state, basis]);
  // Thousands of items take a moment: the sliders do not wait for them.
  const whatIf = useDeferredValue(asked);
  const imagined = useMemo(() => (basis && whatIf ? { basis, whatIf } : null), [basis, whatIf]);
  const [q] = useDebouncedValue(state.q, TYPING);
  const onlyRisks = (state.show ?? (head.some((item) => item.at_risk) ? 'focus' : 'all')) === 'focus';
  const filters = filtersOf({ ...state, q }, { atRisk: onlyRisks && !imagined });
  // The API knows one order, and imagines nothing: for another all that match are to be here.
  const all = useItems<StockItem>(insight.id, filters, imagined || state.sort ? Infinity : 0);
  const { quantities, order } = draft;
  const now = useMemo(() => linesOf(all.items, quantities, null), [all.items, quantities]);
  const then = useMemo(
    () => (imagined ? linesOf(all.items, quantities, imagined) : now),
    [all.items, quantities, imagined, now],
  );
  const shownOf = (lines: readonly Line[]) =>
    view(
      imagined && onlyRisks ? lines.filter(({ figures }) => figures.at_risk) : lines,
      { sort: state.sort },
      { text: () => '', values: VALUES },
    );
  const { mutate } = statements.quick;
  const columns = useMemo(
    () =>
      columnsFor({ order, snooze: (item, until, note) => mutate({ items: [item], act: { until, note } }) }),
    [order, mutate],
  );
  if (head.length === 0) {
    return (
      <EmptyState icon="box" title="No items yet">
        Upload an inventory snapshot, and the items that may run out appear here.
      </EmptyState>
    );
  }
  const named = imagined ? '-what-if' : '';
  const isEdited = Object.keys(quantities).length > 0;
  const linesFor = async (wanted: typeof filters) =>
    linesOf(await allItems<StockItem>(insight.id, wanted), quantities, imagined);
  return (
    <>
      {basis && <WhatIfPanel basis={basis} whatIf={asked} now={now} then={then} onState={onState} />}
      <OrderList
        insight={insight}
        caption={
          imagined ? 'What-if: items and their risk of running out' : 'Items and their risk of running out'
        }
        columns={columns}
        lines={shownOf(then)}
        all={all}
        onlyRisks={onlyRisks}
        state={state}
        onState={(change) => {
          statements.clear();
          onState(change);
        }}
        outcome={
          <>
            <DraftNotice draft={draft} />
            <Outcome
              statements={statements}
              nameOf={(item) => `${item.sku}, ${item.warehouse_id}`}
              nouns={NOUNS}
            />
          </>
        }
        tools={
          <>
            <AllThatMatch
              kinds={['snooze', 'wake']}
              filters={filters}
              counts={all.counts}
              statements={statements}
              nouns={NOUNS}
            />
            <ExportMenu
              label="Order sheet"
              rows={insight.items_total ?? head.length}
              what={`All to order that match${isEdited ? ', with your edits' : ''}; what is snoozed is left out`}
              sheet={async () => sheetOf('Order', ORDER_COLUMNS, orderOf(await linesFor(narrowedBy(state))))}
              name={[department, isEdited ? `order${named}-edited` : `order${named}`]}
            />
            <div className={table.export}>
              <ExportMenu
                rows={all.total}
                sheet={async () => sheetOf('Stock-out risk', ITEM_COLUMNS, shownOf(await linesFor(filters)))}
                name={[department, `stockout_risk${named}`]}
              />
            </div>
          </>
        }
      />
      <Suspense fallback={<Skeleton height={320} mt="xl" />}>
        <Sections
          suppliers={insight.data.suppliers as StockSupplier[] | undefined}
          stockClasses={insight.data.classes as StockClass[] | undefined}
          dead={insight.data.dead_stock as DeadStock | undefined}
        />
      </Suspense>
    </>
  );
}
