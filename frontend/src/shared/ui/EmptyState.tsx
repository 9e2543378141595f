import { Stack, Text, ThemeIcon } from '@mantine/core';
import type { ReactNode } from 'react';

import { Icon, type IconName } from './icons';

interface EmptyStateProps {
  icon: IconName;
  title: string;
  /** Where it is the whole page. */
  heading?: 'h1';
  children?: ReactNode;
  action?: ReactNode;
}

/** Nothing to show is an answer too: it says why, and what to do next. */
export function EmptyState({ icon, title, heading, children, action }: EmptyStateProps) {
  return (
    <Stack align="center" gap={6} py="xl" px="md" ta="center">
      <ThemeIcon size={52} radius="xl" variant="light" color="azure" mb={6}>
        <Icon name={icon} size={24} />
      </ThemeIcon>
      <Text fw={600} ff="heading" component={heading ?? 'p'} m={0}>
        {title}
      </Text>
      {children !== undefined && (
        <Text c="dimmed" size="sm" maw={440}>
          {children}
        </Text>
      )}
      {action !== undefined && <div style={{ marginTop: 12 }}>{action}</div>}
    </Stack>
  );
}
