import { Button, Checkbox, Skeleton } from '@mantine/core';
import { Suspense, useId } from 'react';

import type { Verdict } from '@/shared/api/gen/model';
import { format } from '@/shared/format/format';
import type { SpendItem } from '@/shared/insights/types';
import { SeverityBadge } from '@/shared/ui/Badges';
import { Icon } from '@/shared/ui/icons';
import { lazyPart } from '@/shared/ui/lazyPart';
import { Notice } from '@/shared/ui/Notice';

import { SnoozeButton } from '../items/SnoozeForm';
import { STATE_WORDS, stateOf, whyBack, type State } from '../items/states';
import { Waiting } from '../items/Waiting';
import type { Draft } from './draft';
import { Evidence } from './Evidence';
import classes from './Queue.module.css';
import { StateBadge } from './StateBadge';

const ReviewForm = lazyPart(() => import('./ReviewForm'), 'ReviewForm');

interface QueueItemProps {
  item: SpendItem;
  /** All that are here: the payments it was matched with may be among them. */
  others: readonly SpendItem[];
  /** It stays in sight only because it was just reviewed. */
  settled: boolean;
  expanded: boolean;
  onExpand: (expanded: boolean) => void;
  onFind: (id: string) => void;
  selected: boolean;
  onSelect: (selected: boolean) => void;
  onAcknowledge: () => void;
  onTakeBack: () => void;
  onSnooze: (until: string | null, note: string) => void;
  busy: boolean;
  draft: Draft;
  onDraft: (draft: Draft) => void;
  saving: boolean;
  problem: unknown;
  onSave: (verdict: Verdict, note: string) => void;
}

/** Nothing that was found out stands in the way. */
const OPEN: readonly State[] = ['open', 'snoozed'];

export function QueueItem(props: QueueItemProps) {
  const { item, expanded, onExpand, settled, selected, onSelect } = props;
  const id = useId();
  const state = stateOf(item);
  return (
    <li className={`${classes.item} ${settled ? classes.settled : ''}`}>
      <div className={classes.pick}>
        {state === 'open' && (
          <Checkbox
            aria-label={`Select ${item.txn_id}`}
            checked={selected}
            onChange={(event) => onSelect(event.currentTarget.checked)}
          />
        )}
      </div>
      <div className={classes.body}>
        <div className={classes.head}>
          <h3 className={classes.name} id={`${id}-name`}>
            {item.vendor ?? 'No vendor'}
          </h3>
          <span className={classes.amount}>{format.money(item.amount, item.currency)}</span>
        </div>
        <div className={classes.facts}>
          <SeverityBadge severity={item.severity} />
          <StateBadge state={whyBack(item) === '' ? state : 'reopened'} />
          <span>
            {[
              item.txn_id,
              format.date(item.date),
              item.category ?? 'No category',
              `score ${format.integer(item.score)}`,
            ].join(' · ')}
          </span>
        </div>
        <ul className={classes.reasons}>
          {item.reasons.map((reason) => (
            <li key={reason.code}>{reason.message}</li>
          ))}
        </ul>
        <LastReview item={item} />
        <Waiting snooze={item.snooze} />
        <div className={classes.actions}>
          <Button
            size="xs"
            variant="default"
            aria-expanded={expanded}
            aria-controls={`${id}-more`}
            aria-describedby={`${id}-name`}
            rightSection={<Icon name={expanded ? 'up' : 'down'} size={13} />}
            onClick={() => onExpand(!expanded)}
          >
            {OPEN.includes(state) ? 'Evidence and review' : 'Evidence and change'}
          </Button>
          {OPEN.includes(state) ? (
            <Button
              size="xs"
              variant="light"
              aria-describedby={`${id}-name`}
              disabled={props.busy}
              onClick={props.onAcknowledge}
            >
              Acknowledge
            </Button>
          ) : (
            <Button
              size="xs"
              variant="subtle"
              aria-describedby={`${id}-name`}
              disabled={props.busy}
              onClick={props.onTakeBack}
            >
              Take back
            </Button>
          )}
          {[...OPEN, 'acknowledged'].includes(state) && (
            <SnoozeButton name={item.txn_id} item={item} disabled={props.busy} onSnooze={props.onSnooze} />
          )}
        </div>
        <div id={`${id}-more`} hidden={!expanded}>
          {expanded && (
            <div className={classes.more}>
              <Evidence item={item} others={props.others} onFind={props.onFind} />
              <Suspense fallback={<Skeleton height={392} />}>
                <ReviewForm
                  key={item.review?.id ?? ''}
                  item={item}
                  draft={props.draft}
                  onDraft={props.onDraft}
                  saving={props.saving}
                  problem={props.problem}
                  onSave={props.onSave}
                />
              </Suspense>
            </div>
          )}
        </div>
      </div>
    </li>
  );
}

/** Who said what and when; and why it holds no more, where it does not. */
function LastReview({ item: { review } }: { item: SpendItem }) {
  if (!review) return null;
  const who = (
    <>
      {STATE_WORDS[review.verdict]} by {review.reviewed_by},{' '}
      <time dateTime={review.reviewed_at} title={format.dateTime(review.reviewed_at)}>
        {format.ago(review.reviewed_at)}
      </time>
    </>
  );
  if (review.reopened === '') {
    return (
      <p className={classes.review}>
        {who}
        {review.note && <>: “{review.note}”</>}
      </p>
    );
  }
  return (
    <div className={classes.outcome}>
      <Notice tone="warning" title="Open again: it has changed since it was reviewed">
        <div>{review.reopened}</div>
        <div>
          Before: {who}
          {review.note && <>, “{review.note}”</>}
        </div>
      </Notice>
    </div>
  );
}
