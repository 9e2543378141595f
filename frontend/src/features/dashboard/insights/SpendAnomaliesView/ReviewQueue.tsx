import { Button, Checkbox, Group, Pagination } from '@mantine/core';
import { useState } from 'react';

import { format, plural } from '@/shared/format/format';
import type { SpendItem } from '@/shared/insights/types';
import { MORE } from '@/shared/shapes/ExploreTable';
import type { TextState } from '@/shared/shapes/tableState';
import { EmptyState } from '@/shared/ui/EmptyState';
import { Notice } from '@/shared/ui/Notice';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import type { Ranking } from '../useAllItems';
import { isWanted, PAGE_SIZE, seen, STATE_WORDS, stateOf, wantedIn } from './queue';
import { QueueFilters } from './QueueFilters';
import { QueueItem } from './QueueItem';
import classes from './Queue.module.css';
import { NO_DRAFT, type Draft } from './ReviewForm';
import { MOST_AT_ONCE, useReviews, type Reviews } from './useReviews';

interface ReviewQueueProps {
  insightId: string;
  all: Ranking<SpendItem[]>;
  state: TextState;
  onState: (change: TextState) => void;
}

/** The payments to look at, one by one or several at once; who looked, and what came of it. */
export function ReviewQueue({ insightId, all, state, onState }: ReviewQueueProps) {
  const { items } = all;
  const reviews = useReviews(insightId);
  const [kept, setKept] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [drafts, setDrafts] = useState<ReadonlyMap<string, Draft>>(new Map());
  const wanted = wantedIn(state, items);
  const page = seen(items, wanted, state, kept);
  const look = (change: TextState) => {
    setKept(new Set());
    setChosen(new Set());
    onState({ page: undefined, item: undefined, ...change });
  };
  const keep = (some: readonly SpendItem[]) =>
    setKept(new Set([...kept, ...some.map((item) => item.txn_id)]));
  const selectable = page.rows.filter((item) => stateOf(item) === 'open');
  const selected = selectable.filter((item) => chosen.has(item.txn_id));
  const acknowledge = (some: readonly SpendItem[]) => {
    keep(some);
    reviews.quick.mutate({ items: some, verdict: 'acknowledged', note: '' });
  };
  return (
    <>
      <QueueFilters items={items} wanted={wanted} state={state} onState={look} />
      <Outcome reviews={reviews} />
      {selectable.length > 0 && (
        <Group justify="space-between" gap="xs" mb="sm" className={classes.bulk}>
          <Checkbox
            label={`Select the ${plural(selectable.length, 'open one', 'open ones')} on this page`}
            checked={selected.length === selectable.length}
            indeterminate={selected.length > 0 && selected.length < selectable.length}
            onChange={(event) =>
              setChosen(new Set(event.currentTarget.checked ? selectable.map((item) => item.txn_id) : []))
            }
          />
          <Button
            size="xs"
            disabled={selected.length === 0 || selected.length > MOST_AT_ONCE}
            loading={reviews.quick.isPending}
            onClick={() => {
              setChosen(new Set());
              acknowledge(selected);
            }}
          >
            {selected.length > 0 ? `Acknowledge ${format.integer(selected.length)}` : 'Acknowledge selected'}
          </Button>
        </Group>
      )}
      {page.rows.length === 0 ? (
        <Nothing searched={wanted.search !== ''} onAll={() => look({ state: 'any', show: 'all' })} />
      ) : (
        <ul className={classes.list} aria-label="Payments in order of strangeness">
          {page.rows.map((item) => (
            <QueueItem
              key={item.txn_id}
              item={item}
              others={items}
              settled={!isWanted(item, wanted)}
              expanded={state.item === item.txn_id}
              onExpand={(expanded) => onState({ item: expanded ? item.txn_id : undefined })}
              onFind={(id) =>
                look({ q: id, state: 'any', show: 'all', severity: undefined, reason: undefined, item: id })
              }
              selected={chosen.has(item.txn_id)}
              onSelect={(on) => {
                const next = new Set(chosen);
                if (on) next.add(item.txn_id);
                else next.delete(item.txn_id);
                setChosen(next);
              }}
              onAcknowledge={() => acknowledge([item])}
              onTakeBack={() => {
                keep([item]);
                reviews.quick.mutate({ items: [item], verdict: 'open', note: '' });
              }}
              busy={reviews.quick.isPending}
              draft={drafts.get(item.txn_id) ?? NO_DRAFT}
              onDraft={(draft) => setDrafts(new Map(drafts).set(item.txn_id, draft))}
              saving={reviews.careful.isPending && reviews.careful.variables.items[0]?.txn_id === item.txn_id}
              problem={
                reviews.careful.variables?.items[0]?.txn_id === item.txn_id ? reviews.careful.error : null
              }
              onSave={(verdict, note) => {
                keep([item]);
                reviews.careful.mutate(
                  { items: [item], verdict, note },
                  {
                    onSuccess: () =>
                      setDrafts((now) => new Map([...now].filter(([id]) => id !== item.txn_id))),
                  },
                );
              }}
            />
          ))}
        </ul>
      )}
      <div className={classes.foot}>
        <span className="tabular" role="status">
          {page.total > 0 &&
            `${format.integer((page.page - 1) * PAGE_SIZE + 1)}–${format.integer((page.page - 1) * PAGE_SIZE + page.rows.length)} of ${format.integer(page.total)}`}
        </span>
        {page.pages > 1 && (
          <Pagination
            size="sm"
            total={page.pages}
            value={page.page}
            onChange={(next) => {
              setChosen(new Set());
              onState({ page: String(next), item: undefined });
            }}
            getControlProps={(control) => ({ 'aria-label': `${CONTROLS[control]} page` })}
            getItemProps={(number) => ({ 'aria-label': `Page ${number}` })}
          />
        )}
      </div>
      <TheRest all={all} />
    </>
  );
}

