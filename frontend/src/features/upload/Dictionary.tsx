import { useQuery } from '@tanstack/react-query';

import { getSchemasTemplateUrl } from '@/shared/api/gen/client';
import type { ColumnOutput } from '@/shared/api/gen/model';
import { schemaQuery } from '@/shared/api/queries';
import { format } from '@/shared/format/format';
import { Async, Lines } from '@/shared/ui/Async';
import { DownloadButton } from '@/shared/ui/DownloadButton';
import { Panel } from '@/shared/ui/Panel';

import classes from './Dictionary.module.css';

/** What the file must hold, from the very schema it is checked against. */
export function Dictionary({ department }: { department: string }) {
  const schema = useQuery(schemaQuery(department));
  const lead = schema.data && (
    <>
      {schema.data.description} Headers may differ in case and spaces. A row uploaded again (same{' '}
      {schema.data.natural_key.join(' and ')}) replaces the earlier one. With more than{' '}
      {format.percent(schema.data.max_reject_share)} unusable lines the whole file is refused.
    </>
  );
  return (
    <Panel
      title="What the file must hold"
      lead={lead}
      actions={
        <DownloadButton
          size="xs"
          url={getSchemasTemplateUrl(department)}
          filename={`${department}-template.csv`}
        >
          Template
        </DownloadButton>
      }
    >
      <Async query={schema} skeleton={<Lines count={8} height={34} />}>
        {(data) => (
          <dl className={classes.list}>
            {data.columns.map((column) => (
              <div key={column.name} className={classes.column}>
                <dt className={classes.name}>
                  <code>{column.name}</code>
                  <span className={classes.kind}>{kindOf(column)}</span>
                  <span className={column.required ? classes.must : classes.kind}>
                    {column.required ? 'needed' : 'may be missing'}
                  </span>
                </dt>
                <dd className={classes.text}>{column.description}</dd>
                <dd className={classes.text}>{limitsOf(column).join(' · ')}</dd>
              </div>
            ))}
          </dl>
        )}
      </Async>
    </Panel>
  );
}

const KINDS = { text: 'text', integer: 'whole number', number: 'number', date: 'date' } as const;

const kindOf = (column: ColumnOutput): string => KINDS[column.kind];

function limitsOf(column: ColumnOutput): string[] {
  const { minimum, maximum } = column;
  return [
    column.example && `such as ${column.example}`,
    column.choices.length > 0 && `one of ${column.choices.join(', ')}`,
    minimum !== null && maximum !== null && `${format.number(minimum)} to ${format.number(maximum)}`,
    minimum !== null && maximum === null && `at least ${format.number(minimum)}`,
    minimum === null && maximum !== null && `at most ${format.number(maximum)}`,
    column.max_length !== null && `up to ${format.integer(column.max_length)} characters`,
    column.nullable && 'may be empty',
    column.aliases.length > 0 &&
      `also as ${column.aliases.slice(0, 4).join(', ')}${column.aliases.length > 4 ? ' …' : ''}`,
  ].filter((part): part is string => Boolean(part));
}
