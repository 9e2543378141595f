import type { FailureOutput, FailuresOutput } from '@/shared/api/gen/model';
import { useDepartmentLabel } from '@/shared/departments';
import { format } from '@/shared/format/format';
import { stageWord } from '@/shared/jobs/words';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import { TextLink } from '@/shared/ui/links';

import { Section } from './Section';

const columnsOf = (label: (slug: string) => string): Column<FailureOutput>[] => [
  {
    key: 'code',
    header: 'Code',
    names: true,
    render: ({ code, stage }) => (
      <TextLink to="/jobs" search={{ status: ['failed'], stage }} size="sm">
        {code || 'without a code'}
      </TextLink>
    ),
  },
  { key: 'stage', header: 'Stage', render: ({ stage }) => stageWord(stage) },
  { key: 'count', header: 'Failed', align: 'right', render: ({ count }) => format.integer(count) },
  {
    key: 'dead',
    header: 'For the last time',
    align: 'right',
    render: ({ dead_lettered: dead }) => format.integer(dead),
  },
  {
    key: 'departments',
    header: 'Departments',
    render: ({ departments }) => departments.map(label).join(', '),
  },
  { key: 'latest', header: 'Latest', render: ({ latest_at: at }) => format.ago(at) },
];

export function Failures({ failures, since }: { failures: FailuresOutput; since: string }) {
  const label = useDepartmentLabel();
  return (
    <Section
      title="Failures"
      lead={`Since ${format.dateTime(since)}, of what was not run again. A code leads to the failed jobs of its stage.`}
      problem={failures.problem}
      hint="Look at the database and at the platform’s log."
      nothing={failures.items.length === 0 && 'Nothing has failed, or all that did was run again.'}
    >
      {failures.items.length > 0 && (
        <DataTable
          caption="Failures by code"
          columns={columnsOf(label)}
          rows={failures.items}
          rowKey={({ code, stage }) => `${code}/${stage}`}
        />
      )}
    </Section>
  );
}
