import type { JobOutput, StageName } from '@/shared/api/gen/model';
import { format, humanise } from '@/shared/format/format';

const STAGES: Record<StageName, string> = { etl: 'Clean and load', ml: 'Compute insights' };

export const stageWord = (stage: StageName): string => STAGES[stage];

const CAUSES: Record<string, string> = {
  upload: 'Upload',
  reprocess: 'Run again',
  undo: 'After an undo',
  settings: 'Settings changed',
  message: 'Message from another system',
};

export const causeWord = (cause: string): string => CAUSES[cause] ?? humanise(cause);

/** What the job began with; only what came from outside is taken in. */
export const beganWord = (cause: string): string =>
  cause === 'upload' || cause === 'message' ? `${causeWord(cause)} taken in` : causeWord(cause);

/** "1,200 of 5,000 rows"; empty before anything is known. */
export function progressWords({ done, total, unit }: { done: number; total: number; unit: string }): string {
  if (done === 0 && total === 0) return '';
  const write = unit === 'bytes' ? format.bytes : format.integer;
  const of = total > 0 ? `${write(done)} of ${write(total)}` : write(done);
  return unit === 'bytes' ? of : `${of} ${unit}`.trim();
}

/** Of 100; null where the end is not known. */
export function progressShare({ done, total }: { done: number; total: number }): number | null {
  return total > 0 ? Math.min(100, (done / total) * 100) : null;
}

/** The stage a job is at, or ended at. */
export const currentStage = (job: JobOutput) =>
  job.stages.find((run) => run.stage === job.stage) ?? job.stages.at(-1);

export const etlOf = (job: JobOutput) => job.stages.find((run) => run.stage === 'etl');
