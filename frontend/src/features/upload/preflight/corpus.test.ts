/** The ugly files of tests/corpus: what is said before the upload must not contradict what the platform does after it. */
import { readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import columns from '@/test/columns.json';

import { beginningOf, LOOKED_AT } from './bytes';
import { knownBy, matchHeader, type Column, type LabelMapping } from './columns';
import { delimiterOf } from './delimiters';
import { tableOf } from './table';

interface Expected {
  options?: { delimiter?: string; encoding?: string; mapping?: LabelMapping };
  refused?: { code: string };
  reading?: string;
  header_line?: number;
  unknown_columns?: string[];
}

const CORPUS = new URL('../../../../../tests/corpus/', import.meta.url);
const DELIMITER_WORDS: Record<string, string> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' };

const files = Object.entries(columns as Record<string, Column[]>).flatMap(([department, known]) => {
  const folder = new URL(`${department}/`, CORPUS);
  const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<
    string,
    Expected
  >;
  return readdirSync(folder)
    .filter((name) => name in expected)
    .map((name) => ({
      name: `${department}/${name}`,
      known,
      bytes: readFileSync(new URL(name, folder)),
      said: expected[name] as Expected,
    }));
});

function look({ bytes, said, known }: (typeof files)[number]) {
  const { delimiter, encoding, mapping = {} } = said.options ?? {};
  const beginning = beginningOf(new Uint8Array(bytes.subarray(0, LOOKED_AT)), encoding);
  if (beginning.kind !== 'text') return { beginning };
  const told = delimiter === undefined ? undefined : delimiterOf(delimiter);
  const table = tableOf(beginning.text, knownBy(known, mapping), {
    delimiter: told,
    whole: bytes.length <= LOOKED_AT,
  });
  return { beginning, table, match: table && matchHeader(table.header, known, mapping) };
}

// Browsers do not decode it; nothing is said of it then.
const NOT_DECODED = 'supply_chain/utf-32.csv';
const texts = files.filter(
  ({ name, said }) =>
    name !== NOT_DECODED && said.reading !== undefined && /comma|semicolon|tab|pipe/.test(said.reading),
);

test('what is not decoded is not spoken of', () => {
  const file = files.find(({ name }) => name === NOT_DECODED);
  expect(file && look(file).beginning).toEqual({ kind: 'other', what: 'binary' });
});

test('the corpus is there', () => {
  expect(texts.length).toBeGreaterThan(80);
});

test.each(texts)('$name is seen as it is read', (file) => {
  const { beginning, table, match } = look(file);
  expect(beginning.kind).toBe('text');
  expect(table).not.toBeNull();
  expect(match?.missing.filter(({ required }) => required)).toEqual([]);
  expect(match?.repeated).toEqual([]);
  expect(file.said.reading).toContain(DELIMITER_WORDS[table?.delimiter ?? ''] ?? table?.delimiter);
  expect(table?.headerLine).toBe(file.said.header_line ?? 1);
  expect(
    match?.labels.filter(({ found, label }) => found === 'unknown' && label).map(({ label }) => label),
  ).toEqual(file.said.unknown_columns ?? []);
});

test.each(files.filter(({ said }) => said.refused?.code === 'missing-label'))(
  '$name lacks a column here as there',
  (file) => {
    const { match } = look(file);
    expect(!match || match.missing.some(({ required }) => required)).toBe(true);
  },
);

test.each(files.filter(({ said }) => said.refused?.code === 'duplicate-label'))(
  '$name says a column twice here as there',
  (file) => {
    expect(look(file).match?.repeated).not.toEqual([]);
  },
);
