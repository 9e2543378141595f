import { Button, Checkbox, Group, Skeleton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Suspense, useMemo, useState } from 'react';

import type { InsightOutput } from '@/shared/api/gen/model';
import { ExportMenu } from '@/shared/export/ExportMenu';
import { flattened } from '@/shared/export/sheet';
import { format, plural } from '@/shared/format/format';
import type { SpendItem } from '@/shared/insights/types';
import type { TextState } from '@/shared/shapes/tableState';
import { EmptyState } from '@/shared/ui/EmptyState';
import { lazyPart } from '@/shared/ui/lazyPart';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { AllThatMatch } from '../items/AllThatMatch';
import { Outcome } from '../items/Outcome';
import { isIn, stateOf } from '../items/states';
import { allItems, useItems } from '../items/useItems';
import { useStatements, type Act } from '../items/useStatements';
import { NO_DRAFT, type Draft } from './draft';
import { filtersOf, PAGE_SIZE, pageOf, sorted, wantedIn } from './queue';
import { QueueFilters } from './QueueFilters';
import { QueueItem } from './QueueItem';
import classes from './Queue.module.css';

const Pager = lazyPart(() => import('./Pager'), 'Pager');

interface ReviewQueueProps {
  insight: InsightOutput;
  department: string;
  /** The strangest of all, whatever is looked at: payments are matched with these. */
  head: readonly SpendItem[];
  state: TextState;
  onState: (change: TextState) => void;
}

const NOUNS = ['payment', 'payments'] as const;
const TYPING = 250;

