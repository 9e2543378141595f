import { Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';

import type { ColumnOutput, DatasetOutput } from '@/shared/api/gen/model';
import { cursorOf, rowsQuery, schemaQuery } from '@/shared/api/queries';
import { format, UNKNOWN } from '@/shared/format/format';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import { Async, Lines } from '@/shared/ui/Async';
import { CursorButtons } from '@/shared/ui/CursorButtons';
import { EmptyState } from '@/shared/ui/EmptyState';

import classes from './data.module.css';
import { RowFilter } from './RowFilter';
import { whereOf } from './where';

const route = getRouteApi('/inside/data/$dataset');
const LIMIT = 50;

type Row = Record<string, unknown>;

export function CleanRows({ dataset }: { dataset: DatasetOutput }) {
  const { cursor, column, value, order } = route.useSearch();
  const navigate = route.useNavigate();
  const rows = useQuery(
    rowsQuery(dataset.id, {
      limit: LIMIT,
      ordering: order && '-line',
      cursor,
      ...whereOf({ column, value }),
    }),
  );
  const schema = useQuery(schemaQuery(dataset.department));
  return (
    <Async query={schema}>
      {({ columns }) => (
        <>
          <RowFilter
            key={`${column ?? ''}=${value ?? ''}`}
            columns={columns}
            asked={{ column, value, order }}
            onAsk={(asked) =>
              void navigate({
                search: (before) => ({ ...before, ...asked, cursor: undefined }),
                resetScroll: false,
                replace: true,
              })
            }
          />
          <Async
            query={rows}
            skeleton={<Lines count={10} height={32} />}
            isEmpty={(data) => data.results.length === 0}
            empty={
              column === undefined ? (
                <EmptyState icon="data" title="No clean rows">
                  Nothing of this file was loaded.
                </EmptyState>
              ) : (
                <EmptyState icon="search" title="No row has this">
                  {value === undefined
                    ? `No cell of ${column} is empty.`
                    : `No cell of ${column} has “${value}”.`}
                </EmptyState>
              )
            }
          >
            {(data) => (
              <>
                <DataTable
                  caption={`Clean rows of ${dataset.name}`}
                  columns={columnsOf(columns)}
                  rows={data.results}
                  rowKey={(row) => String(row.line)}
                  viewing={cursor}
                />
                <Group justify="flex-end" mt="md">
                  <CursorButtons
                    previous={cursorOf(data.previous)}
                    next={cursorOf(data.next)}
                    hasPrevious={data.previous !== null}
                    onCursor={(next) =>
                      void navigate({ search: (before) => ({ ...before, cursor: next }), resetScroll: false })
                    }
                  />
                </Group>
              </>
            )}
          </Async>
        </>
      )}
    </Async>
  );
}

function columnsOf(columns: ColumnOutput[]): Column<Row>[] {
  return [
    {
      key: 'line',
      header: 'Line',
      align: 'right',
      names: true,
      render: (row) => format.integer(Number(row.line)),
    },
    ...columns.map(({ name, kind }): Column<Row> => ({
      key: name,
      header: name,
      align: kind === 'integer' || kind === 'number' ? 'right' : undefined,
      render: (row) => <span className={classes.cell}>{write(row[name], kind)}</span>,
    })),
  ];
}

/** Money comes as text, so that no cent is lost on the way; it is shown as the number it is. */
function write(value: unknown, kind: ColumnOutput['kind']): string {
  if (value === null || value === undefined || value === '') return UNKNOWN;
  const written = typeof value === 'string' ? value : JSON.stringify(value);
  if (kind === 'date') return format.date(written);
  return kind === 'text' ? written : format.number(Number(written), 4);
}
