import { Progress } from '@mantine/core';

import type { JobOutput, StageOutput } from '@/shared/api/gen/model';
import { format } from '@/shared/format/format';
import { StatusBadge } from '@/shared/ui/Badges';
import { Icon, type IconName } from '@/shared/ui/icons';
import { Notice } from '@/shared/ui/Notice';
import tones from '@/shared/ui/Notice.module.css';

import classes from './StageTimeline.module.css';
import { beganWord, progressShare, progressWords, stageWord } from './words';

const DOTS: Record<StageOutput['status'], { icon: IconName; tone: string | undefined }> = {
  queued: { icon: 'clock', tone: undefined },
  processing: { icon: 'pulse', tone: tones.info },
  succeeded: { icon: 'check', tone: tones.good },
  failed: { icon: 'cross', tone: tones.bad },
};

/** A job's way: taken in, cleaned and loaded, insights computed; with attempts, progress, and the reason of a failure. */
export function StageTimeline({ job }: { job: JobOutput }) {
  const waits = job.stages.every((run) => run.stage !== 'ml') && job.status !== 'failed';
  return (
    <ol className={classes.list} aria-label="Stages of the job">
      <li className={classes.step}>
        <Dot icon="check" tone={tones.good} />
        <div className={classes.body}>
          <div className={classes.title}>{beganWord(job.cause)}</div>
          <div className={classes.meta}>{format.dateTime(job.created_at)}</div>
        </div>
      </li>
      {job.stages.map((run) => (
        <Stage key={run.stage} run={run} />
      ))}
      {waits && (
        <li className={classes.step}>
          <Dot icon="clock" />
          <div className={classes.body}>
            <div className={classes.title}>{stageWord('ml')}</div>
            <div className={classes.meta}>Waits for the stage before it</div>
          </div>
        </li>
      )}
    </ol>
  );
}

function Dot({ icon, tone }: { icon: IconName; tone?: string }) {
  return (
    <span className={`${classes.dot} ${tone ?? ''}`}>
      <Icon name={icon} size={15} strokeWidth={2.4} />
    </span>
  );
}

export function Stage({ run }: { run: StageOutput }) {
  const share = progressShare(run.progress);
  const progress = progressWords(run.progress);
  const meta = [
    run.attempts > 0 && `Attempt ${format.integer(run.attempts)} of ${format.integer(run.max_attempts)}`,
    run.status === 'processing' && progress,
    run.duration_ms !== null && format.duration(run.duration_ms),
    run.status === 'queued' && run.attempts === 0 && 'Waits for a worker',
    run.dead_lettered && 'No further attempts by itself',
  ].filter(Boolean);
  return (
    <li className={classes.step}>
      <Dot {...DOTS[run.status]} />
      <div className={classes.body}>
        <div className={classes.title}>
          {stageWord(run.stage)} <StatusBadge status={run.status} />
        </div>
        <div className={classes.meta}>{meta.join(' · ')}</div>
        {run.status === 'processing' && (
          <Progress
            className={classes.extra}
            value={share ?? 100}
            animated={share === null}
            striped={share === null}
            radius="xl"
            aria-label={`${stageWord(run.stage)}: ${progress || 'under way'}`}
          />
        )}
        {run.error && (
          <div className={classes.extra}>
            <Notice tone={run.status === 'failed' ? 'bad' : 'warning'} title={run.error.message}>
              {run.error.hint && <div>{run.error.hint}</div>}
              <div className={tones.small}>{run.error.code}</div>
            </Notice>
          </div>
        )}
      </div>
    </li>
  );
}
