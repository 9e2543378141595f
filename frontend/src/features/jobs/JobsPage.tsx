import { Button, Chip, Group, NativeSelect, Pagination } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';

import { RunStatus, StageName, type JobOutput, type JobsListOrderingItem } from '@/shared/api/gen/model';
import { jobsQuery } from '@/shared/api/queries';
import { useDepartmentLabel } from '@/shared/departments';
import { format, plural, UNKNOWN } from '@/shared/format/format';
import { causeWord, currentStage, etlOf, progressWords, stageWord } from '@/shared/jobs/words';
import { useUser } from '@/shared/session/useSession';
import { DataTable, type Column, type Sort } from '@/shared/shapes/DataTable';
import { Async, Lines } from '@/shared/ui/Async';
import { StatusBadge } from '@/shared/ui/Badges';
import { EmptyState } from '@/shared/ui/EmptyState';
import { Icon } from '@/shared/ui/icons';
import { PageHeader } from '@/shared/ui/PageHeader';
import { Panel } from '@/shared/ui/Panel';
import { ButtonLink, TextLink } from '@/shared/ui/links';

import classes from './jobs.module.css';

const route = getRouteApi('/inside/jobs');
const PAGE = 25;
const WHILE_STILL = 20_000;

/** By the table's columns, what the API orders by. */
const ORDERED_BY = { created: 'created_at', status: 'status' } as const;

function sortIn(ordering: JobsListOrderingItem | undefined): Sort | undefined {
  const name = ordering?.replace(/^-/, '');
  const key = Object.entries(ORDERED_BY).find(([, field]) => field === name)?.[0];
  return key ? { key, descending: ordering?.startsWith('-') ?? false } : undefined;
}

function orderingOf({ key, descending }: Sort): JobsListOrderingItem | undefined {
  const field = (ORDERED_BY as Partial<Record<string, 'created_at' | 'status'>>)[key];
  return field && (descending ? `-${field}` : field);
}

const STATUS_WORDS: Record<RunStatus, string> = {
  queued: 'Queued',
  processing: 'Processing',
  succeeded: 'Succeeded',
  failed: 'Failed',
};

