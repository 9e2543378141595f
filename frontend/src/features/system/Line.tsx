import type { DepartmentJobsOutput, OutboxOutput, UnfinishedJobsOutput } from '@/shared/api/gen/model';
import { useDepartmentLabel } from '@/shared/departments';
import { format, plural } from '@/shared/format/format';
import { stageWord } from '@/shared/jobs/words';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import { NumberCards } from '@/shared/shapes/NumberCards';
import { TextLink } from '@/shared/ui/links';

import { Section } from './Section';

/** A message is sent within moments; what waits this long is not on its way by itself. */
const LATE_SECONDS = 60;

const columnsOf = (label: (slug: string) => string): Column<DepartmentJobsOutput>[] => [
  {
    key: 'department',
    header: 'Department',
    names: true,
    render: ({ department }) => (
      <TextLink to="/jobs" search={{ department, status: ['queued', 'processing'] }} size="sm">
        {label(department)}
      </TextLink>
    ),
  },
  { key: 'queued', header: 'Queued', align: 'right', render: ({ queued }) => format.integer(queued) },
  {
    key: 'processing',
    header: 'Processing',
    align: 'right',
    render: ({ processing }) => format.integer(processing),
  },
];

/** What is under way, and what has not been sent to a worker yet. */
export function Line({ outbox, jobs }: { outbox: OutboxOutput; jobs: UnfinishedJobsOutput }) {
  const label = useDepartmentLabel();
  return (
    <Section
      title="The line"
      lead="The outbox holds what no queue has taken yet: it waits for its department’s turn, or for the relay."
      problem={outbox.problem ?? jobs.problem}
      hint="Look at the database and at the platform’s log."
    >
      <NumberCards
        cards={outbox.items.map(({ stage, waiting, lag_seconds: lag }) => ({
          label: `Outbox: ${stageWord(stage).toLowerCase()}`,
          value: format.integer(waiting),
          note:
            waiting === 0
              ? 'Nothing waits.'
              : `${plural(waiting, 'message', 'messages')} to send, the oldest for ${format.duration(Math.round(lag) * 1_000)}.`,
          tone: lag > LATE_SECONDS ? 'warning' : undefined,
        }))}
      />
      {jobs.problem === null && (
        <DataTable
          caption="Unfinished jobs"
          columns={columnsOf(label)}
          rows={jobs.items}
          rowKey={({ department }) => department}
        />
      )}
    </Section>
  );
}
