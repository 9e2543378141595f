/** The header and the first rows of a text, as the platform would find them. */
import Papa from 'papaparse';

import { DELIMITERS } from './delimiters';

export interface Table {
  delimiter: string;
  header: string[];
  /** The physical line it stands on, from 1. */
  headerLine: number;
  rows: string[][];
}

const LINES_ABOVE_HEADER = 20;
const FEWEST_LABELS = 2;
const SAMPLED_ROWS = 50;

const parse = (text: string, delimiter: string, preview: number): string[][] =>
  // Papa takes no space around a quotation mark for part of a quoted cell; nor does the platform.
  Papa.parse<string[]>(text, { delimiter, preview, skipEmptyLines: false }).data;

const linesOf = (text: string): string[] => text.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? [];

const BLANK = '\\ufeff \\t\\r\\n\\u00a0\\u200b';
const tidy = (label: string): string =>
  label.replaceAll('\0', '').replace(new RegExp(`^[${BLANK}]+|[${BLANK}]+$`, 'g'), '');

interface Candidate extends Table {
  known: number;
  even: number;
}

function candidateAt(lines: readonly string[], at: number, delimiter: string, isKnown: Known): Candidate {
  const records = parse(lines.slice(at, at + 4 * SAMPLED_ROWS).join(''), delimiter, SAMPLED_ROWS + 1);
  const header = (records[0] ?? []).map(tidy);
  const rows = records.slice(1).filter((row) => row.some((cell) => cell.trim() !== ''));
  const even =
    header.length > 1 ? rows.filter((row) => row.length === header.length).length / (rows.length || 1) : 0;
  const known = new Set(header.filter(isKnown)).size;
  return { delimiter, header, headerLine: at + 1, rows, known, even };
}

type Known = (label: string) => boolean;

/** Most known labels, then the most even rows, then the widest: the platform's own order. */
const better = (a: Candidate, b: Candidate): Candidate =>
  (b.known - a.known || b.even - a.even || b.header.length - a.header.length) > 0 ? b : a;

function best(
  lines: readonly string[],
  at: number,
  delimiters: readonly string[],
  isKnown: Known,
): Candidate {
  return delimiters.map((delimiter) => candidateAt(lines, at, delimiter, isKnown)).reduce(better);
}

/**
 * Blank lines, Excel's `sep=;` line and the title lines of a report are passed over. Null where there is no line with
 * a header: nothing but blank ones, or one cell that means nothing. `whole` says that the text is not cut off.
 */
export function tableOf(
  text: string,
  isKnown: Known,
  { delimiter, whole }: { delimiter?: string; whole: boolean },
): Table | null {
  const all = linesOf(text);
  const lines = whole || all.length < 2 ? all : all.slice(0, -1);
  let start = lines.findIndex((line) => /[^\ufeff \t\r\n;,|]/.test(line));
  if (start < 0) return null;
  const announced = /^\ufeff?"?sep=(.)"?\s*$/i.exec(lines[start] ?? '')?.[1];
  if (announced !== undefined) start += 1;
  const told = delimiter ?? announced;
  const delimiters = told === undefined ? DELIMITERS : [told];
  let found = best(lines, start, delimiters, isKnown);
  if (found.known < FEWEST_LABELS) {
    for (let at = start + 1; at < Math.min(start + LINES_ABOVE_HEADER, lines.length); at += 1) {
      const lower = best(lines, at, delimiters, isKnown);
      if (lower.known >= FEWEST_LABELS && lower.known > found.known) found = lower;
    }
  }
  if (found.header.length === 1 && !isKnown(found.header[0] ?? '')) return null;
  const { header, headerLine, rows } = found;
  return { delimiter: found.delimiter, header, headerLine, rows };
}
