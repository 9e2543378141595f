import { Skeleton } from '@mantine/core';
import { Suspense } from 'react';

import type { InsightOutput, SinceOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import type { InsightBasis } from '@/shared/insights/types';
import { Boundary } from '@/shared/ui/Boundary';
import { Icon } from '@/shared/ui/icons';
import { TextLink } from '@/shared/ui/links';
import { Panel } from '@/shared/ui/Panel';

import classes from './InsightCard.module.css';
import { viewOf } from './registry';
import { useInsightState } from './useInsightState';

interface InsightCardProps {
  insight: InsightOutput;
  department: string;
  /** What it does not hold yet. */
  stale?: string;
}

/** One insight: what it says, the drawing, and how it came about. */
export function InsightCard({ insight, department, stale }: InsightCardProps) {
  const { title, View, height } = viewOf(insight.kind);
  const [state, onState] = useInsightState(insight.kind);
  const basis = insight.basis as InsightBasis;
  const from = [
    basis.rows !== undefined && `from ${plural(basis.rows, 'row', 'rows')}`,
    basis.datasets && `of ${plural(basis.datasets.length, 'upload', 'uploads')}`,
  ].filter(Boolean);
  return (
    <Panel id={insight.kind} title={title} lead={insight.summary}>
      {stale !== undefined && (
        <p className={classes.stale}>
          <Icon name="alert" size={16} />
          {stale}
        </p>
      )}
      {insight.since && <Since since={insight.since} />}
      <Boundary key={insight.id}>
        <Suspense fallback={<Skeleton height={height} radius="md" />}>
          <View insight={insight} department={department} state={state} onState={onState} />
        </Suspense>
      </Boundary>
      <details className={classes.foot}>
        <summary>
          Computed {format.ago(insight.computed_at)} {from.join(' ')} · how
        </summary>
        <p className={classes.method}>
          {format.dateTime(insight.computed_at)}. {insight.method}
        </p>
      </details>
    </Panel>
  );
}

/** What the newest upload has changed, and against which it is meant. */
function Since({ since }: { since: SinceOutput }) {
  return (
    <p className={classes.since}>
      <Icon name="pulse" size={16} />
      <span>
        Since{' '}
        <TextLink to="/data/$dataset" params={{ dataset: since.dataset_id }} size="sm">
          {since.dataset_name}
        </TextLink>
        : {since.summary}
      </span>
    </p>
  );
}
