import { Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

import { useArrival } from './useArrival';

interface PageHeaderProps {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
}

export function PageHeader({ title, lead, actions }: PageHeaderProps) {
  const heading = useArrival(title);
  return (
    <Group component="header" justify="space-between" align="flex-end" gap="sm" mb="lg">
      <div style={{ minWidth: 0, flex: '1 1 280px' }}>
        <Title order={1} ref={heading} tabIndex={-1} style={{ overflowWrap: 'anywhere' }}>
          {title}
        </Title>
        {lead !== undefined && (
          <Text c="dimmed" mt={4} component="div">
            {lead}
          </Text>
        )}
      </div>
      {actions !== undefined && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
