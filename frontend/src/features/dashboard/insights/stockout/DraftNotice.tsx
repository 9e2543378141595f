import { Button } from '@mantine/core';

import { plural } from '@/shared/format/format';
import { Icon } from '@/shared/ui/icons';
import { Notice } from '@/shared/ui/Notice';

import classes from '../items/items.module.css';
import type { Draft } from './useDraft';

/** Whose figures these are, and where: nothing a planner types goes into the data. */
export function DraftNotice({ draft }: { draft: Draft }) {
  const count = Object.keys(draft.quantities).length;
  if (count === 0) return null;
  return (
    <div className={classes.outcome}>
      <Notice
        tone="info"
        title={`${plural(count, 'edit', 'edits')}, not saved to the data`}
        actions={
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="undo" size={14} />}
            onClick={draft.reset}
          >
            Back to the suggested
          </Button>
        }
      >
        They are yours alone, on this device, until new insights are computed or you log out. The order sheet
        has them.
      </Notice>
    </div>
  );
}
