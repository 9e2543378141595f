import { ActionIcon, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Link } from '@tanstack/react-router';

import { asProblem } from '@/shared/api/problem';
import { logOut } from '@/shared/session/session';
import { useUser } from '@/shared/session/useSession';
import { Icon } from '@/shared/ui/icons';
import { entryClass, Popout, PopoutEntry, PopoutLabel } from '@/shared/ui/Popout';

export function UserMenu() {
  const user = useUser();
  const leave = async () => {
    try {
      await logOut();
    } catch (error) {
      notifications.show({
        color: 'orange',
        title: 'You are logged out here',
        message: `The platform could not be told: ${asProblem(error).message}`,
      });
    }
  };
  return (
    <Popout
      name="Your account"
      width={250}
      button={(opens) => (
        <ActionIcon
          {...opens}
          variant="light"
          size="lg"
          radius="xl"
          aria-label={`Account of ${user.full_name}`}
        >
          <Icon name="user" size={18} />
        </ActionIcon>
      )}
    >
      {(close) => (
        <>
          <PopoutLabel>
            <Text fw={600} size="sm">
              {user.full_name}
            </Text>
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {user.email}
              {user.role === 'admin' && ' · admin'}
            </Text>
          </PopoutLabel>
          <Link to="/account" className={entryClass} onClick={close}>
            <Icon name="user" size={16} />
            Your account
          </Link>
          <Link to="/account" hash="password" className={entryClass} onClick={close}>
            <Icon name="key" size={16} />
            Change password
          </Link>
          <PopoutEntry icon={<Icon name="leave" size={16} />} onClick={() => void leave()}>
            Log out
          </PopoutEntry>
        </>
      )}
    </Popout>
  );
}
