import type { RowCountsOutput } from '@/shared/api/gen/model';
import { format } from '@/shared/format/format';
import { NumberCards } from '@/shared/shapes/NumberCards';

interface RowCountsProps {
  rows: RowCountsOutput;
  /** The file was refused as a whole: its good lines could have been loaded, and were not. */
  refused?: boolean;
}

/** What became of the lines: read is the sum of the other three, but for a refused file, of which none is loaded. */
export function RowCounts({ rows, refused = false }: RowCountsProps) {
  const share = (count: number) =>
    rows.read > 0 ? `${format.percent(count / rows.read, 1)} of those read` : '';
  return (
    <NumberCards
      cards={[
        { label: 'Read', value: format.integer(rows.read), icon: 'file' },
        refused
          ? {
              label: 'Usable',
              value: format.integer(rows.read - rows.rejected - rows.duplicate),
              icon: 'check',
              note: 'not loaded; the file was refused',
            }
          : { label: 'Loaded', value: format.integer(rows.loaded), icon: 'check', note: share(rows.loaded) },
        {
          label: 'Rejected',
          value: format.integer(rows.rejected),
          icon: 'alert',
          note: share(rows.rejected),
          tone: rows.rejected > 0 ? 'warning' : undefined,
        },
        {
          label: 'Duplicate',
          value: format.integer(rows.duplicate),
          icon: 'data',
          note: share(rows.duplicate),
        },
      ]}
    />
  );
}
