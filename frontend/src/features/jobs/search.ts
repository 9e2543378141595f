import { JobsListOrderingItem, RunStatus, StageName } from '@/shared/api/gen/model';
import { oneOf, page, someOf, text } from '@/shared/router/search';

export interface JobsSearch {
  status?: RunStatus[];
  stage?: StageName;
  department?: string;
  dataset?: string;
  ordering?: JobsListOrderingItem;
  page?: number;
}

export const jobsSearch = (raw: Record<string, unknown>): JobsSearch => ({
  status: someOf(raw, 'status', Object.values(RunStatus)),
  stage: oneOf(raw, 'stage', Object.values(StageName)),
  department: text(raw, 'department'),
  dataset: text(raw, 'dataset'),
  ordering: oneOf(raw, 'ordering', Object.values(JobsListOrderingItem)),
  page: page(raw),
});