/** The payments to look at, one by one or all that match; who looked, and what came of it. */
export function ReviewQueue({ insight, department, head, state, onState }: ReviewQueueProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [drafts, setDrafts] = useState<ReadonlyMap<string, Draft>>(new Map());
  const statements = useStatements<SpendItem>(insight);
  const { quick, careful } = statements;
  const [q] = useDebouncedValue(state.q, TYPING);
  const wanted = wantedIn(state, head);
  const filters = filtersOf(wanted, { ...state, q });
  // Only those that come strangest first are known page by page.
  const least = wanted.sort === 'strange' ? (Number(state.page) || 1) * PAGE_SIZE : Infinity;
  const all = useItems<SpendItem>(insight.id, filters, least);
  const ordered = useMemo(() => sorted(all.items, wanted.sort), [all.items, wanted.sort]);
  const page = pageOf(ordered, all.total, state);
  const look = (change: TextState) => {
    setChosen(new Set());
    statements.clear();
    onState({ page: undefined, item: undefined, ...change });
  };
  const say = (items: readonly SpendItem[], act: Act) => quick.mutate({ items, act });
  const selectable = page.rows.filter((item) => stateOf(item) === 'open');
  const selected = selectable.filter((item) => chosen.has(item.txn_id));
  const isWaiting = page.rows.length === 0 && all.isFetching;
  return (
    <>
      <QueueFilters insight={insight} counts={all.counts} wanted={wanted} state={state} onState={look} />
      <Outcome statements={statements} nameOf={(item) => item.txn_id} nouns={NOUNS} />
      <Group justify="space-between" gap="xs" mb="sm" className={classes.bulk}>
        <Checkbox
          label={`Select the ${plural(selectable.length, 'open one', 'open ones')} on this page`}
          disabled={selectable.length === 0}
          checked={selectable.length > 0 && selected.length === selectable.length}
          indeterminate={selected.length > 0 && selected.length < selectable.length}
          onChange={(event) =>
            setChosen(new Set(event.currentTarget.checked ? selectable.map((item) => item.txn_id) : []))
          }
        />
        <Group gap="xs">
          <Button
            size="xs"
            disabled={selected.length === 0}
            loading={quick.isPending}
            onClick={() => {
              setChosen(new Set());
              say(selected, { verdict: 'acknowledged', note: '' });
            }}
          >
            {selected.length > 0 ? `Acknowledge ${format.integer(selected.length)}` : 'Acknowledge selected'}
          </Button>
          <AllThatMatch
            kinds={['acknowledge', 'snooze', 'wake']}
            filters={filters}
            counts={all.counts}
            statements={statements}
            nouns={NOUNS}
          />
          <ExportMenu
            rows={all.total}
            name={[department, 'spend_anomalies']}
            sheet={async () => flattened('Payments', await allItems<SpendItem>(insight.id, filters))}
          />
        </Group>
      </Group>
      {Boolean(all.error) && <ProblemNotice error={all.error} onRetry={all.onMore} />}
      {isWaiting && <Skeleton height={240} radius="md" />}
      {page.rows.length === 0 && !isWaiting && !all.error && (
        <Nothing
          searched={filters.q !== undefined}
          onAll={() => look({ state: 'any', show: 'all', q: undefined })}
        />
      )}
      {page.rows.length > 0 && (
        <ul className={classes.list} aria-label="Payments in order of strangeness">
          {page.rows.map((item) => (
            <QueueItem
              key={item.txn_id}
              item={item}
              others={head}
              settled={!isIn(item, wanted.states)}
              expanded={state.item === item.txn_id}
              onExpand={(expanded) => onState({ item: expanded ? item.txn_id : undefined })}
              onFind={(id) =>
                look({
                  q: id,
                  state: 'any',
                  show: 'all',
                  severity: undefined,
                  reason: undefined,
                  category: undefined,
                  vendor: undefined,
                  item: id,
                })
              }
              selected={chosen.has(item.txn_id)}
              onSelect={(on) => {
                const next = new Set(chosen);
                if (on) next.add(item.txn_id);
                else next.delete(item.txn_id);
                setChosen(next);
              }}
              onAcknowledge={() => say([item], { verdict: 'acknowledged', note: '' })}
              onTakeBack={() => say([item], { verdict: 'open', note: '' })}
              onSnooze={(until, note) => say([item], { until, note })}
              busy={quick.isPending}
              draft={drafts.get(item.txn_id) ?? NO_DRAFT}
              onDraft={(draft) => setDrafts(new Map(drafts).set(item.txn_id, draft))}
              saving={careful.isPending && careful.variables.items[0]?.txn_id === item.txn_id}
              problem={careful.variables?.items[0]?.txn_id === item.txn_id ? careful.error : null}
              onSave={(verdict, note) =>
                careful.mutate(
                  { items: [item], act: { verdict, note } },
                  {
                    onSuccess: () =>
                      setDrafts((now) => new Map([...now].filter(([id]) => id !== item.txn_id))),
                  },
                )
              }
            />
          ))}
        </ul>
      )}
      <div className={classes.foot}>
        <span className="tabular" role="status">
          {page.rows.length > 0 &&
            `${format.integer((page.page - 1) * PAGE_SIZE + 1)}–${format.integer((page.page - 1) * PAGE_SIZE + page.rows.length)} of ${format.integer(all.total)}`}
          {least === Infinity && all.hasMore && `, ${format.integer(all.items.length)} sorted so far`}
        </span>
        {page.pages > 1 && (
          <Suspense fallback={<Skeleton width={190} height={26} />}>
            <Pager
              pages={page.pages}
              page={page.page}
              onPage={(next) => {
                setChosen(new Set());
                onState({ page: String(next), item: undefined });
              }}
            />
          </Suspense>
        )}
      </div>
    </>
  );
}

function Nothing({ searched, onAll }: { searched: boolean; onAll: () => void }) {
  return (
    <EmptyState
      icon={searched ? 'search' : 'check'}
      title={searched ? 'No payment matches' : 'Nothing waits here'}
      action={
        <Button variant="default" size="xs" onClick={onAll}>
          Show all that are listed
        </Button>
      }
    >
      {searched ? 'Try other words, or fewer filters.' : 'All payments of this kind have been looked at.'}
    </EmptyState>
  );
}
