import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';

import { settingsQuery } from '@/shared/api/queries';
import { Icon } from '@/shared/ui/icons';
import { lazyPart } from '@/shared/ui/lazyPart';
import { WhenWanted } from '@/shared/ui/WhenWanted';

const SettingsDrawer = lazyPart(() => import('./SettingsDrawer'), 'SettingsDrawer');

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
      <WhenWanted wanted={opened}>
        <SettingsDrawer department={department} opened={opened} onClose={close} />
      </WhenWanted>
    </>
  );
}
