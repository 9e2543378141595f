import { Button, Group } from '@mantine/core';

import { Icon } from './icons';

interface CursorButtonsProps {
  previous: string | undefined;
  next: string | undefined;
  /** The first page has no cursor, so "back to it" is an undefined cursor and not the lack of one. */
  hasPrevious: boolean;
  onCursor: (cursor: string | undefined) => void;
}

/** Page by page where the number of pages is not known. */
export function CursorButtons({ previous, next, hasPrevious, onCursor }: CursorButtonsProps) {
  if (!hasPrevious && next === undefined) return null;
  return (
    <Group gap="xs">
      <Button
        variant="default"
        size="xs"
        leftSection={<Icon name="left" size={14} />}
        disabled={!hasPrevious}
        onClick={() => onCursor(previous)}
      >
        Previous
      </Button>
      <Button
        variant="default"
        size="xs"
        rightSection={<Icon name="right" size={14} />}
        disabled={next === undefined}
        onClick={() => onCursor(next)}
      >
        Next
      </Button>
    </Group>
  );
}
