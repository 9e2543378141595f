import type { SpendItem } from '@/shared/insights/types';
import { EmptyState } from '@/shared/ui/EmptyState';

import type { InsightViewProps } from '../../view';
import { useAllItems } from '../useAllItems';
import { ReviewQueue } from './ReviewQueue';

export function SpendAnomaliesView({ insight, state, onState }: InsightViewProps) {
  const all = useAllItems<SpendItem>(insight);
  if (all.items.length === 0) {
    return (
      <EmptyState icon="check" title="Nothing stands out">
        No payment is far from what is usual for its category.
      </EmptyState>
    );
  }
  return <ReviewQueue insightId={insight.id} all={all} state={state} onState={onState} />;
}
