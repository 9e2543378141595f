import { Button, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { useUser } from '@/shared/session/useSession';
import { Async, Lines } from '@/shared/ui/Async';
import { EmptyState } from '@/shared/ui/EmptyState';
import { ButtonLink } from '@/shared/ui/links';
import { PageHeader } from '@/shared/ui/PageHeader';

import { Failures } from './Failures';
import { Line } from './Line';
import { Queues } from './Queues';
import { Services } from './Services';
import { EVERY_SECONDS, statusQuery } from './status';
import { Workers } from './Workers';

export function SystemPage() {
  // Theirs it is not for the server to say only: nothing is asked that would be refused.
  return useUser().role === 'admin' ? <Status /> : <NotYours />;
}

function Status() {
  const status = useQuery(statusQuery);
  const read = status.data && new Date(status.data.read_at).toLocaleTimeString();
  return (
    <>
      <PageHeader
        title="System"
        lead={
          read
            ? `Read at ${read}; anew every ${EVERY_SECONDS} seconds while this page is open.`
            : 'How the platform does.'
        }
        actions={
          status.data && (
            <Button component="a" href={status.data.console} variant="default">
              Operators’ console
            </Button>
          )
        }
      />
      <Async query={status} skeleton={<Lines count={12} height={30} />}>
        {(data) => (
          <Stack gap="lg">
            <Services services={data.services} />
            <Queues queues={data.queues} />
            <Line outbox={data.outbox} jobs={data.jobs} />
            <Workers workers={data.workers} />
            <Failures failures={data.failures} since={data.failures_since} />
          </Stack>
        )}
      </Async>
    </>
  );
}

function NotYours() {
  return (
    <EmptyState
      icon="key"
      title="This page is not yours"
      heading="h1"
      action={<ButtonLink to="/">To your dashboard</ButtonLink>}
    >
      How the system does is for admins. Where your own files are, the list of jobs says; if something is
      stuck, ask an admin to look.
    </EmptyState>
  );
}
