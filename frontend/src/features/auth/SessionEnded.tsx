import { Anchor, Modal, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';

import { forget } from '@/shared/session/session';
import { useSession } from '@/shared/session/useSession';

import { LoginForm } from './LoginForm';

/**
 * Laid over the page when the session ends under the user's hands. The page below stays as it is, with everything
 * that was typed, and goes on after the log-in.
 */
export function SessionEnded() {
  const session = useSession();
  const client = useQueryClient();
  const router = useRouter();
  const ended = session.status === 'ended' ? session.user : null;
  return (
    <Modal
      opened={ended !== null}
      onClose={forget}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      title={<Text fw={600}>Your session has ended</Text>}
    >
      {ended && (
        <>
          <Text size="sm" c="dimmed" mb="md">
            Log in again to go on. What you typed is still here.
          </Text>
          <LoginForm
            email={ended.email}
            onDone={({ user }) => {
              if (user.id === ended.id) {
                void client.invalidateQueries();
                return;
              }
              // Somebody else: nothing of the one before may stay on the screen.
              client.clear();
              void router.navigate({ to: '/' });
            }}
          />
          <Anchor component="button" type="button" size="sm" mt="md" onClick={forget}>
            Leave this page
          </Anchor>
        </>
      )}
    </Modal>
  );
}
