/** Every query of the page once: pages, prefetches and invalidations share these. */
import { keepPreviousData, queryOptions, type QueryClient } from '@tanstack/react-query';

import { boardOf } from './board';
import {
  authConfig,
  dashboardsSettings,
  datasetsGet,
  datasetsList,
  datasetsProfile,
  datasetsRows,
  getDatasetsRejectsUrl,
  insightsHelp,
  jobsGet,
  jobsList,
  schemasGet,
  schemasMappings,
} from './gen/client';
import type {
  DatasetsListParams,
  DatasetsRowsParams,
  JobOutput,
  JobsListParams,
  RejectsPage,
} from './gen/model';
import { waitFor } from './problem';
import { request } from './request';

const WHILE_MOVING = 1_500;
const AFTER_FAILURE = 10_000;

/** How often to look again. Who has just been turned away, or had no answer, comes back later than the patient. */
function looksAgain(moving: boolean, { error }: { error: Error | null }): number | false {
  if (!moving) return false;
  return error === null ? WHILE_MOVING : Math.max(AFTER_FAILURE, waitFor(error));
}

export const isActive = (job: Pick<JobOutput, 'status'>): boolean =>
  job.status === 'queued' || job.status === 'processing';

export const configQuery = queryOptions({
  queryKey: ['config'],
  queryFn: ({ signal }) => authConfig({ signal }),
  staleTime: Infinity,
});

export const dashboardQuery = (department: string, dataset?: string) =>
  queryOptions({
    queryKey: ['dashboard', department, dataset ?? null],
    queryFn: ({ signal }) => boardOf(department, dataset, signal),
  });

export const settingsQuery = (department: string) =>
  queryOptions({
    queryKey: ['settings', department],
    queryFn: ({ signal }) => dashboardsSettings(department, { signal }),
  });

/** What the figures of all insights mean; it changes with the platform's release, not with the data. */
export const figureHelpQuery = queryOptions({
  queryKey: ['figure-help'],
  queryFn: ({ signal }) => insightsHelp({ signal }),
  staleTime: Infinity,
});

export const jobsQuery = (filters: JobsListParams) =>
  queryOptions({
    queryKey: ['jobs', filters],
    queryFn: ({ signal }) => jobsList(filters, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => looksAgain(state.data?.results.some(isActive) ?? false, state),
  });

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ['job', id],
    queryFn: ({ signal }) => jobsGet(id, { signal }),
    refetchInterval: ({ state }) => looksAgain(state.data ? isActive(state.data) : false, state),
  });

export const datasetsQuery = (filters: DatasetsListParams) =>
  queryOptions({
    queryKey: ['datasets', filters],
    queryFn: ({ signal }) => datasetsList(filters, { signal }),
    placeholderData: keepPreviousData,
  });

export const datasetQuery = (id: string) =>
  queryOptions({ queryKey: ['dataset', id], queryFn: ({ signal }) => datasetsGet(id, { signal }) });

export const schemaQuery = (department: string) =>
  queryOptions({
    queryKey: ['schema', department],
    queryFn: ({ signal }) => schemasGet(department, { signal }),
    staleTime: Infinity,
  });

/** The mappings a department's files have loaded with; of a page's length, the newest first. */
export const mappingsQuery = (department: string) =>
  queryOptions({
    queryKey: ['mappings', department],
    queryFn: ({ signal }) => schemasMappings(department, { limit: 200 }, { signal }),
  });

export const rowsQuery = (dataset: string, asked: DatasetsRowsParams) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'rows', asked],
    queryFn: ({ signal }) => datasetsRows(dataset, asked, { signal }),
    placeholderData: keepPreviousData,
  });

export const profileQuery = (dataset: string) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'profile'],
    queryFn: ({ signal }) => datasetsProfile(dataset, { signal }),
  });

export const rejectsQuery = (dataset: string, cursor: string | undefined, limit: number) =>
  queryOptions({
    queryKey: ['dataset', dataset, 'rejects', cursor ?? null, limit],
    queryFn: ({ signal }) =>
      request<RejectsPage>(getDatasetsRejectsUrl(dataset, { cursor, limit }), { signal }),
    placeholderData: keepPreviousData,
  });

/** The cursor inside a `next` or `previous` address. */
export const cursorOf = (address: string | null | undefined): string | undefined =>
  address ? (new URL(address, location.origin).searchParams.get('cursor') ?? undefined) : undefined;

/** After an upload, a retry, an undo, or the end of a job: everything that rests on the rows may have changed. */
export async function refreshAfterChange(client: QueryClient): Promise<void> {
  await Promise.all(
    ['dashboard', 'jobs', 'job', 'datasets', 'dataset', 'mappings'].map((key) =>
      client.invalidateQueries({ queryKey: [key] }),
    ),
  );
}
