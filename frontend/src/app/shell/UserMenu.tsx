import { ActionIcon, Menu, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';

import { PasswordChange } from '@/features/auth/PasswordChange';
import { asProblem } from '@/shared/api/problem';
import { logOut } from '@/shared/session/session';
import { useUser } from '@/shared/session/useSession';
import { Icon } from '@/shared/ui/icons';

export function UserMenu() {
  const user = useUser();
  const [changing, { open, close }] = useDisclosure(false);
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
    <>
      <Menu position="bottom-end" width={250} shadow="md" withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <ActionIcon variant="light" size="lg" radius="xl" aria-label={`Account of ${user.full_name}`}>
            <Icon name="user" size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <Text fw={600} size="sm">
              {user.full_name}
            </Text>
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {user.email}
              {user.role === 'admin' && ' · admin'}
            </Text>
          </Menu.Label>
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="key" size={16} />} onClick={open}>
            Change password
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="leave" size={16} />} onClick={() => void leave()}>
            Log out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <PasswordChange opened={changing} onClose={close} />
    </>
  );
}
