import { Button, Menu } from '@mantine/core';
import { useState } from 'react';

import { plural } from '@/shared/format/format';
import { Icon } from '@/shared/ui/icons';
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
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<Icon name="download" size={15} />}
          loading={busy}
          disabled={rows === 0}
        >
          {label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{what ?? `${plural(rows, 'row', 'rows')}, as shown`}</Menu.Label>
        <Menu.Item leftSection={<Icon name="table" size={15} />} onClick={() => void start('xlsx')}>
          Excel workbook (.xlsx)
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="file" size={15} />} onClick={() => void start('csv')}>
          CSV
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