export function JobsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const user = useUser();
  const label = useDepartmentLabel();
  const { page = 1, ordering, ...filters } = search;
  const asked = { ...filters, ordering: ordering && [ordering], limit: PAGE, offset: (page - 1) * PAGE };
  const { refetchInterval, ...query } = jobsQuery(asked);
  const jobs = useQuery({
    ...query,
    // Colleagues and other systems begin jobs too: the list looks for them now and then.
    refetchInterval: (now) => (typeof refetchInterval === 'function' && refetchInterval(now)) || WHILE_STILL,
  });
  const set = (change: Partial<typeof search>) =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...change }), replace: true });
  const filtered = Object.values<unknown>(filters).some((value) => value !== undefined);
  const several = user.departments.length > 1;
  return (
    <>
      <PageHeader title="Jobs" lead="Every file’s way through the platform, as it moves." />
      <Panel title={jobs.data ? plural(jobs.data.count, 'job', 'jobs') : 'Jobs'}>
        <Group gap="sm" mb="md" align="center">
          <Chip.Group
            multiple
            value={search.status ?? []}
            onChange={(status) => set({ status: statuses(status) })}
          >
            <Group gap={6} role="group" aria-label="Status">
              {Object.values(RunStatus).map((status) => (
                <Chip key={status} value={status} size="sm" variant="light">
                  {STATUS_WORDS[status]}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
          <NativeSelect
            aria-label="Stage"
            size="sm"
            value={search.stage ?? ''}
            onChange={({ currentTarget: { value } }) =>
              set({ stage: Object.values(StageName).find((known) => known === value) })
            }
            data={[
              { value: '', label: 'Any stage' },
              ...Object.values(StageName).map((stage) => ({ value: stage, label: stageWord(stage) })),
            ]}
            w={190}
          />
          {search.dataset !== undefined && (
            <TextLink to="/data/$dataset" params={{ dataset: search.dataset }} size="sm">
              Of one upload only
            </TextLink>
          )}
          {filtered && (
            <Button
              variant="subtle"
              size="sm"
              onClick={() =>
                set({ status: undefined, stage: undefined, department: undefined, dataset: undefined })
              }
            >
              Clear
            </Button>
          )}
        </Group>
        <Async
          query={jobs}
          skeleton={<Lines count={8} height={40} />}
          isEmpty={(data) => data.results.length === 0}
          empty={<NoJobs filtered={filtered} />}
        >
          {(data) => (
            <>
              <DataTable
                caption="Jobs"
                columns={columnsOf(several ? label : null)}
                rows={data.results}
                rowKey={(job) => job.id}
                sort={sortIn(ordering ?? '-created_at')}
                sortable={new Set(Object.keys(ORDERED_BY))}
                onSort={(sort) => set({ ordering: orderingOf(sort) })}
              />
              {data.count > PAGE && (
                <Group justify="flex-end" mt="md">
                  <Pagination
                    size="sm"
                    total={Math.ceil(data.count / PAGE)}
                    value={page}
                    onChange={(next) => set({ page: next > 1 ? next : undefined })}
                    getItemProps={(item) => ({ 'aria-label': `Page ${item}` })}
                    getControlProps={(control) => ({ 'aria-label': `${control} page` })}
                  />
                </Group>
              )}
            </>
          )}
        </Async>
      </Panel>
    </>
  );
}

function statuses(given: string[]): RunStatus[] | undefined {
  const known = Object.values(RunStatus).filter((status) => given.includes(status));
  return known.length > 0 ? known : undefined;
}

function NoJobs({ filtered }: { filtered: boolean }) {
  return filtered ? (
    <EmptyState icon="filter" title="No job matches these filters" />
  ) : (
    <EmptyState
      icon="jobs"
      title="No jobs yet"
      action={
        <ButtonLink to="/upload" leftSection={<Icon name="upload" size={16} />}>
          Upload a file
        </ButtonLink>
      }
    >
      Every upload becomes a job, and its way is shown here.
    </EmptyState>
  );
}

function columnsOf(label: ((slug: string) => string) | null): Column<JobOutput>[] {
  return [
    {
      key: 'dataset',
      header: 'Dataset',
      names: true,
      render: (job) => (
        <>
          <TextLink
            to="/jobs/$job"
            params={{ job: job.id }}
            size="sm"
            fw={600}
            underline="hover"
            className={classes.name}
          >
            {job.dataset_name}
          </TextLink>
          <div className={classes.more}>
            {[label?.(job.department), job.cause !== 'upload' && causeWord(job.cause)]
              .filter(Boolean)
              .join(' · ')}
          </div>
        </>
      ),
    },
    {
      key: 'status',
      header: 'Status',
      render: (job) => <StatusBadge status={job.status} partial={job.partial} />,
    },
    { key: 'stage', header: 'Stage', render: (job) => <StageCell job={job} /> },
    { key: 'loaded', header: 'Loaded', align: 'right', render: (job) => loaded(job) },
    {
      key: 'rejected',
      header: 'Rejected',
      align: 'right',
      render: (job) => {
        const rejected = etlOf(job)?.rows.rejected ?? 0;
        return rejected > 0 ? <span className={classes.rejected}>{format.integer(rejected)}</span> : UNKNOWN;
      },
    },
    {
      key: 'created',
      header: 'Started',
      render: (job) => (
        <>
          <div className={classes.when} title={format.dateTime(job.created_at)}>
            {format.ago(job.created_at)}
          </div>
          <div className={classes.more}>by {job.requested_by ?? 'the platform'}</div>
        </>
      ),
    },
    { key: 'duration', header: 'Took', align: 'right', render: (job) => format.duration(job.duration_ms) },
  ];
}

const loaded = (job: JobOutput): string => {
  const run = etlOf(job);
  return run && run.rows.read > 0 && run.status !== 'failed' ? format.integer(run.rows.loaded) : UNKNOWN;
};

function StageCell({ job }: { job: JobOutput }) {
  const run = currentStage(job);
  if (!run) return stageWord(job.stage);
  const more = [
    run.status === 'processing' && progressWords(run.progress),
    (run.status === 'failed' || run.attempts > 1) &&
      `attempt ${format.integer(run.attempts)} of ${format.integer(run.max_attempts)}`,
  ].filter(Boolean);
  return (
    <>
      <div className={classes.when}>{stageWord(run.stage)}</div>
      {more.length > 0 && <div className={classes.more}>{more.join(', ')}</div>}
      {run.error && run.status === 'failed' && <div className={classes.reason}>{run.error.message}</div>}
    </>
  );
}
