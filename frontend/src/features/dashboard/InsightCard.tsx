import type { InsightOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import type { InsightBasis } from '@/shared/insights/types';
import { Boundary } from '@/shared/ui/Boundary';
import { Panel } from '@/shared/ui/Panel';

import classes from './InsightCard.module.css';
import { viewOf } from './registry';
import { useInsightState } from './useInsightState';

/** One insight: what it says, the drawing, and how it came about. */
export function InsightCard({ insight }: { insight: InsightOutput }) {
  const { title, View } = viewOf(insight.kind);
  const [state, onState] = useInsightState(insight.kind);
  const basis = insight.basis as InsightBasis;
  const from = [
    basis.rows !== undefined && `from ${plural(basis.rows, 'row', 'rows')}`,
    basis.datasets && `of ${plural(basis.datasets.length, 'upload', 'uploads')}`,
  ].filter(Boolean);
  return (
    <Panel title={title} lead={insight.summary}>
      <Boundary key={insight.id}>
        <View insight={insight} state={state} onState={onState} />
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
