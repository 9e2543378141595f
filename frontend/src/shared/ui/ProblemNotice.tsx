import { Button } from '@mantine/core';

import { asProblem } from '@/shared/api/problem';

import { Icon } from './icons';
import { Notice } from './Notice';
import classes from './Notice.module.css';

interface ProblemNoticeProps {
  error: unknown;
  onRetry?: () => void;
  /** Fields whose entries the form shows itself, beside the field. */
  shownFields?: readonly string[];
}

/** Asking once more gives the same answer. */
const FINAL = new Set([403, 404]);

/** Every error of the API, in words: what happened, what to do, and the id under which operators find it. */
export function ProblemNotice({ error, onRetry, shownFields = [] }: ProblemNoticeProps) {
  const problem = asProblem(error);
  const entries = problem.entries.filter((entry) => !shownFields.includes(entry.pointer.replace(/^\//, '')));
  const [only] = entries;
  const single = entries.length === 1 && only ? only.detail : null;
  const message =
    single ??
    (problem.entries.length > 0 && entries.length === 0
      ? 'Please look at the marked fields.'
      : problem.message);
  return (
    <Notice
      tone="bad"
      title={message}
      actions={
        onRetry &&
        !FINAL.has(problem.status) && (
          <Button size="xs" variant="default" leftSection={<Icon name="retry" size={14} />} onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      {entries.length > 1 && (
        <ul style={{ margin: '4px 0', paddingLeft: 18 }}>
          {entries.map((entry) => (
            <li key={`${entry.pointer}${entry.code}`}>{entry.detail}</li>
          ))}
        </ul>
      )}
      {problem.hint && <div>{problem.hint}</div>}
      <div className={classes.small}>
        {problem.code}
        {problem.requestId !== null && <> · request {problem.requestId}</>}
      </div>
    </Notice>
  );
}
