import { Group } from '@mantine/core';

import { getDatasetsRejectsCsvUrl } from '@/shared/api/gen/client';
import type { CorrectionOutput, DatasetDetailOutput, SupersededByOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import { NumberCards } from '@/shared/shapes/NumberCards';
import { DownloadButton } from '@/shared/ui/DownloadButton';
import { EmptyState } from '@/shared/ui/EmptyState';
import { Icon } from '@/shared/ui/icons';
import { ButtonLink, TextLink } from '@/shared/ui/links';
import { Notice } from '@/shared/ui/Notice';
import { Panel } from '@/shared/ui/Panel';

/** What this upload changed of what was there, what newer ones have changed of it, and what mended it. */
export function History({ dataset }: { dataset: DatasetDetailOutput }) {
  return (
    <>
      {dataset.corrects && (
        <Notice tone="info" title="A correction">
          It brings rejected lines of{' '}
          <TextLink to="/data/$dataset" params={{ dataset: dataset.corrects }} size="sm">
            another upload
          </TextLink>{' '}
          mended.
        </Notice>
      )}
      <Changes dataset={dataset} />
      <Superseded newer={dataset.superseded_by} loaded={dataset.rows.loaded} />
      <Corrections dataset={dataset} />
    </>
  );
}

function Changes({ dataset: { changes, loaded_at } }: { dataset: DatasetDetailOutput }) {
  return (
    <Panel
      title="What it changed"
      lead="By the natural key of its rows, against what counted when it was loaded."
    >
      {changes ? (
        <NumberCards
          cards={[
            {
              label: 'New',
              value: format.integer(changes.new),
              note: 'keys no earlier upload had',
              icon: 'upload',
            },
            {
              label: 'Changed',
              value: format.integer(changes.changed),
              note: 'say something else than before',
              icon: 'retry',
            },
            {
              label: 'Unchanged',
              value: format.integer(changes.unchanged),
              note: 'say the same as before',
              icon: 'check',
            },
            {
              label: 'Superseded',
              value: format.integer(changes.superseded),
              note: 'rows of earlier uploads count no more',
              icon: 'data',
            },
          ]}
        />
      ) : (
        <EmptyState icon="clock" title={loaded_at === null ? 'Not loaded yet' : 'Not counted'}>
          {loaded_at !== null && 'An earlier upload was loaded before changes were counted.'}
        </EmptyState>
      )}
    </Panel>
  );
}

const NEWER: Column<SupersededByOutput>[] = [
  {
    key: 'name',
    header: 'Newer upload',
    names: true,
    render: (newer) => (
      <TextLink to="/data/$dataset" params={{ dataset: newer.dataset }} size="sm">
        {newer.name}
      </TextLink>
    ),
  },
  { key: 'rows', header: 'Rows it replaces', align: 'right', render: (newer) => format.integer(newer.rows) },
];

function Superseded({ newer, loaded }: { newer: readonly SupersededByOutput[]; loaded: number }) {
  return (
    <Panel
      title="What has replaced it"
      lead={
        newer.length > 0 &&
        'Rows with the same key in a newer upload count instead of these. An undo of it brings them back.'
      }
    >
      {newer.length > 0 ? (
        <DataTable
          caption="Newer uploads with the same rows"
          columns={NEWER}
          rows={newer}
          rowKey={(each) => each.dataset}
        />
      ) : (
        <EmptyState icon="check" title="Nothing">
          {loaded > 0 && `All ${plural(loaded, 'row', 'rows')} of it count.`}
        </EmptyState>
      )}
    </Panel>
  );
}

const CORRECTIONS: Column<CorrectionOutput>[] = [
  {
    key: 'name',
    header: 'Correction',
    names: true,
    render: (each) => (
      <TextLink to="/data/$dataset" params={{ dataset: each.id }} size="sm">
        {each.name}
      </TextLink>
    ),
  },
  {
    key: 'loaded',
    header: 'Rows loaded',
    align: 'right',
    render: (each) => format.integer(each.rows.loaded),
  },
  {
    key: 'rejected',
    header: 'Rejected',
    align: 'right',
    render: (each) => format.integer(each.rows.rejected),
  },
  { key: 'at', header: 'Uploaded', render: (each) => format.dateTime(each.uploaded_at) },
];

function Corrections({ dataset }: { dataset: DatasetDetailOutput }) {
  const { id, corrections, corrected, rows, loaded_at } = dataset;
  const some = corrections.length > 0;
  return (
    <Panel
      title="Corrections"
      lead={
        some
          ? `They have brought ${plural(corrected, 'row', 'rows')}.`
          : 'Rejected lines, mended in their list and uploaded again, complete this upload.'
      }
      actions={
        rows.rejected > 0 && (
          <Group gap="xs">
            <DownloadButton
              size="xs"
              url={getDatasetsRejectsCsvUrl(id)}
              filename={`${dataset.department}-${id}-rejects.csv`}
            >
              Rejected lines
            </DownloadButton>
            <ButtonLink
              size="xs"
              to="/upload"
              search={{ corrects: id }}
              leftSection={<Icon name="upload" size={14} />}
            >
              Upload corrected file
            </ButtonLink>
          </Group>
        )
      }
    >
      {some ? (
        <DataTable
          caption="Corrections"
          columns={CORRECTIONS}
          rows={corrections}
          rowKey={(each) => each.id}
        />
      ) : (
        <EmptyState icon="check" title={rows.rejected > 0 ? 'None yet' : 'None needed'}>
          {rows.rejected > 0
            ? `${plural(rows.rejected, 'line', 'lines')} of the file could not be used.`
            : loaded_at !== null && 'No line of the file was rejected.'}
        </EmptyState>
      )}
    </Panel>
  );
}
