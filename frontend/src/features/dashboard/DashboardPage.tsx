import { Skeleton, Stack } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';

import type { DashboardOutput, JobOutput } from '@/shared/api/gen/model';
import { dashboardQuery, isActive, jobsQuery } from '@/shared/api/queries';
import { useDepartmentLabel } from '@/shared/departments';
import { currentStage, progressWords, stageWord } from '@/shared/jobs/words';
import { Async } from '@/shared/ui/Async';
import { SaveButton } from '@/shared/ui/DownloadButton';
import { EmptyState } from '@/shared/ui/EmptyState';
import { Icon } from '@/shared/ui/icons';
import { Notice } from '@/shared/ui/Notice';
import { PageHeader } from '@/shared/ui/PageHeader';
import { Panel } from '@/shared/ui/Panel';
import { ButtonLink, TextLink } from '@/shared/ui/links';
import { useSliced } from '@/shared/ui/useSliced';

import { freshnessOf, missingIn } from './freshness';
import { InsightCard } from './InsightCard';
import { Overview } from './overview/Overview';
import { Provenance } from './Provenance';
import { SettingsButton } from './settings/SettingsButton';

const route = getRouteApi('/inside/dashboard/$department');

export function DashboardPage() {
  const { department } = route.useParams();
  const { dataset } = route.useSearch();
  const label = useDepartmentLabel();
  const dashboard = useQuery(dashboardQuery(department, dataset));
  // Above the cards with them, in one step: they would jump otherwise.
  const shown = useSliced(dashboard.data);
  const jobs = useQuery(jobsQuery({ department, limit: 5 })).data?.results ?? [];
  useRefreshWhenSettled(jobs.filter(isActive).length);
  return (
    <>
      <PageHeader
        title={label(department)}
        lead={shown && <Provenance dashboard={shown} />}
        actions={
          <>
            {shown && shown.insights.length > 0 && (
              <SaveButton save={() => saveWhole(shown)}>Workbook</SaveButton>
            )}
            <SettingsButton department={department} />
            <ButtonLink to="/upload" leftSection={<Icon name="upload" size={16} />}>
              Upload
            </ButtonLink>
          </>
        }
      />
      <Async query={dashboard} skeleton={<Waiting />}>
        {(data) => (
          <Stack gap="lg">
            {dataset && <OneDataset department={department} />}
            {!dataset && <UnderWay dashboard={data} jobs={jobs} />}
            <Overview dashboard={data} jobs={dataset ? null : jobs} />
            {data.insights.map((insight) => (
              <InsightCard
                key={insight.kind}
                insight={insight}
                department={department}
                stale={dataset ? undefined : missingIn(freshnessOf(data, jobs))}
              />
            ))}
            {data.insights.length === 0 && <NoInsights dashboard={data} />}
          </Stack>
        )}
      </Async>
    </>
  );
}

/** A sheet a card, with the whole of each ranking. What writes it is fetched when it is asked for. */
async function saveWhole(dashboard: DashboardOutput) {
  const { exportDashboardWorkbook } = await import('@/shared/export/workbook');
  await exportDashboardWorkbook(dashboard);
}

/** When the last moving job comes to rest, the numbers may be new. */
function useRefreshWhenSettled(active: number) {
  const client = useQueryClient();
  const before = useRef(active);
  useEffect(() => {
    if (active < before.current) void client.invalidateQueries({ queryKey: ['dashboard'] });
    before.current = active;
  }, [active, client]);
}

function OneDataset({ department }: { department: string }) {
  return (
    <Notice
      tone="info"
      title="As they were after one upload"
      actions={
        <ButtonLink to="/dashboard/$department" params={{ department }} size="xs" variant="default">
          Show the newest
        </ButtonLink>
      }
    >
      These insights were computed by the run of one upload, over all rows there were then.
    </Notice>
  );
}

function UnderWay({ dashboard, jobs }: { dashboard: DashboardOutput; jobs: JobOutput[] }) {
  const fresh = freshnessOf(dashboard, jobs);
  if (fresh.kind !== 'under-way') return null;
  const { job } = fresh;
  const run = currentStage(job);
  return (
    <Notice tone="info" title={`“${job.dataset_name}” is being worked on`}>
      {run && [stageWord(run.stage), progressWords(run.progress)].filter(Boolean).join(', ')}.{' '}
      {dashboard.insights.length > 0 && 'What you see is from before it, and changes by itself.'}{' '}
      <TextLink to="/jobs/$job" params={{ job: job.id }} size="sm">
        Watch it
      </TextLink>
    </Notice>
  );
}

function NoInsights({ dashboard }: { dashboard: DashboardOutput }) {
  const some = dashboard.datasets.count > 0;
  return (
    <Panel title="Insights">
      <EmptyState
        icon="chart"
        title={some ? 'No insights yet' : 'Nothing here yet'}
        action={
          <ButtonLink to={some ? '/jobs' : '/upload'}>
            {some ? 'Look at the jobs' : 'Upload the first file'}
          </ButtonLink>
        }
      >
        {some
          ? 'Your files are here, but no run has computed insights over them.'
          : 'Upload a file of your department, and its insights appear here within a minute.'}
      </EmptyState>
    </Panel>
  );
}

function Waiting() {
  return (
    <Panel title="Insights">
      <Skeleton height={14} width="60%" mb="lg" />
      <Skeleton height={92} mb="lg" radius="md" />
      <Skeleton height={320} radius="md" />
    </Panel>
  );
}
