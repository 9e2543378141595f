import { Button, Group, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

import type { JobOutput, SubmissionOutput } from '@/shared/api/gen/model';
import { isActive, jobQuery } from '@/shared/api/queries';
import { RowCounts } from '@/shared/jobs/RowCounts';
import { StageTimeline } from '@/shared/jobs/StageTimeline';
import { etlOf } from '@/shared/jobs/words';
import { Async } from '@/shared/ui/Async';
import { Notice } from '@/shared/ui/Notice';
import { Panel } from '@/shared/ui/Panel';
import { ButtonLink, TextLink } from '@/shared/ui/links';

interface TakenProps {
  submission: SubmissionOutput;
  onAnother: () => void;
}

/** The file has arrived: its job, as it moves. */
export function Taken({ submission, onAnother }: TakenProps) {
  const job = useQuery({ ...jobQuery(submission.job.id), placeholderData: submission.job });
  // The form below which one pressed the button is gone: go on where the news is.
  const news = useRef<HTMLDivElement>(null);
  useEffect(() => news.current?.focus(), []);
  return (
    <div ref={news} tabIndex={-1} style={{ outline: 'none', scrollMarginTop: 84 }}>
      <Panel
        title={submission.dataset.name}
        lead="The file is here. You can leave this page; the work goes on."
        actions={
          <Button variant="default" size="xs" onClick={onAnother}>
            Upload another
          </Button>
        }
      >
        <Stack>
          {submission.dataset.corrects && (
            <Notice tone="info" title="Its lines complete an earlier upload">
              <TextLink to="/data/$dataset" params={{ dataset: submission.dataset.corrects }} size="sm">
                See that upload
              </TextLink>
            </Notice>
          )}
          {submission.duplicate_of !== null && (
            <Notice tone="warning" title="The same file was uploaded before">
              Byte for byte the same as{' '}
              <TextLink to="/data/$dataset" params={{ dataset: submission.duplicate_of }} size="sm">
                an earlier upload
              </TextLink>
              . Its rows replace the earlier ones, so nothing is counted twice.
            </Notice>
          )}
          <Async query={job}>{(data) => <Progressing job={data} />}</Async>
        </Stack>
      </Panel>
    </div>
  );
}

function Progressing({ job }: { job: JobOutput }) {
  const etl = etlOf(job);
  return (
    <Stack>
      <StageTimeline job={job} />
      {etl && etl.rows.read > 0 && <RowCounts rows={etl.rows} refused={etl.status === 'failed'} />}
      <Group>
        {job.status === 'succeeded' && (
          <ButtonLink to="/dashboard/$department" params={{ department: job.department }}>
            See the dashboard
          </ButtonLink>
        )}
        <ButtonLink to="/jobs/$job" params={{ job: job.id }} variant="default">
          {isActive(job)
            ? 'Open the job'
            : job.partial || job.status === 'failed'
              ? 'See what was wrong'
              : 'Open the job'}
        </ButtonLink>
      </Group>
    </Stack>
  );
}
