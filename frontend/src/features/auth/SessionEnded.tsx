import { Anchor, Modal, Text } from '@mantine/core';

import { forget } from '@/shared/session/session';
import { useSession } from '@/shared/session/useSession';

import { LoginForm } from './LoginForm';

/** Above every dialog and drawer of the page below. */
const OVER_ALL = 1000;

/**
 * Laid over the page when the session ends under the user's hands. The page below stays as it is, with everything
 * that was typed, and goes on after the log-in, here or in another tab. Until then it cannot be read: whoever sits
 * there after a log-out in another tab may be somebody else.
 */
export function SessionEnded() {
  const session = useSession();
  const ended = session.status === 'ended' ? session.user : null;
  return (
    <Modal
      opened={ended !== null}
      onClose={forget}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      zIndex={OVER_ALL}
      overlayProps={{ blur: 14, backgroundOpacity: 0.55 }}
      title={<Text fw={600}>Your session has ended</Text>}
    >
      {ended && (
        <>
          <Text size="sm" c="dimmed" mb="md">
            Log in again to go on. What you typed is still here.
          </Text>
          <LoginForm email={ended.email} />
          <Anchor component="button" type="button" size="sm" mt="md" onClick={forget}>
            Leave this page
          </Anchor>
        </>
      )}
    </Modal>
  );
}
