import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import type { HeaderMappingOutput } from '@/shared/api/gen/model';
import { mappingsQuery, schemaQuery } from '@/shared/api/queries';

import { beginningOf, LOOKED_AT, type Beginning } from './bytes';
import { knownBy, matchHeader, shapeOf, type Column, type LabelMapping, type Match } from './columns';
import { delimiterOf } from './delimiters';
import type { Table } from './table';

export interface Preflight {
  beginning: Beginning;
  /** Null where no header was found. */
  table: Table | null;
  match: Match | null;
  columns: readonly Column[];
  /** The mapping by which a file with these labels is read unless the upload says otherwise. */
  remembered: HeaderMappingOutput | null;
  whole: boolean;
}

interface Asked {
  file: File;
  department: string;
  delimiter?: string;
  encoding?: string;
  /** Null: nothing was said, and what is remembered holds. */
  mapping: LabelMapping | null;
  /** In a list of rejects two columns say why, and are known. */
  isCorrection: boolean;
}

const REASONS: LabelMapping = { error_code: null, error: null };

/** What marks a file out from another that was chosen before it. */
export const fileKey = (file: File) => [file.name, file.size, file.lastModified] as const;

/**
 * A look at the beginning of the file in the browser. It advises; the platform reads the whole file and decides.
 * Undefined while it looks, null where it cannot: nothing hangs on it.
 */
export function usePreflight(asked: Asked): Preflight | null | undefined {
  const { file, department, encoding, delimiter, mapping, isCorrection } = asked;
  const schema = useQuery(schemaQuery(department));
  const mappings = useQuery({ ...mappingsQuery(department), retry: false });
  const look = useQuery({
    queryKey: ['preflight', ...fileKey(file), encoding ?? null],
    queryFn: async () => {
      // The parser comes only with the first file.
      const [bytes, { tableOf }] = await Promise.all([
        file.slice(0, LOOKED_AT).arrayBuffer(),
        import('./table'),
      ]);
      return { beginning: beginningOf(new Uint8Array(bytes), encoding), tableOf };
    },
    structuralSharing: false,
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
  });
  const { data } = look;
  const columns = schema.data?.columns;
  const known = mappings.data?.results;
  const seen = useMemo(() => {
    if (!data || !columns) return undefined;
    const { beginning, tableOf } = data;
    const whole = file.size <= LOOKED_AT;
    const nothing = { beginning, table: null, match: null, columns, remembered: null, whole };
    if (beginning.kind !== 'text') return nothing;
    const aside = isCorrection ? REASONS : {};
    const told = delimiter ? delimiterOf(delimiter) : undefined;
    const table = tableOf(beginning.text, knownBy(columns, { ...aside, ...mapping }), {
      delimiter: told,
      whole,
    });
    if (!table) return nothing;
    const shape = shapeOf(table.header);
    const remembered = known?.find(({ header }) => shapeOf(header) === shape) ?? null;
    const holds = mapping ?? remembered?.mapping ?? {};
    const match = matchHeader(table.header, columns, { ...aside, ...holds });
    return { ...nothing, table, match, remembered };
  }, [data, columns, known, file, delimiter, mapping, isCorrection]);
  return look.error || schema.error ? null : seen;
}
