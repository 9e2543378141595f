import type { DashboardOutput, JobOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import { currentStage } from '@/shared/jobs/words';

import { freshnessOf } from '../freshness';
import { viewOf } from '../registry';
import type { Attention, Kpi } from './entries';

const URGENCY: Record<Attention['tone'], number> = { bad: 0, warning: 1, info: 2 };

/** The numbers of the insights, under the kind that has their help, and of the newest upload. */
export function kpisOf({ insights, datasets: { latest } }: DashboardOutput): { kind: string; kpi: Kpi }[] {
  const kpis = insights.flatMap((insight) =>
    (viewOf(insight.kind).overview?.(insight).kpis ?? []).map((kpi) => ({ kind: insight.kind, kpi })),
  );
  if (!latest || insights.length === 0) return kpis;
  const { rows, rejected } = latest;
  const kpi: Kpi = {
    label: 'Rejected rows',
    value: format.integer(rejected),
    note:
      rejected > 0
        ? `${format.percent(rejected / (rows + rejected), 1)} of “${latest.name}”`
        : `none of “${latest.name}”`,
    tone: rejected > 0 ? 'warning' : undefined,
    icon: rejected > 0 ? 'alert' : 'check',
  };
  return [...kpis, { kind: '', kpi }];
}

/** What needs a person, the worst first: of the newest jobs, of the newest upload, and of each insight. */
export function attentionOf(dashboard: DashboardOutput, jobs: readonly JobOutput[]): Attention[] {
  const { insights, datasets } = dashboard;
  const { latest } = datasets;
  const entries = insights.flatMap((insight) => viewOf(insight.kind).overview?.(insight).attention ?? []);
  for (const job of failedSince(jobs, latest?.uploaded_at)) {
    const why = currentStage(job)?.error?.message;
    entries.push({
      key: `job/${job.id}`,
      tone: 'bad',
      title: `“${job.dataset_name}” could not be worked through`,
      detail: why,
      action: 'Why, and what to do',
      target: { to: 'job', job: job.id },
    });
  }
  if (freshnessOf(dashboard, jobs).kind === 'behind') {
    const [newest] = jobs;
    entries.push({
      key: 'behind',
      tone: 'warning',
      title: 'The newest upload is not in these numbers yet',
      detail: 'Its rows are loaded; the insights over them have not been computed.',
      action: 'See the job',
      target: newest ? { to: 'job', job: newest.id } : { to: 'upload' },
    });
  }
  if (latest && latest.rejected > 0) {
    entries.push({
      key: 'rejects',
      tone: 'warning',
      title: `${plural(latest.rejected, 'row', 'rows')} of “${latest.name}” ${latest.rejected === 1 ? 'was' : 'were'} rejected`,
      detail: 'Download them, mend them, and upload that file.',
      action: 'See the lines',
      target: { to: 'rejects', dataset: latest.id },
    });
  }
  return entries.sort((a, b) => URGENCY[a.tone] - URGENCY[b.tone]);
}

/** A failed job before the newest good upload was answered by it. One entry of an upload, however often it was tried. */
function failedSince(jobs: readonly JobOutput[], uploadedAt: string | undefined): JobOutput[] {
  const seen = new Set<string>();
  return jobs.filter((job) => {
    const isNewest = !seen.has(job.dataset_id);
    seen.add(job.dataset_id);
    const late = uploadedAt === undefined || new Date(job.created_at) >= new Date(uploadedAt);
    return isNewest && job.status === 'failed' && late;
  });
}
