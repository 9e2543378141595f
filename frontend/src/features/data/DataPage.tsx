import { Group, Pagination, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';

import type { DatasetOutput } from '@/shared/api/gen/model';
import { datasetsQuery } from '@/shared/api/queries';
import { useDepartmentLabel } from '@/shared/departments';
import { format, plural, UNKNOWN } from '@/shared/format/format';
import { useUser } from '@/shared/session/useSession';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import { Async, Lines } from '@/shared/ui/Async';
import { EmptyState } from '@/shared/ui/EmptyState';
import { Icon } from '@/shared/ui/icons';
import { PageHeader } from '@/shared/ui/PageHeader';
import { Panel } from '@/shared/ui/Panel';
import { ButtonLink, TextLink } from '@/shared/ui/links';

import classes from './data.module.css';

const route = getRouteApi('/inside/data');
const PAGE = 25;

export function DataPage() {
  const { q, department, page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const user = useUser();
  const label = useDepartmentLabel();
  const [typed, setTyped] = useState(q ?? '');
  const datasets = useQuery(datasetsQuery({ search: q, department, limit: PAGE, offset: (page - 1) * PAGE }));
  const search = useDebouncedCallback((words: string) => {
    void navigate({
      search: (before) => ({ ...before, q: words || undefined, page: undefined }),
      replace: true,
    });
  }, 300);
  return (
    <>
      <PageHeader title="Data" lead="What was uploaded, and the clean rows it gave." />
      <Panel title={datasets.data ? plural(datasets.data.count, 'dataset', 'datasets') : 'Datasets'}>
        <TextInput
          aria-label="Search datasets by name"
          placeholder="Search by name"
          leftSection={<Icon name="search" size={15} />}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            search(event.currentTarget.value);
          }}
          maw={320}
          mb="md"
        />
        <Async
          query={datasets}
          skeleton={<Lines count={8} height={40} />}
          isEmpty={(data) => data.results.length === 0}
          empty={q ? <EmptyState icon="search" title={`Nothing is called “${q}”`} /> : <NoData />}
        >
          {(data) => (
            <>
              <DataTable
                caption="Datasets"
                columns={columnsOf(user.departments.length > 1 ? label : null)}
                rows={data.results}
                rowKey={(dataset) => dataset.id}
              />
              {data.count > PAGE && (
                <Group justify="flex-end" mt="md">
                  <Pagination
                    size="sm"
                    total={Math.ceil(data.count / PAGE)}
                    value={page}
                    onChange={(next) =>
                      void navigate({
                        search: (before) => ({ ...before, page: next > 1 ? next : undefined }),
                      })
                    }
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

function NoData() {
  return (
    <EmptyState
      icon="data"
      title="No data yet"
      action={
        <ButtonLink to="/upload" leftSection={<Icon name="upload" size={16} />}>
          Upload a file
        </ButtonLink>
      }
    >
      The rows of every upload can be read and downloaded here.
    </EmptyState>
  );
}

function columnsOf(label: ((slug: string) => string) | null): Column<DatasetOutput>[] {
  return [
    {
      key: 'name',
      header: 'Name',
      names: true,
      render: (dataset) => (
        <>
          <TextLink to="/data/$dataset" params={{ dataset: dataset.id }} size="sm" fw={600} underline="hover">
            {dataset.name}
          </TextLink>
          <div className={classes.sub}>
            {[label?.(dataset.department), dataset.filename !== dataset.name && dataset.filename]
              .filter(Boolean)
              .join(' · ')}
          </div>
        </>
      ),
    },
    { key: 'rows', header: 'Rows', align: 'right', render: (dataset) => rowsOf(dataset) },
    {
      key: 'rejected',
      header: 'Rejected',
      align: 'right',
      render: ({ rows }) => (rows.rejected > 0 ? format.integer(rows.rejected) : UNKNOWN),
    },
    { key: 'size', header: 'Size', align: 'right', render: (dataset) => format.bytes(dataset.size_bytes) },
    {
      key: 'at',
      header: 'Uploaded',
      render: (dataset) => (
        <span className={classes.when} title={format.dateTime(dataset.uploaded_at)}>
          {format.ago(dataset.uploaded_at)}
        </span>
      ),
    },
    {
      key: 'by',
      header: 'By',
      render: (dataset) => <span className={classes.when}>{uploader(dataset)}</span>,
    },
  ];
}

const rowsOf = (dataset: DatasetOutput): string =>
  dataset.loaded_at === null ? 'not loaded' : format.integer(dataset.rows.loaded);

/** A file that another system put there has no person. */
const uploader = (dataset: DatasetOutput): string =>
  (dataset.uploaded_by as DatasetOutput['uploaded_by'] | null)?.full_name ?? 'another system';
