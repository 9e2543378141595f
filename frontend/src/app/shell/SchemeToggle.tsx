import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';

import { Icon } from '@/shared/ui/icons';

export function SchemeToggle() {
  const scheme = useComputedColorScheme('light');
  const { setColorScheme } = useMantineColorScheme();
  const next = scheme === 'dark' ? 'light' : 'dark';
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={`Switch to the ${next} scheme`}
      onClick={() => setColorScheme(next)}
    >
      <Icon name={scheme === 'dark' ? 'sun' : 'moon'} size={19} />
    </ActionIcon>
  );
}
