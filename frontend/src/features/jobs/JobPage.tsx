import { Button, Grid, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';

import { jobsRetry } from '@/shared/api/gen/client';
import type { JobOutput } from '@/shared/api/gen/model';
import { isActive, jobQuery, refreshAfterChange } from '@/shared/api/queries';
import { useDepartmentLabel } from '@/shared/departments';
import { format } from '@/shared/format/format';
import { RejectedRows } from '@/shared/jobs/RejectedRows';
import { RowCounts } from '@/shared/jobs/RowCounts';
import { StageTimeline } from '@/shared/jobs/StageTimeline';
import { UndoUpload } from '@/shared/jobs/UndoUpload';
import { causeWord, etlOf } from '@/shared/jobs/words';
import { Async, Lines } from '@/shared/ui/Async';
import { StatusBadge } from '@/shared/ui/Badges';
import { Facts } from '@/shared/ui/Facts';
import { Icon } from '@/shared/ui/icons';
import { PageHeader } from '@/shared/ui/PageHeader';
import { Panel } from '@/shared/ui/Panel';
import { tellProblem } from '@/shared/ui/tellProblem';
import { TextLink } from '@/shared/ui/links';

const route = getRouteApi('/inside/jobs/$job');

export function JobPage() {
  const { job: id } = route.useParams();
  const job = useQuery(jobQuery(id));
  useRefreshAtEnd(job.data);
  return (
    <>
      <PageHeader
        title={job.data?.dataset_name ?? 'Job'}
        lead={job.data && <StatusBadge status={job.data.status} partial={job.data.partial} />}
        actions={job.data && <Actions job={job.data} />}
      />
      <Async query={job} skeleton={<Lines count={10} height={28} />}>
        {(data) => <JobDetails job={data} />}
      </Async>
    </>
  );
}

/** Everything that rests on the rows is asked for anew when the job ends before one's eyes. */
function useRefreshAtEnd(job: JobOutput | undefined) {
  const client = useQueryClient();
  const moving = useRef(false);
  useEffect(() => {
    if (!job) return;
    const active = isActive(job);
    if (moving.current && !active) void refreshAfterChange(client);
    moving.current = active;
  }, [job, client]);
}

function Actions({ job }: { job: JobOutput }) {
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const retry = useMutation({
    mutationFn: () => jobsRetry(job.id),
    onSuccess: async (again) => {
      notifications.show({ color: 'teal', message: 'It runs again, from the stage that failed.' });
      await refreshAfterChange(client);
      if (again.id !== job.id) void navigate({ to: '/jobs/$job', params: { job: again.id } });
    },
    onError: (error) => {
      tellProblem(error);
      // A refusal is often news of the job: somebody else has run it again, or it is gone.
      void client.invalidateQueries({ queryKey: ['job', job.id] });
    },
  });
  return (
    <>
      {job.status === 'failed' && (
        <Button
          leftSection={<Icon name="retry" size={16} />}
          loading={retry.isPending}
          onClick={() => retry.mutate()}
        >
          Run again
        </Button>
      )}
      {!isActive(job) && (
        <UndoUpload datasetId={job.dataset_id} onDone={() => void navigate({ to: '/jobs', search: {} })} />
      )}
    </>
  );
}

function JobDetails({ job }: { job: JobOutput }) {
  const label = useDepartmentLabel();
  const etl = etlOf(job);
  const facts: [string, ReactNode][] = [
    ['Department', label(job.department)],
    ['Cause', causeWord(job.cause)],
    ['By', job.requested_by ?? 'the platform'],
    ['Began', format.dateTime(job.created_at)],
    ['Ended', format.dateTime(job.finished_at)],
    ['Took', format.duration(job.duration_ms)],
    [
      'Dataset',
      <TextLink key="dataset" to="/data/$dataset" params={{ dataset: job.dataset_id }} size="sm">
        Rows and details
      </TextLink>,
    ],
    [
      'Request id',
      <Text key="id" component="code" size="xs">
        {job.request_id}
      </Text>,
    ],
  ];
  return (
    <Stack gap="lg">
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Panel title="Stages">
            <StageTimeline job={job} />
          </Panel>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Panel title="About">
            <Facts facts={facts} />
          </Panel>
        </Grid.Col>
      </Grid>
      {etl && etl.rows.read > 0 && (
        <Panel title="Rows">
          <RowCounts rows={etl.rows} refused={etl.status === 'failed'} />
        </Panel>
      )}
      {etl && !isActive(job) && (etl.rows.rejected > 0 || etl.status === 'failed') && (
        <RejectedRows dataset={job.dataset_id} refused={etl.status === 'failed'} />
      )}
    </Stack>
  );
}
