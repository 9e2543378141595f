import { Button } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';

import { asProblem, waitFor, type ApiProblem } from '@/shared/api/problem';
import { format, plural } from '@/shared/format/format';
import { useSession } from '@/shared/session/useSession';

import { Icon } from './icons';
import { Notice } from './Notice';
import classes from './Notice.module.css';
import { loadAnewIfReachable } from './reload';

interface ProblemNoticeProps {
  error: unknown;
  onRetry?: () => void;
  /** Fields whose entries the form shows itself, beside the field. */
  shownFields?: readonly string[];
  /** Ways on from here besides trying again. */
  ways?: ReactNode;
}

/** Asking once more gives the same answer. */
const FINAL = new Set([403, 404]);
export const isFinal = (error: unknown): boolean => FINAL.has(asProblem(error).status);

/** What a new document may mend. */
const OF_THE_PAGE = new Set(['page-part-missing', 'page-error', 'malformed-response']);

/** Every error of the API, in words: what happened, what to do, and the id under which operators find it. */
export function ProblemNotice({ error, onRetry, shownFields = [], ways }: ProblemNoticeProps) {
  const problem = asProblem(error);
  const waiting = useWaiting(problem);
  const { message, hint, listed } = useWords(problem, shownFields);
  const actions = [
    onRetry && !FINAL.has(problem.status) && (
      <Button
        key="retry"
        size="xs"
        variant="default"
        leftSection={<Icon name="retry" size={14} />}
        disabled={waiting}
        onClick={onRetry}
      >
        Try again
      </Button>
    ),
    OF_THE_PAGE.has(problem.code) && <LoadAnew key="load" />,
    ways,
  ].filter(Boolean);
  return (
    <Notice tone="bad" title={message} actions={actions.length > 0 ? actions : undefined}>
      {listed.length > 1 && (
        <ul style={{ margin: '4px 0', paddingLeft: 18 }}>
          {listed.map((entry) => (
            <li key={`${entry.pointer}${entry.code}`}>{entry.detail}</li>
          ))}
        </ul>
      )}
      {hint && <div>{hint}</div>}
      <div className={classes.small}>
        {problem.code}
        {problem.requestId !== null && <> · request {problem.requestId}</>}
      </div>
    </Notice>
  );
}

function useWords(problem: ApiProblem, shownFields: readonly string[]) {
  const { status } = useSession();
  const listed = problem.entries.filter((entry) => !shownFields.includes(entry.pointer.replace(/^\//, '')));
  const [only] = listed;
  if (problem.code === 'session-ended' && status === 'active') {
    return {
      message: 'Your session had ended when this was asked for.',
      hint: 'You are logged in again, and nothing you typed is lost: ask once more.',
      listed: [],
    };
  }
  if (problem.entries.length > 0 && listed.length === 0) {
    return { message: 'Please look at the marked fields.', hint: problem.hint, listed };
  }
  const message = listed.length === 1 && only ? only.detail : problem.message;
  return { message, hint: problem.notBefore === null ? problem.hint : waitWords(problem.notBefore), listed };
}

/** In words that stay true while they stand there: an alert that counts down would be read out every second. */
function waitWords(until: number): string {
  const seconds = Math.ceil((until - Date.now()) / 1000);
  if (seconds <= 0) return 'The wait that was asked for is over: try again.';
  const wait = seconds < 120 ? plural(seconds, 'second', 'seconds') : `until ${format.time(until)}`;
  return `Wait ${wait}, then try again. Nothing you typed is lost.`;
}

/** Until the moment before which the server asked not to be asked again. */
function useWaiting(problem: ApiProblem): boolean {
  const [, look] = useState(0);
  const wait = waitFor(problem);
  useEffect(() => {
    if (wait === 0) return undefined;
    const timer = setTimeout(() => look((count) => count + 1), wait + 50);
    return () => clearTimeout(timer);
  }, [wait]);
  return wait > 0;
}

function LoadAnew() {
  const [state, setState] = useState<'idle' | 'asking' | 'away'>('idle');
  const load = async () => {
    setState('asking');
    setState((await loadAnewIfReachable()) ? 'asking' : 'away');
  };
  return (
    <>
      <Button size="xs" variant="default" loading={state === 'asking'} onClick={() => void load()}>
        Load the page again
      </Button>
      {state === 'away' && <span>The platform does not answer now; the page stays as it is.</span>}
    </>
  );
}
