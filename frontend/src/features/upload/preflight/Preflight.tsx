import { Button, Stack } from '@mantine/core';
import { useState } from 'react';

import { format, plural } from '@/shared/format/format';
import { Lines } from '@/shared/ui/Async';
import { Notice } from '@/shared/ui/Notice';
import { TextLink } from '@/shared/ui/links';

import type { OtherKind } from './bytes';
import type { LabelMapping, Match } from './columns';
import { MappingEditor } from './MappingEditor';
import classes from './Preflight.module.css';
import type { Table } from './table';
import type { Preflight as Seen } from './usePreflight';
import { useSameFile } from './useSameFile';

interface PreflightProps {
  file: File;
  department: string;
  /** Undefined while it looks, null where it could not. */
  seen: Seen | null | undefined;
  mapping: LabelMapping | null;
  onMapping: (mapping: LabelMapping | null) => void;
  /** The platform refused the mapping: the place to mend it stands open. */
  refused: string | undefined;
}

const SHOWN_ROWS = 5;

/** What the file looks like from here, before anything is sent. It advises and never stands in the way. */
export function Preflight({ file, department, seen, mapping, onMapping, refused }: PreflightProps) {
  return (
    <section className={classes.frame} aria-label="A look at the file">
      <Stack gap="sm">
        <Before file={file} department={department} />
        {seen === undefined ? (
          <Lines count={3} />
        ) : (
          <Look seen={seen} mapping={mapping} onMapping={onMapping} refused={refused} />
        )}
      </Stack>
    </section>
  );
}

function Before({ file, department }: { file: File; department: string }) {
  const same = useSameFile(file, department);
  if (!same) return null;
  return (
    <Notice tone="warning" title="This very file was uploaded before">
      {format.ago(same.uploaded_at)}, as{' '}
      <TextLink to="/data/$dataset" params={{ dataset: same.id }} size="sm">
        {same.name}
      </TextLink>
      . You may upload it again: its rows replace the earlier ones, so nothing is counted twice.
    </Notice>
  );
}

type LookProps = Pick<PreflightProps, 'mapping' | 'onMapping' | 'refused'> & { seen: Seen | null };

function Look({ seen, mapping, onMapping, refused }: LookProps) {
  const [editing, setEditing] = useState(false);
  if (!seen) return <Plain>The file cannot be shown here. The platform will say how it reads it.</Plain>;
  const { beginning, table, match, columns, remembered } = seen;
  if (beginning.kind === 'empty') {
    return <Notice tone="warning" title="There is nothing in this file but blank lines" />;
  }
  if (beginning.kind === 'other') return <Plain>{OTHER[beginning.what]}</Plain>;
  if (!table || !match) {
    return (
      <Notice tone="warning" title="No line of column names was found">
        The beginning of the file was looked at. If it has one, say below how the file is written.
      </Notice>
    );
  }
  const edit = (label: string, column: string | null | undefined) => {
    const next: Record<string, string | null> = { ...(mapping ?? remembered?.mapping) };
    // One label for one column: the newest choice counts.
    for (const other of Object.keys(next)) if (column && next[other] === column) next[other] = null;
    if (column === undefined) {
      onMapping(Object.fromEntries(Object.entries(next).filter(([other]) => other !== label)));
    } else onMapping({ ...next, [label]: column });
  };
  return (
    <>
      <p className={classes.summary}>{summaryOf(table, beginning.encoding)}</p>
      <Advice match={match} onUse={(label, column) => edit(label, column)} />
      {mapping === null && remembered && (
        <Notice tone="info" title="Read as your department’s last file with these columns">
          {remembered.given_by.full_name} said on {format.date(remembered.given_at)} which column is which.
        </Notice>
      )}
      <Rows table={table} match={match} />
      <div>
        <Button
          size="xs"
          variant="default"
          aria-expanded={editing || refused !== undefined}
          onClick={() => setEditing(!editing)}
        >
          Say which column is which
        </Button>
        {mapping !== null && (
          <Button size="xs" variant="subtle" ml="xs" onClick={() => onMapping(null)}>
            Back to what is found
          </Button>
        )}
      </div>
      {(editing || refused !== undefined) && (
        <MappingEditor match={match} columns={columns} mapping={mapping} onChoose={edit} refused={refused} />
      )}
    </>
  );
}

