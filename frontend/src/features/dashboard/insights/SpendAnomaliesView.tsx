import { format } from '@/shared/format/format';
import type { SpendItem } from '@/shared/insights/types';
import type { Column } from '@/shared/shapes/DataTable';
import { ExploreTable } from '@/shared/shapes/ExploreTable';
import { NumberCards } from '@/shared/shapes/NumberCards';
import { SEVERITY_RANK, SeverityBadge } from '@/shared/ui/Badges';
import { EmptyState } from '@/shared/ui/EmptyState';

import { listIn, type InsightViewProps } from '../view';
import classes from './cells.module.css';
import { sumsByCurrency } from './spending';

export function SpendAnomaliesView({ insight, state, onState }: InsightViewProps) {
  const items = listIn<SpendItem>(insight.data, 'items');
  if (items.length === 0) {
    return (
      <EmptyState icon="check" title="Nothing stands out">
        No payment is far from what is usual for its category.
      </EmptyState>
    );
  }
  const worth = items.filter((item) => item.worth_review);
  const [largest] = sumsByCurrency(worth);
  const others = sumsByCurrency(worth).slice(1);
  const repeated = items.filter((item) =>
    item.reasons.some((reason) => reason.code === 'repeated-payment'),
  ).length;
  return (
    <>
      <NumberCards
        cards={[
          {
            label: 'Worth a review',
            value: format.integer(worth.length),
            note: `of ${format.integer(items.length)} listed`,
            tone: worth.length > 0 ? 'warning' : 'good',
            icon: worth.length > 0 ? 'alert' : 'check',
          },
          {
            label: 'Critical',
            value: format.integer(items.filter((item) => item.severity === 'critical').length),
            note: 'far outside what is usual',
            icon: 'bolt',
          },
          {
            label: 'Amount to review',
            value: largest ? format.money(largest.sum, largest.currency, 0) : format.integer(0),
            note:
              others.map(({ sum, currency }) => `and ${format.money(sum, currency, 0)}`).join(' ') ||
              undefined,
            icon: 'coins',
          },
          {
            label: 'Possible duplicates',
            value: format.integer(repeated),
            note: 'payments made before',
            icon: 'file',
          },
        ]}
      />
      <ExploreTable
        caption="Payments in order of strangeness"
        columns={COLUMNS}
        rows={items}
        rowKey={(item) => item.txn_id}
        text={(item) =>
          [item.txn_id, item.vendor, item.category, ...item.reasons.map((reason) => reason.message)].join(' ')
        }
        values={{
          txn: (item) => item.txn_id,
          severity: (item) => SEVERITY_RANK[item.severity],
          score: (item) => item.score,
          date: (item) => item.date,
          vendor: (item) => item.vendor,
          amount: (item) => item.amount,
        }}
        state={state}
        onState={onState}
        isMarked={(item) => item.worth_review}
        focus={{ label: 'Worth a review', all: 'All listed', has: (item) => item.worth_review }}
      />
    </>
  );
}

const COLUMNS: Column<SpendItem>[] = [
  {
    key: 'txn',
    header: 'Payment',
    names: true,
    render: (item) => (
      <>
        <div className={classes.id}>{item.txn_id}</div>
        <div className={classes.sub}>{format.date(item.date)}</div>
      </>
    ),
  },
  { key: 'severity', header: 'Severity', render: (item) => <SeverityBadge severity={item.severity} /> },
  {
    key: 'score',
    header: 'Score',
    align: 'right',
    render: (item) => (
      <span className={classes.score}>
        {format.integer(item.score)}
        <span className={classes.meter} aria-hidden="true">
          <span style={{ width: `${Math.min(100, Math.max(0, item.score))}%` }} />
        </span>
      </span>
    ),
  },
  {
    key: 'amount',
    header: 'Amount',
    align: 'right',
    render: (item) => format.money(item.amount, item.currency),
  },
  {
    key: 'vendor',
    header: 'Vendor',
    render: (item) => (
      <>
        <div>{item.vendor ?? 'No vendor'}</div>
        <div className={classes.sub}>{item.category ?? 'No category'}</div>
      </>
    ),
  },
  {
    key: 'reasons',
    header: 'Why',
    wide: true,
    render: (item) => (
      <ul className={classes.reasons}>
        {item.reasons.map((reason) => (
          <li key={reason.code}>{reason.message}</li>
        ))}
        {item.evidence && item.evidence.n > 0 && (
          <li className={classes.why}>
            Usual: {format.money(item.evidence.typical_low, item.currency)} –{' '}
            {format.money(item.evidence.typical_high, item.currency)} ({format.integer(item.evidence.n)}{' '}
            payments)
          </li>
        )}
      </ul>
    ),
  },
];
