import { Center, Stack, Title } from '@mantine/core';
import { Outlet, useRouter } from '@tanstack/react-router';

import { EmptyState } from '@/shared/ui/EmptyState';
import { ButtonLink } from '@/shared/ui/links';
import { Logo } from '@/shared/ui/Logo';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { Connection, OnTheWay } from './Connection';

/** Around every page, with or without a session. */
export function Root() {
  return (
    <>
      <OnTheWay />
      <Outlet />
      <Connection />
    </>
  );
}

/** Where not even the frame of the page could be drawn, such as when the platform is down at the first load. */
export function Broken({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <Center mih="100dvh" p="md" component="main">
      <Stack maw={460} w="100%">
        <Logo />
        <Title order={1} size="h3">
          The page cannot be shown now
        </Title>
        <ProblemNotice error={error} onRetry={() => void router.invalidate()} />
      </Stack>
    </Center>
  );
}

export function NotFound() {
  return (
    <Center mih="70dvh" component="main">
      <EmptyState
        icon="search"
        title="There is no such page"
        heading="h1"
        action={<ButtonLink to="/">To the dashboard</ButtonLink>}
      >
        The address may be mistyped, or what was here is gone.
      </EmptyState>
    </Center>
  );
}
