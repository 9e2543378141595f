import { Button } from '@mantine/core';

import { format, plural } from '@/shared/format/format';
import type { SpendItem } from '@/shared/insights/types';

import classes from './Queue.module.css';

interface EvidenceProps {
  item: SpendItem;
  others: readonly SpendItem[];
  onFind: (id: string) => void;
}

/** What a payment is compared with: the usual amounts of its like, and the payments it was matched with. */
export function Evidence({ item, others, onFind }: EvidenceProps) {
  const { evidence } = item;
  if (!evidence) return <p className={classes.muted}>This insight tells no more about the payment.</p>;
  const matched = evidence.matching_txn_ids.map(
    (id) => others.find((other) => other.txn_id === id) ?? { txn_id: id },
  );
  return (
    <div className={classes.evidence}>
      <h4 className={classes.title}>Compared with</h4>
      {evidence.n > 1 ? (
        <dl className={classes.usual}>
          <div>
            <dt>This payment</dt>
            <dd>{format.money(item.amount, item.currency)}</dd>
          </div>
          <div>
            <dt>Usual, the middle 80%</dt>
            <dd>
              {format.money(evidence.typical_low, item.currency)} –{' '}
              {format.money(evidence.typical_high, item.currency)}
            </dd>
          </div>
          <div>
            <dt>Median</dt>
            <dd>{format.money(evidence.median, item.currency)}</dd>
          </div>
          <div>
            <dt>From</dt>
            <dd>{plural(evidence.n, 'payment', 'payments')}, this one included</dd>
          </div>
        </dl>
      ) : (
        <p className={classes.muted}>There is no other payment of its category and currency.</p>
      )}
      {matched.length > 0 && (
        <div className={classes.matched}>
          <table>
            <caption>Payments it was matched with</caption>
            <thead>
              <tr>
                <th scope="col">Payment</th>
                <th scope="col">Date</th>
                <th scope="col">Vendor</th>
                <th scope="col">Amount</th>
              </tr>
            </thead>
            <tbody>
              {matched.map((other) => (
                <tr key={other.txn_id}>
                  <th scope="row">
                    {'amount' in other ? (
                      <Button variant="subtle" size="compact-xs" onClick={() => onFind(other.txn_id)}>
                        {other.txn_id}
                      </Button>
                    ) : (
                      other.txn_id
                    )}
                  </th>
                  {'amount' in other ? (
                    <>
                      <td>{format.date(other.date)}</td>
                      <td>{other.vendor ?? 'No vendor'}</td>
                      <td>{format.money(other.amount, other.currency)}</td>
                    </>
                  ) : (
                    <td colSpan={3} className={classes.muted}>
                      not strange itself, so not listed here
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
