import type { QueueOutput, QueuesOutput } from '@/shared/api/gen/model';
import { format } from '@/shared/format/format';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import { Icon } from '@/shared/ui/icons';

import { Section } from './Section';

/** Where nothing waits there is no oldest one. */
const age = (seconds: number | null): string =>
  seconds === 0 ? 'none' : format.duration(seconds === null ? null : Math.round(seconds) * 1_000);

const COLUMNS: Column<QueueOutput>[] = [
  { key: 'name', header: 'Queue', names: true, render: ({ name }) => name },
  {
    key: 'visible',
    header: 'Waiting',
    align: 'right',
    render: ({ visible }) => format.integer(visible),
  },
  {
    key: 'in_flight',
    header: 'In work',
    align: 'right',
    render: ({ in_flight: inFlight }) => format.integer(inFlight),
  },
  { key: 'delayed', header: 'Delayed', align: 'right', render: ({ delayed }) => format.integer(delayed) },
  {
    key: 'oldest',
    header: 'Oldest waits',
    align: 'right',
    render: ({ oldest_seconds: oldest }) => age(oldest),
  },
  {
    key: 'dead',
    header: 'Dead letters',
    align: 'right',
    render: ({ dead_letters: dead }) => (
      <>
        {Boolean(dead) && <Icon name="alert" size={13} style={{ color: 'var(--af-red)', marginRight: 4 }} />}
        {format.integer(dead)}
      </>
    ),
  },
];

export function Queues({ queues }: { queues: QueuesOutput }) {
  return (
    <Section
      title="Queues"
      lead="Messages as SQS counts them, which is about. Dead letters have failed for the last time and wait for an operator."
      problem={queues.problem}
      hint="Uploads are kept and wait in the outbox meanwhile. Look at the queue service and at the platform’s log."
    >
      <DataTable
        caption="Messages by queue"
        columns={COLUMNS}
        rows={queues.items}
        rowKey={({ name }) => name}
      />
    </Section>
  );
}
