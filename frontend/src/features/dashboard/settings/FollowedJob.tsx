import { useQuery } from '@tanstack/react-query';

import { isActive, jobQuery } from '@/shared/api/queries';
import { currentStage, progressWords, stageWord } from '@/shared/jobs/words';
import { Notice, type Tone } from '@/shared/ui/Notice';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';
import { TextLink } from '@/shared/ui/links';

/** The job that computes with the new numbers, until it ends. */
export function FollowedJob({ id }: { id: string }) {
  const { data: job, error } = useQuery(jobQuery(id));
  if (!job) return error ? <ProblemNotice error={error} /> : null;
  const run = currentStage(job);
  const moving = isActive(job);
  const [tone, title]: [Tone, string] = moving
    ? ['info', 'Saved; the insights are computed anew']
    : job.status === 'failed'
      ? ['bad', 'Saved, but the insights could not be computed anew']
      : ['good', 'Saved, and the insights are computed with it'];
  return (
    <Notice tone={tone} title={title}>
      {moving && run && `${[stageWord(run.stage), progressWords(run.progress)].filter(Boolean).join(', ')}. `}
      {run?.error && `${run.error.message} `}
      <TextLink to="/jobs/$job" params={{ job: job.id }} size="sm">
        {job.status === 'failed' ? 'Why, and what to do' : 'See the job'}
      </TextLink>
    </Notice>
  );
}
