import type { Cell, Sheet } from './sheet';

/** What a spreadsheet would run as a formula when it opens the file (OWASP, CSV injection): at the beginning, and where
 * one that separates by another sign would begin another cell. As the server's exports do it. */
const FORMULA = /^'* *[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/;
const FORMULA_INSIDE = /([;|\t\r\n])(?='* *[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

const written = (cell: Cell): string => {
  if (cell === null) return '';
  if (cell instanceof Date) return cell.toISOString().slice(0, 10);
  if (typeof cell !== 'string') return String(cell);
  const text = cell.replace(FORMULA_INSIDE, "$1'");
  return FORMULA.test(text) ? `'${text}` : text;
};

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const line = (cells: readonly Cell[]): string =>
  `${cells.map((cell) => quoted(written(cell))).join(',')}\r\n`;

/** RFC 4180, with the BOM that Excel needs to read UTF-8. Numbers and days are written as any program reads them. */
export const toCsv = ({ header, rows }: Sheet): string =>
  `\uFEFF${line(header)}${rows.map((row) => line(row)).join('')}`;
