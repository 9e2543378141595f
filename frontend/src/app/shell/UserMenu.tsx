import { ActionIcon, Menu, Text, type MenuItemProps } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

import { asProblem } from '@/shared/api/problem';
import { logOut } from '@/shared/session/session';
import { useUser } from '@/shared/session/useSession';
import { Icon } from '@/shared/ui/icons';

type Anchor = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof MenuItemProps> & {
  ref?: Ref<HTMLAnchorElement>;
};
const MenuLink = createLink((props: MenuItemProps & Anchor) => <Menu.Item component="a" {...props} />);

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
        <MenuLink to="/account" leftSection={<Icon name="user" size={16} />}>
          Your account
        </MenuLink>
        <MenuLink to="/account" hash="password" leftSection={<Icon name="key" size={16} />}>
          Change password
        </MenuLink>
        <Menu.Item leftSection={<Icon name="leave" size={16} />} onClick={() => void leave()}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
