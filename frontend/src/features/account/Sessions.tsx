import { Button, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { authSessionsEnd, authSessionsEndOthers } from '@/shared/api/gen/client';
import type { SessionOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import { Async, Lines } from '@/shared/ui/Async';
import { Icon } from '@/shared/ui/icons';
import { Panel } from '@/shared/ui/Panel';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { deviceOf } from './device';
import { sessionsQuery } from './sessions';
import classes from './Sessions.module.css';

export function Sessions() {
  const client = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  // Also after a refusal: one that has ended meanwhile is gone from the list.
  const onSettled = () => client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  const one = useMutation({
    mutationFn: (session: SessionOutput) => authSessionsEnd(session.id),
    onSuccess: (_, session) =>
      notifications.show({
        color: 'teal',
        title: 'The session has ended',
        message: `${deviceOf(session.user_agent).words} is logged out as of now.`,
      }),
    onSettled,
  });
  const others = useMutation({
    mutationFn: () => authSessionsEndOthers(),
    onSuccess: ({ ended }) =>
      notifications.show({
        color: 'teal',
        title: `${plural(ended, 'other session has', 'other sessions have')} ended`,
        message: 'You stay logged in here only.',
      }),
    onSettled,
  });
  const count = sessions.data?.count ?? 0;
  const error = one.error ?? others.error;
  return (
    <Panel
      id="sessions"
      title="Where you are logged in"
      lead="End what you do not recognise, then change your password. An ended session is logged out at once."
      actions={
        count > 1 && (
          <Button variant="default" size="sm" loading={others.isPending} onClick={() => others.mutate()}>
            End all others
          </Button>
        )
      }
    >
      <Stack>
        {error && <ProblemNotice error={error} />}
        <Async query={sessions} skeleton={<Lines count={3} height={44} />}>
          {({ results }) => (
            <>
              <ul className={classes.list}>
                {/* This one first: it is what the others are compared with. */}
                {results
                  .toSorted((a, b) => Number(b.current) - Number(a.current))
                  .map((session) => (
                    <Row
                      key={session.id}
                      session={session}
                      isEnding={one.isPending && one.variables.id === session.id}
                      onEnd={() => one.mutate(session)}
                    />
                  ))}
              </ul>
              {count > results.length && (
                <Text size="sm" c="dimmed">
                  These are the {format.integer(results.length)} used last, of {format.integer(count)}.
                </Text>
              )}
            </>
          )}
        </Async>
      </Stack>
    </Panel>
  );
}

interface RowProps {
  session: SessionOutput;
  isEnding: boolean;
  onEnd: () => void;
}

function Row({ session, isEnding, onEnd }: RowProps) {
  const { words, icon } = deviceOf(session.user_agent);
  const from = session.ip ? `from ${session.ip}` : 'from an unknown address';
  return (
    <li className={classes.session}>
      <Icon name={icon} size={22} className={classes.icon} />
      <div>
        <div className={classes.name} title={session.user_agent}>
          {words}
          {session.current && <span className={classes.here}>This one</span>}
        </div>
        <div className={classes.about}>
          {from}, since {format.dateTime(session.created_at)}
          {!session.current && <>, last used {format.ago(session.last_used_at)}</>}
        </div>
      </div>
      {!session.current && (
        <Button
          variant="subtle"
          color="red"
          size="sm"
          loading={isEnding}
          onClick={onEnd}
          aria-label={`End the session of ${words}, ${from}`}
        >
          End
        </Button>
      )}
    </li>
  );
}
