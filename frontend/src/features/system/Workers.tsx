import type { WorkerOutput, WorkersOutput } from '@/shared/api/gen/model';
import { useDepartmentLabel } from '@/shared/departments';
import { format, UNKNOWN } from '@/shared/format/format';
import { stageWord } from '@/shared/jobs/words';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import { UpBadge } from '@/shared/ui/Badges';
import { TextLink } from '@/shared/ui/links';

import { Section } from './Section';
import classes from './system.module.css';

const when = (at: string | null) => <span className={classes.when}>{format.ago(at)}</span>;

const columnsOf = (label: (slug: string) => string): Column<WorkerOutput>[] => [
  {
    key: 'name',
    header: 'Worker',
    names: true,
    render: ({ name }) => <span className={classes.host}>{name}</span>,
  },
  { key: 'alive', header: 'Alive', render: ({ alive }) => <UpBadge isUp={alive} down="Silent" /> },
  { key: 'queues', header: 'Serves', render: ({ queues }) => queues.join(', ') || UNKNOWN },
  {
    key: 'slots',
    header: 'Tasks at once',
    align: 'right',
    render: ({ slots }) => (slots ? format.integer(slots) : UNKNOWN),
  },
  { key: 'started', header: 'Started', render: ({ started_at: at }) => when(at) },
  { key: 'beat', header: 'Last sign of life', render: ({ beat_at: at }) => when(at) },
  {
    key: 'tasks',
    header: 'In hand',
    wide: true,
    render: ({ tasks }) =>
      tasks.length === 0 ? (
        'nothing'
      ) : (
        <div className={classes.tasks}>
          {tasks.map((task) => (
            <div key={`${task.job_id}${task.stage}`}>
              <TextLink to="/jobs/$job" params={{ job: task.job_id }} size="sm">
                {task.dataset_name}
              </TextLink>{' '}
              {label(task.department)}, {stageWord(task.stage).toLowerCase()}, since {format.ago(task.since)}
            </div>
          ))}
        </div>
      ),
  },
];

export function Workers({ workers }: { workers: WorkersOutput }) {
  const label = useDepartmentLabel();
  return (
    <Section
      title="Workers"
      lead="Those that give signs of life, and those that fell silent within a day. What a silent one had in hand goes back to the queue by itself."
      problem={workers.problem}
      hint="Look at the database and at the platform’s log."
      nothing={
        workers.items.length === 0 &&
        'No worker and no relay has given a sign of life within a day. Uploads are kept, but nothing is worked: start them.'
      }
    >
      {workers.items.length > 0 && (
        <DataTable
          caption="Workers and what they have in hand"
          columns={columnsOf(label)}
          rows={workers.items}
          rowKey={({ name }) => name}
        />
      )}
    </Section>
  );
}