function Plain({ children }: { children: string }) {
  return <p className={classes.summary}>{children}</p>;
}

const OTHER: Record<OtherKind, string> = {
  'workbook or archive':
    'A workbook or a packed file. Only text files can be shown here; the platform opens it and checks it line by line.',
  'old workbook':
    'An Excel workbook. Only text files can be shown here; the platform opens it and checks it.',
  Parquet: 'A Parquet file. Only text files can be shown here; the platform opens it and checks it.',
  gzip: 'A packed file. Only text files can be shown here; the platform unpacks it and checks it.',
  JSON: 'JSON. Only tables can be shown here; the platform reads it and checks it.',
  binary: 'This is no text that can be shown here. The platform will say whether it can read it.',
};

const DELIMITERS: Record<string, string> = { ',': 'commas', ';': 'semicolons', '\t': 'tabs', '|': 'bars' };

function summaryOf({ delimiter, header, headerLine }: Table, encoding: string): string {
  const parts = [
    `${plural(header.length, 'column', 'columns')} separated by ${DELIMITERS[delimiter] ?? `“${delimiter}”`}`,
    encoding === 'cp1252' ? 'no UTF-8, shown as Western European (cp1252)' : encoding.toUpperCase(),
    headerLine > 1 ? `column names in line ${format.integer(headerLine)}` : '',
  ];
  return `${parts.filter(Boolean).join(', ')}. The platform looks at the whole file and decides.`;
}

function Advice({ match, onUse }: { match: Match; onUse: (label: string, column: string) => void }) {
  const needed = match.missing.filter(({ required }) => required);
  const near = match.missing.filter((column) => column.near !== null);
  const unread = match.labels.filter(({ found, label }) => found === 'unknown' && label !== '');
  return (
    <>
      {match.repeated.length > 0 && (
        <Notice tone="warning" title={`Twice in the header: ${match.repeated.join(', ')}`}>
          Which one counts is not guessed, so the file would be refused. Say below which column is which, or
          rename one.
        </Notice>
      )}
      {needed.length > 0 && (
        <Notice
          tone="warning"
          title={`Needed and not found: ${needed.map(({ column }) => column).join(', ')}`}
        >
          Without {needed.length === 1 ? 'it' : 'them'} the file would be refused.
        </Notice>
      )}
      {near.length > 0 && (
        <div className={classes.near}>
          {near.map(({ column, near: label }) => (
            <div key={column}>
              <span>
                Did you mean <code>{column}</code> by “{label}”?
              </span>
              <Button
                size="compact-xs"
                variant="light"
                aria-label={`Yes, read “${label}” as ${column}`}
                onClick={() => onUse(label ?? '', column)}
              >
                Yes
              </Button>
            </div>
          ))}
        </div>
      )}
      {needed.length === 0 && match.repeated.length === 0 && (
        <Notice tone="good" title="All needed columns are there">
          {unread.length > 0 && <>Not read: {unread.map(({ label }) => label).join(', ')}.</>}
        </Notice>
      )}
    </>
  );
}

const FOUND = { unknown: 'not read', 'left out': 'left out', repeated: 'twice' } as const;

function Rows({ table, match }: { table: Table; match: Match }) {
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label="The first rows">
      <table className={classes.table}>
        <caption>The first rows, as they are in the file</caption>
        <thead>
          <tr>
            {match.labels.map(({ label, column, found }, place) => (
              <th key={place} scope="col">
                <div>{label || '(no name)'}</div>
                <div className={column === null ? classes.unread : classes.read}>
                  {column ?? FOUND[found as keyof typeof FOUND]}
                </div>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.slice(0, SHOWN_ROWS).map((row, line) => (
            <tr key={line}>
              {table.header.map((_label, place) => (
                <td key={place}>{row[place] ?? ''}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
