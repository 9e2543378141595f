import { Drawer, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { settingsQuery } from '@/shared/api/queries';
import { Async } from '@/shared/ui/Async';

import { SettingsForm } from './SettingsForm';

interface SettingsDrawerProps {
  department: string;
  opened: boolean;
  onClose: () => void;
}

export function SettingsDrawer({ department, opened, onClose }: SettingsDrawerProps) {
  const settings = useQuery(settingsQuery(department));
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
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
  );
}
