import type { CellObject, Sheet as Written } from 'write-excel-file/browser';

import type { Cell, Sheet } from './sheet';

const LONGEST_CELL = 32_767;
const LONGEST_NAME = 31;
const WIDEST = 60;

/** What XML cannot hold. */
// eslint-disable-next-line no-control-regex -- these are the characters that are meant
const UNWRITABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

const clean = (text: string): string => text.replace(UNWRITABLE, '').slice(0, LONGEST_CELL);

function typed(cell: Cell): CellObject | null {
  if (cell === null || cell === '') return null;
  if (cell instanceof Date) return { type: Date, value: cell, format: 'yyyy-mm-dd' };
  if (typeof cell === 'number') return Number.isFinite(cell) ? { type: Number, value: cell } : null;
  if (typeof cell === 'boolean') return { type: Boolean, value: cell };
  // As text, whatever it begins with: a spreadsheet runs only what is stored as a formula.
  return { type: String, value: clean(cell) };
}

const heading = (text: string): CellObject => ({ type: String, value: clean(text), fontWeight: 'bold' });

/** Names as a spreadsheet allows them: short, without some signs, each once whatever the case. */
export function sheetNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = name.replace(/[\\/?*[\]:]/g, ' ').trim() || 'Sheet';
    for (let count = 1; ; count += 1) {
      const tail = count > 1 ? ` ${count}` : '';
      const tried = base.slice(0, LONGEST_NAME - tail.length) + tail;
      if (taken.has(tried.toLowerCase())) continue;
      taken.add(tried.toLowerCase());
      return tried;
    }
  });
}

const width = (sheet: Sheet, column: number): number => {
  const lengths = sheet.rows.slice(0, 200).map((row) => {
    const cell = row[column] ?? null;
    return cell instanceof Date ? 10 : String(cell ?? '').length;
  });
  return Math.min(WIDEST, Math.max(8, sheet.header[column]?.length ?? 0, ...lengths) + 2);
};

/** A workbook of typed cells. The library comes with the first one that is asked for. */
export async function toXlsx(sheets: readonly Sheet[]): Promise<Blob> {
  const { default: writeXlsxFile } = await import('write-excel-file/browser');
  const names = sheetNames(sheets.map(({ name }) => name));
  return writeXlsxFile(
    sheets.map((sheet, place): Written<Blob> => ({
      sheet: names[place],
      data: [sheet.header.map(heading), ...sheet.rows.map((row) => row.map(typed))],
      columns: sheet.header.map((_, column) => ({ width: width(sheet, column) })),
      stickyRowsCount: 1,
    })),
  ).toBlob();
}
