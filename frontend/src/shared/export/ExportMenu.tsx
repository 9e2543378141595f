import { Button } from '@mantine/core';
import { useState } from 'react';

import { plural } from '@/shared/format/format';
import { Icon } from '@/shared/ui/icons';
import { Popout, PopoutEntry, PopoutLabel } from '@/shared/ui/Popout';
import { tellProblem } from '@/shared/ui/tellProblem';

import { saveSheet, type Format } from './files';
import type { Sheet } from './sheet';

interface ExportMenuProps {
  /** What is being looked at; made when it is asked for, and of all of it, here or not. */
  sheet: () => Sheet | Promise<Sheet>;
  rows: number;
  /** The parts of the file's name before the day. */
  name: readonly (string | undefined)[];
  label?: string;
  /** What the file holds, where it is not the rows as they are shown. */
  what?: string;
}

/** The rows as they are filtered and sorted now, as a file. */
export function ExportMenu({ sheet, rows, name, label = 'Export', what }: ExportMenuProps) {
  const [busy, setBusy] = useState(false);
  const start = async (format: Format) => {
    setBusy(true);
    try {
      await saveSheet(await sheet(), name, format);
    } catch (error) {
      tellProblem(error, {
        message: 'The file could not be made.',
        hint: 'Try again; if it stays so, filter the table to fewer rows.',
      });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Popout
      name={label}
      width={240}
      button={(opens) => (
        <Button
          {...opens}
          variant="default"
          leftSection={<Icon name="download" size={15} />}
          loading={busy}
          disabled={rows === 0}
        >
          {label}
        </Button>
      )}
    >
      {(close) => {
        const choose = (format: Format) => {
          close();
          void start(format);
        };
        return (
          <>
            <PopoutLabel>{what ?? `${plural(rows, 'row', 'rows')}, as shown`}</PopoutLabel>
            <PopoutEntry icon={<Icon name="table" size={15} />} onClick={() => choose('xlsx')}>
              Excel workbook (.xlsx)
            </PopoutEntry>
            <PopoutEntry icon={<Icon name="file" size={15} />} onClick={() => choose('csv')}>
              CSV
            </PopoutEntry>
          </>
        );
      }}
    </Popout>
  );
}
