import { Group, Stack, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';

import { getDatasetsRawUrl, getDatasetsRowsCsvUrl } from '@/shared/api/gen/client';
import type { DatasetDetailOutput } from '@/shared/api/gen/model';
import { datasetQuery } from '@/shared/api/queries';
import { useDepartmentLabel } from '@/shared/departments';
import { format } from '@/shared/format/format';
import { RejectedRows } from '@/shared/jobs/RejectedRows';
import { RowCounts } from '@/shared/jobs/RowCounts';
import { UndoUpload } from '@/shared/jobs/UndoUpload';
import { Async, Lines } from '@/shared/ui/Async';
import { DownloadButton } from '@/shared/ui/DownloadButton';
import { PageHeader } from '@/shared/ui/PageHeader';
import { Panel } from '@/shared/ui/Panel';

import { CleanRows } from './CleanRows';
import { History } from './History';
import { Profile } from './Profile';
import { Reading } from './Reading';
import { tabOf } from './search';
import { whereOf } from './where';

const route = getRouteApi('/inside/data/$dataset');

export function DatasetPage() {
  const { dataset: id } = route.useParams();
  const navigate = route.useNavigate();
  const label = useDepartmentLabel();
  const dataset = useQuery(datasetQuery(id));
  return (
    <>
      <PageHeader
        title={dataset.data?.name ?? 'Dataset'}
        lead={
          dataset.data && (
            <>
              {label(dataset.data.department)} · {dataset.data.filename} ·{' '}
              {format.bytes(dataset.data.size_bytes)} · uploaded {format.ago(dataset.data.uploaded_at)}
            </>
          )
        }
        actions={
          dataset.data && (
            <>
              <DownloadButton url={getDatasetsRawUrl(id)} filename={dataset.data.filename}>
                File as uploaded
              </DownloadButton>
              <UndoUpload datasetId={id} onDone={() => void navigate({ to: '/data', search: {} })} />
            </>
          )
        }
      />
      <Async query={dataset} skeleton={<Lines count={10} height={28} />}>
        {(data) => <Details dataset={data} />}
      </Async>
    </>
  );
}

function Details({ dataset }: { dataset: DatasetDetailOutput }) {
  const { tab = 'rows', column, value } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Stack gap="lg">
      {dataset.description && <p style={{ margin: 0, maxWidth: '80ch' }}>{dataset.description}</p>}
      {dataset.rows.read > 0 && <RowCounts rows={dataset.rows} refused={dataset.loaded_at === null} />}
      <Tabs
        value={tab}
        onChange={(next) =>
          void navigate({
            search: { tab: tabOf(next) },
            replace: true,
          })
        }
        keepMounted={false}
      >
        <Tabs.List mb="lg">
          <Tabs.Tab value="rows">Clean rows</Tabs.Tab>
          <Tabs.Tab value="rejects">Rejected lines ({format.integer(dataset.rows.rejected)})</Tabs.Tab>
          <Tabs.Tab value="profile">Columns</Tabs.Tab>
          <Tabs.Tab value="history">Changes</Tabs.Tab>
          <Tabs.Tab value="reading">How it was read</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="rows">
          <Panel
            title="Clean rows"
            lead="As they are in the table, by line of the file."
            actions={
              <Group gap="xs">
                <DownloadButton
                  size="xs"
                  url={getDatasetsRowsCsvUrl(dataset.id, whereOf({ column, value }))}
                  filename={`${dataset.department}-${dataset.id}-rows.csv`}
                >
                  {column === undefined ? 'Download as CSV' : 'Download these as CSV'}
                </DownloadButton>
              </Group>
            }
          >
            <CleanRows dataset={dataset} />
          </Panel>
        </Tabs.Panel>
        <Tabs.Panel value="rejects">
          <RejectedRows dataset={dataset.id} refused={dataset.loaded_at === null} />
        </Tabs.Panel>
        <Tabs.Panel value="profile">
          <Profile dataset={dataset.id} />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <Stack gap="lg">
            <History dataset={dataset} />
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="reading">
          <Reading dataset={dataset} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
