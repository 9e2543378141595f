import type { DashboardOutput, JobOutput } from '@/shared/api/gen/model';
import { isActive } from '@/shared/api/queries';

export type Freshness =
  | { kind: 'fresh' }
  /** New rows are on their way; what is shown is from before them. */
  | { kind: 'under-way'; job: JobOutput }
  /** The newest run failed; what is shown is from before it. */
  | { kind: 'failed'; job: JobOutput }
  /** Loaded, but no insight has seen it. */
  | { kind: 'behind' };

/** On each card: what it does not hold yet; undefined where it is the newest there is. */
export function missingIn(fresh: Freshness): string | undefined {
  switch (fresh.kind) {
    case 'under-way':
      return `From before “${fresh.job.dataset_name}”, which is being worked on. It changes by itself.`;
    case 'failed':
      return `From before “${fresh.job.dataset_name}”, which could not be worked through.`;
    case 'behind':
      return 'From before the newest upload, over which no insights have been computed.';
    case 'fresh':
      return undefined;
  }
}

/** Is what the dashboard shows the newest there is? `jobs` are the department's, newest first. */
export function freshnessOf(dashboard: DashboardOutput, jobs: readonly JobOutput[]): Freshness {
  const active = jobs.find(isActive);
  if (active) return { kind: 'under-way', job: active };
  const [newest] = jobs;
  if (newest?.status === 'failed') return { kind: 'failed', job: newest };
  const { latest } = dashboard.datasets;
  const updated = dashboard.last_updated;
  if (
    latest &&
    dashboard.insights.length > 0 &&
    updated &&
    new Date(latest.uploaded_at) > new Date(updated)
  ) {
    return { kind: 'behind' };
  }
  return { kind: 'fresh' };
}
