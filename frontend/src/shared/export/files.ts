import { save } from '@/shared/api/download';

import { toCsv } from './csv';
import type { Sheet } from './sheet';
import { toXlsx } from './xlsx';

export type Format = 'csv' | 'xlsx';

const slug = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]+/gu, '-')
    .replace(/^-+|-+$/g, '');

/** "supply_chain-stockout_risk-2026-03-31.xlsx": whose, what, and the reader's day. */
export function fileName(parts: readonly (string | undefined)[], format: Format, at: Date): string {
  const [year, month, date] = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  const today = `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`;
  const named = parts.flatMap((part) => (part ? [slug(part)] : [])).filter((part) => part !== '');
  return `${[...named, today].join('-')}.${format}`;
}

/** Hands the sheet to the browser as a file. */
export async function saveSheet(sheet: Sheet, parts: readonly (string | undefined)[], format: Format) {
  const blob =
    format === 'csv' ? new Blob([toCsv(sheet)], { type: 'text/csv;charset=utf-8' }) : await toXlsx([sheet]);
  save(blob, fileName(parts, format, new Date()));
}

export async function saveWorkbook(sheets: readonly Sheet[], parts: readonly (string | undefined)[]) {
  save(await toXlsx(sheets), fileName(parts, 'xlsx', new Date()));
}
