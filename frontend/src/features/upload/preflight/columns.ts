/** Which label of a header is which column of the department: the platform's rules, to advise before the upload. */
import { distance } from 'fastest-levenshtein';

import type { ColumnOutput } from '@/shared/api/gen/model';

export type Column = Pick<ColumnOutput, 'name' | 'required' | 'aliases'>;

/** From labels to columns; null leaves a label's column out. */
export type LabelMapping = Readonly<Record<string, string | null>>;

export type Found = 'mapped' | 'name' | 'alias' | 'left out' | 'unknown' | 'repeated';

export interface LabelMatch {
  label: string;
  /** The column it is read as; null where it is not read. */
  column: string | null;
  found: Found;
}

export interface Match {
  labels: LabelMatch[];
  missing: { column: string; required: boolean; near: string | null }[];
  /** Labels that stand there twice, and columns that two labels mean: the platform refuses to guess. */
  repeated: string[];
}

/** What two spellings have in common: case, spaces, underscores, hyphens, dots aside. */
export const labelKey = (label: string): string =>
  label
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replace(/[\s_\-.\u200b\ufeff]+/g, '');

const ALIKE = 0.65;

const likeness = (a: string, b: string): number => 1 - distance(a, b) / Math.max(a.length, b.length, 1);

function nearest(column: Column, unknown: readonly string[]): string | null {
  const spellings = [column.name, ...column.aliases].map(labelKey);
  const scored = unknown.map((label) => ({
    label,
    score: Math.max(...spellings.map((spelling) => likeness(spelling, labelKey(label)))),
  }));
  const [first] = scored.toSorted((a, b) => b.score - a.score);
  return first && first.score >= ALIKE ? first.label : null;
}

/** The labels a department understands by itself. */
export function knownBy(columns: readonly Column[], mapping: LabelMapping): (label: string) => boolean {
  const keys = new Set([
    ...columns.flatMap((column) => [column.name, ...column.aliases]).map(labelKey),
    ...Object.keys(mapping).map(labelKey),
  ]);
  return (label) => keys.has(labelKey(label));
}

/** By the mapping, then by the column's name, then by an alias. */
export function matchHeader(
  header: readonly string[],
  columns: readonly Column[],
  mapping: LabelMapping,
): Match {
  const chosen = new Map(Object.entries(mapping).map(([label, column]) => [labelKey(label), column]));
  const names = new Map(columns.map((column) => [labelKey(column.name), column.name]));
  const aliases = new Map(
    columns.flatMap((column) => column.aliases.map((alias) => [labelKey(alias), column.name])),
  );
  const labels = header.map((label): LabelMatch => ({ label, column: null, found: 'unknown' }));
  const taken = new Map<string, LabelMatch>();
  const keys = header.filter((label) => label !== '').map(labelKey);
  const repeated = new Set(
    header.filter((label) => label !== '' && keys.filter((key) => key === labelKey(label)).length > 1),
  );
  const take = (label: LabelMatch, column: string, found: Found) => {
    if (taken.has(column)) {
      repeated.add(column);
      Object.assign(label, { found: 'repeated' });
      return;
    }
    Object.assign(label, { column, found });
    taken.set(column, label);
  };
  const written = labels.filter(({ label }) => label !== '');
  for (const label of written) {
    const column = chosen.get(labelKey(label.label));
    if (column) take(label, column, 'mapped');
    else if (column === null) label.found = 'left out';
  }
  const free = written.filter(({ label }) => !chosen.has(labelKey(label)));
  for (const label of free) {
    const column = names.get(labelKey(label.label));
    if (column !== undefined && !taken.has(column)) take(label, column, 'name');
  }
  // An own name beats an alias without a word; two aliases contradict each other.
  const own = new Set(taken.keys());
  for (const label of free) {
    const column = aliases.get(labelKey(label.label));
    if (column !== undefined && label.found === 'unknown' && !own.has(column)) take(label, column, 'alias');
  }
  const unknown = written.filter(({ found }) => found === 'unknown').map(({ label }) => label);
  const missing = columns
    .filter((column) => !taken.has(column.name))
    .map((column) => ({ column: column.name, required: column.required, near: nearest(column, unknown) }));
  return { labels, missing, repeated: [...repeated] };
}

/** The same for all headers with these labels, in whatever order and spelling of case and spaces. */
export const shapeOf = (header: readonly string[]): string =>
  JSON.stringify(
    header
      .filter((label) => label !== '')
      .map(labelKey)
      .sort(),
  );
