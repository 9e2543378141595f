/** Tables on their way into a file: raw values, not the texts that the page shows. */
import { humanise } from '@/shared/format/format';

/** A date is a calendar day, at midnight UTC. */
export type Cell = string | number | boolean | Date | null;

export interface ExportColumn<Row> {
  header: string;
  value: (row: Row) => Cell;
}

export interface Sheet {
  name: string;
  header: string[];
  rows: Cell[][];
}

/** "2026-03-31" as the day it is, anything else as nothing. */
export const day = (iso: string | null | undefined): Date | null => {
  const at = iso && /^\d{4}-\d{2}-\d{2}$/.test(iso) ? new Date(`${iso}T00:00:00Z`) : null;
  return at && !Number.isNaN(at.getTime()) ? at : null;
};

export const sheetOf = <Row>(
  name: string,
  columns: readonly ExportColumn<Row>[],
  rows: readonly Row[],
): Sheet => ({
  name,
  header: columns.map(({ header }) => header),
  rows: rows.map((row) => columns.map(({ value }) => value(row))),
});

type Fields = Map<string, Cell>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function cellOf(value: unknown): Cell {
  if (typeof value === 'string') return day(value) ?? value;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (!Array.isArray(value)) return null;
  // A list of reasons reads as its sentences; any other list as it is.
  return value
    .map((each: unknown) =>
      isRecord(each)
        ? typeof each.message === 'string'
          ? each.message
          : JSON.stringify(each)
        : Array.isArray(each)
          ? JSON.stringify(each)
          : String(each),
    )
    .join('; ');
}

function spread(value: object, into: Fields, prefix = ''): Fields {
  for (const [key, field] of Object.entries(value) as [string, unknown][]) {
    if (isRecord(field)) spread(field, into, `${prefix}${key} `);
    else into.set(`${prefix}${key}`, cellOf(field));
  }
  return into;
}

/** Rows of any shape, a column for each field that any of them has; what lies deeper is brought to the surface. */
export function flattened(name: string, rows: readonly object[]): Sheet {
  const found = rows.map((row) => spread(row, new Map()));
  const keys = [...new Set(found.flatMap((fields) => [...fields.keys()]))];
  return {
    name,
    header: keys.map(humanise),
    rows: found.map((fields) => keys.map((key) => fields.get(key) ?? null)),
  };
}
