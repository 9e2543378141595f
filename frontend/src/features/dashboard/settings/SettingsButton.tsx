import { Button, Drawer, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';

import { settingsQuery } from '@/shared/api/queries';
import { Async } from '@/shared/ui/Async';
import { Icon } from '@/shared/ui/icons';

import { SettingsForm } from './SettingsForm';

/** The numbers a department chooses for its insights; no button where its insights have none to choose. */
export function SettingsButton({ department }: { department: string }) {
  const [opened, { open, close }] = useDisclosure(false);
  const settings = useQuery(settingsQuery(department));
  if (settings.data?.settings.length === 0 || (settings.isPending && !opened)) return null;
  return (
    <>
      <Button variant="default" leftSection={<Icon name="settings" size={16} />} onClick={open}>
        Settings
      </Button>
      <Drawer
        opened={opened}
        onClose={close}
        position="right"
        size="md"
        title={
          <Text fw={600} ff="heading">
            What the insights are computed with
          </Text>
        }
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Async query={settings}>
          {(data) => <SettingsForm department={department} settings={data.settings} />}
        </Async>
      </Drawer>
    </>
  );
}
