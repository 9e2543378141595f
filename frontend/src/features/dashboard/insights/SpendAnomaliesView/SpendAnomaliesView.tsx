import { format } from '@/shared/format/format';
import type { SpendItem } from '@/shared/insights/types';
import { NumberCards } from '@/shared/shapes/NumberCards';
import { EmptyState } from '@/shared/ui/EmptyState';

import type { InsightViewProps } from '../../view';
import { stateOf } from './queue';
import { ReviewQueue } from './ReviewQueue';
import { sumsByCurrency } from '../spending';
import { useAllItems } from './useAllItems';

export function SpendAnomaliesView({ insight, state, onState }: InsightViewProps) {
  const all = useAllItems(insight);
  if (all.items.length === 0) {
    return (
      <EmptyState icon="check" title="Nothing stands out">
        No payment is far from what is usual for its category.
      </EmptyState>
    );
  }
  return (
    <>
      <Figures items={all.items} />
      <ReviewQueue insightId={insight.id} all={all} state={state} onState={onState} />
    </>
  );
}

function Figures({ items }: { items: readonly SpendItem[] }) {
  const worth = items.filter((item) => item.worth_review && stateOf(item) !== 'expected');
  const open = worth.filter((item) => stateOf(item) === 'open');
  const reviewed = items.filter((item) => stateOf(item) !== 'open').length;
  const [largest, ...others] = sumsByCurrency(open);
  return (
    <NumberCards
      cards={[
        {
          label: 'Waiting for a review',
          value: format.integer(open.length),
          note: `of ${format.integer(worth.length)} worth one`,
          tone: open.length > 0 ? 'warning' : 'good',
          icon: open.length > 0 ? 'alert' : 'check',
        },
        {
          label: 'Critical',
          value: format.integer(open.filter((item) => item.severity === 'critical').length),
          note: 'of those that wait',
          icon: 'bolt',
        },
        {
          label: 'Amount that waits',
          value: largest ? format.money(largest.sum, largest.currency, 0) : format.integer(0),
          note:
            others.map(({ sum, currency }) => `and ${format.money(sum, currency, 0)}`).join(' ') || undefined,
          icon: 'coins',
        },
        { label: 'Reviewed', value: format.integer(reviewed), note: 'by your department', icon: 'user' },
      ]}
    />
  );
}
