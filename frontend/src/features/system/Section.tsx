import { Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

import { Notice } from '@/shared/ui/Notice';
import { Panel } from '@/shared/ui/Panel';

interface SectionProps {
  title: string;
  lead?: string;
  /** Why the source tells nothing; the other parts of the page stand on other sources. */
  problem: string | null;
  /** What to look at then. */
  hint: string;
  /** What it means where there is nothing to show. */
  nothing?: string | false;
  children: ReactNode;
}

export function Section({ title, lead, problem, hint, nothing, children }: SectionProps) {
  return (
    <Panel title={title} lead={lead}>
      <Stack>
        {problem !== null && (
          <Notice tone="bad" title="This is not known at the moment">
            {problem} {hint}
          </Notice>
        )}
        {problem === null && nothing ? (
          <Text size="sm" c="dimmed">
            {nothing}
          </Text>
        ) : (
          children
        )}
      </Stack>
    </Panel>
  );
}
