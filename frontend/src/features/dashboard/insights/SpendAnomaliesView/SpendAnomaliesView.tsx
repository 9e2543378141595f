import type { SpendItem } from '@/shared/insights/types';
import { EmptyState } from '@/shared/ui/EmptyState';

import { listIn, type InsightViewProps } from '../../view';
import { ReviewQueue } from './ReviewQueue';

export function SpendAnomaliesView({ insight, department, state, onState }: InsightViewProps) {
  const head = listIn<SpendItem>(insight.data, 'items');
  if (head.length === 0) {
    return (
      <EmptyState icon="check" title="Nothing stands out">
        No payment is far from what is usual for its category.
      </EmptyState>
    );
  }
  return (
    <ReviewQueue insight={insight} department={department} head={head} state={state} onState={onState} />
  );
}
