import { Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { getDatasetsRejectsCsvUrl } from '@/shared/api/gen/client';
import type { RejectOutput } from '@/shared/api/gen/model';
import { cursorOf, rejectsQuery } from '@/shared/api/queries';
import { format, UNKNOWN } from '@/shared/format/format';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import { Async } from '@/shared/ui/Async';
import { CursorButtons } from '@/shared/ui/CursorButtons';
import { DownloadButton } from '@/shared/ui/DownloadButton';
import { EmptyState } from '@/shared/ui/EmptyState';
import { Icon } from '@/shared/ui/icons';
import { ButtonLink } from '@/shared/ui/links';
import { Panel } from '@/shared/ui/Panel';

import classes from './RejectedRows.module.css';

const LIMIT = 25;

/** What was wrong, cell by cell, with what to do about it; and the lines as a file, to mend and upload again. */
export function RejectedRows({ dataset, refused }: { dataset: string; refused: boolean }) {
  const [cursor, setCursor] = useState<string>();
  const rejects = useQuery(rejectsQuery(dataset, cursor, LIMIT));
  const some = (rejects.data?.results.length ?? 0) > 0;
  return (
    <Panel
      title="Rejected lines and why"
      lead={
        refused
          ? 'Nothing of this file was loaded. Mend these lines in it, and upload the whole file again.'
          : 'The others are loaded. Download these, mend them, and upload the corrected file: no more is needed.'
      }
      actions={
        some && (
          <>
            <DownloadButton
              size="xs"
              url={getDatasetsRejectsCsvUrl(dataset)}
              filename={`${dataset}-rejects.csv`}
            >
              Download rejects
            </DownloadButton>
            <ButtonLink
              to="/upload"
              search={refused ? {} : { corrects: dataset }}
              size="xs"
              leftSection={<Icon name="upload" size={14} />}
            >
              {refused ? 'Upload the whole file again' : 'Upload corrected file'}
            </ButtonLink>
          </>
        )
      }
    >
      <Async
        query={rejects}
        isEmpty={(data) => data.results.length === 0}
        empty={
          <EmptyState icon="check" title="No rejected lines">
            The reason lies with the file as a whole, not with single lines.
          </EmptyState>
        }
      >
        {(data) => (
          <>
            <DataTable
              caption="Rejected lines"
              columns={COLUMNS}
              rows={data.results}
              rowKey={(reject) => `${reject.line}/${reject.column ?? ''}/${reject.code}`}
            />
            <Group justify="flex-end" mt="md">
              <CursorButtons
                previous={cursorOf(data.previous)}
                next={cursorOf(data.next)}
                hasPrevious={Boolean(data.previous)}
                onCursor={setCursor}
              />
            </Group>
          </>
        )}
      </Async>
    </Panel>
  );
}

const COLUMNS: Column<RejectOutput>[] = [
  {
    key: 'line',
    header: 'Line',
    align: 'right',
    names: true,
    render: (reject) => format.integer(reject.line),
  },
  { key: 'column', header: 'Column', render: (reject) => reject.column ?? UNKNOWN },
  {
    key: 'value',
    header: 'Value',
    render: (reject) =>
      reject.value === null || reject.value === '' ? (
        <span className={classes.muted}>empty</span>
      ) : (
        <code className={classes.value}>{reject.value}</code>
      ),
  },
  {
    key: 'message',
    header: 'What is wrong, and what to do',
    wide: true,
    render: (reject) => (
      <>
        <div>{reject.message}</div>
        {reject.hint && <div className={classes.muted}>{reject.hint}</div>}
      </>
    ),
  },
  { key: 'code', header: 'Code', render: (reject) => <span className={classes.muted}>{reject.code}</span> },
];