const CONTROLS = { first: 'First', previous: 'Previous', next: 'Next', last: 'Last' } as const;

/** What was just done, with a way back; or why it was not done. */
function Outcome({ reviews }: { reviews: Reviews }) {
  const { quick, undo, done } = reviews;
  const error = undo.error ?? quick.error;
  if (error) {
    return (
      <div className={classes.outcome}>
        <ProblemNotice error={error} />
      </div>
    );
  }
  if (!done) return null;
  const [one] = done.items;
  const what = done.items.length === 1 && one ? one.txn_id : plural(done.items.length, 'payment', 'payments');
  const word = STATE_WORDS[done.verdict].toLowerCase();
  return (
    <div className={classes.outcome}>
      <Notice
        tone="good"
        title={done.verdict === 'open' ? `${what}: open again` : `${what}: ${word}`}
        actions={
          // What was taken back is in the item's hands again; what was said can be unsaid from here.
          done.verdict !== 'open' && (
            <Button size="xs" variant="default" loading={undo.isPending} onClick={() => undo.mutate(done)}>
              Undo
            </Button>
          )
        }
      />
    </div>
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

/** A long ranking comes in pieces, and the figures speak of what is here: both are said. */
function TheRest({ all: { items, total, more } }: { all: ReviewQueueProps['all'] }) {
  const missing = total - items.length;
  if (missing <= 0) return null;
  return (
    <div className={classes.outcome}>
      {more.error ? (
        <ProblemNotice error={more.error} onRetry={() => void more.fetchNextPage()} />
      ) : (
        <Notice
          tone="info"
          title={`The strangest ${format.integer(items.length)} of ${format.integer(total)} listed payments are here`}
          actions={
            <Button
              size="xs"
              variant="default"
              loading={more.isFetching}
              onClick={() => void more.fetchNextPage()}
            >
              Load the next {format.integer(Math.min(MORE, missing))}
            </Button>
          }
        >
          The figures above, the filters and the search speak of these.
        </Notice>
      )}
    </div>
  );
}
