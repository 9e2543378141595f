import type { DatasetOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import { DataTable } from '@/shared/shapes/DataTable';
import { EmptyState } from '@/shared/ui/EmptyState';
import { Facts } from '@/shared/ui/Facts';
import { Panel } from '@/shared/ui/Panel';

const words = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

const inWords = (found: unknown): string =>
  Object.entries((found ?? {}) as Record<string, unknown>)
    .map(([column, scale]) => `${column} ${scale === 'share' ? 'as shares of 1' : 'in percent'}`)
    .join(', ');

const word = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Where it is known from which label means which column. */
function mappingFrom({
  mapping_from: from,
  mapping_by: by,
  mapping_at: at,
}: Record<string, unknown>): string {
  if (from === 'upload') return 'given with this upload, and remembered for files with the same labels';
  if (from !== 'remembered') return 'by the names of the columns and their aliases';
  return `remembered${by ? ` from ${word(by)}` : ''}${at ? `, ${format.date(word(at))}` : ''}`;
}

/** How the file was understood, so that a wrong guess is seen and not suffered. */
export function Reading({ dataset }: { dataset: DatasetOutput }) {
  const { reading, rejects_by_code: byCode } = dataset;
  const mapping = Object.entries((reading.mapping ?? {}) as Record<string, unknown>);
  if (mapping.length === 0) {
    return (
      <Panel title="How it was read">
        <EmptyState icon="file" title="Not read yet" />
      </Panel>
    );
  }
  const assumed = (flag: unknown) => (flag === true ? ' (assumed; nothing in the file settles it)' : '');
  const basis = (reading.basis ?? {}) as Record<string, unknown>;
  const percentages = inWords(reading.percentages);
  const facts: [string, string][] = [
    ['Read as', word(reading.summary)],
    ['Mapping', mappingFrom(reading)],
    ['Decimal sign', `${reading.decimal === ',' ? 'comma' : 'point'}${assumed(reading.decimal_assumed)}`],
    ['Dates', `${word(reading.date_order)}${assumed(reading.date_order_assumed)}`],
    ['Encoding', basis.encoding === 'assumed' ? `${word(reading.encoding)}${assumed(true)}` : ''],
    ['Percentages', percentages && `${percentages}${assumed(reading.percentages_assumed)}`],
    ['Columns not known, left out', words(reading.unknown_columns).join(', ') || 'none'],
    ['Columns left out on purpose', words(reading.left_out).join(', ') || 'none'],
    ['Columns that may be missing, and are', words(reading.missing_optional).join(', ') || 'none'],
    [
      'Rejected',
      Object.entries(byCode)
        .map(([code, count]) => `${code}: ${format.integer(count)}`)
        .join(', ') || 'nothing',
    ],
  ];
  return (
    <Panel
      title="How it was read"
      lead={`${plural(mapping.length, 'column was', 'columns were')} recognised.`}
    >
      <Facts facts={facts.filter(([, said]) => said)} />
      <DataTable
        caption="Headers and the columns they were read as"
        columns={[
          { key: 'header', header: 'Header in the file', names: true, render: ([header]) => header },
          {
            key: 'column',
            header: 'Read as',
            render: ([, column]) => <code>{word(column)}</code>,
          },
        ]}
        rows={mapping}
        rowKey={([header]) => header}
      />
    </Panel>
  );
}
