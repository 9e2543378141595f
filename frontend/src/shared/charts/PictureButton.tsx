import { Button } from '@mantine/core';
import type { EChartsCoreOption } from 'echarts/core';
import { useState } from 'react';

import { save } from '@/shared/api/download';
import { Icon } from '@/shared/ui/icons';
import { tellProblem } from '@/shared/ui/tellProblem';

interface PictureButtonProps {
  /** The file's, without the ending. */
  name: string;
  title: string;
  /** What a reader without this page has to know. */
  notes: string[];
  option: () => EChartsCoreOption;
}

/** The chart as a PNG file, on white whatever the page's colours are. */
export function PictureButton({ name, title, notes, option }: PictureButtonProps) {
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    try {
      // With the charts' own code, which a page without a chart does not load.
      const { pictureOf } = await import('./picture');
      save(await pictureOf({ option: option(), title, notes }), `${name}.png`);
    } catch (error) {
      tellProblem(error, { message: 'The picture could not be made.', hint: 'Load the page again.' });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      variant="subtle"
      size="compact-sm"
      leftSection={<Icon name="download" size={14} />}
      loading={busy}
      onClick={() => void start()}
    >
      Save as PNG
    </Button>
  );
}
