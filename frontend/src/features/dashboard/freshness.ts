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
