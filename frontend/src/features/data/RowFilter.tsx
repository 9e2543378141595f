import { Button, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';

import type { ColumnOutput } from '@/shared/api/gen/model';
import { Icon } from '@/shared/ui/icons';

import classes from './data.module.css';
import type { DatasetSearch } from './search';

type Asked = Pick<DatasetSearch, 'column' | 'value' | 'order'>;

interface RowFilterProps {
  columns: ColumnOutput[];
  asked: Asked;
  onAsk: (asked: Asked) => void;
}

const EXAMPLES: Record<ColumnOutput['kind'], string> = {
  text: 'A part of it; nothing: empty cells',
  date: 'A day, 2026-03-31; nothing: empty cells',
  integer: 'The number; nothing: empty cells',
  number: 'The number, 1234.5; nothing: empty cells',
};

/** Which of the rows, and from which end: asked of the server, which has all of them. */
export function RowFilter({ columns, asked, onAsk }: RowFilterProps) {
  const [column, setColumn] = useState(asked.column ?? null);
  const [value, setValue] = useState(asked.value ?? '');
  const kind = columns.find(({ name }) => name === column)?.kind ?? 'text';
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onAsk({ column: column ?? undefined, value: column === null ? undefined : value.trim() || undefined });
  };
  return (
    <form className={classes.filter} onSubmit={submit} role="search" aria-label="Clean rows">
      <Select
        aria-label="Column"
        placeholder="Column"
        data={columns.map(({ name }) => name)}
        value={column}
        onChange={setColumn}
        searchable
        className={classes.column}
      />
      <TextInput
        aria-label="Value in the column"
        placeholder={EXAMPLES[kind]}
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        disabled={column === null}
        className={classes.value}
      />
      <Button
        type="submit"
        variant="default"
        leftSection={<Icon name="filter" size={15} />}
        disabled={column === null}
      >
        Filter
      </Button>
      {asked.column !== undefined && (
        <Button variant="subtle" onClick={() => onAsk({ column: undefined, value: undefined })}>
          All rows
        </Button>
      )}
      <SegmentedControl
        aria-label="Order"
        value={asked.order ?? 'first'}
        onChange={(order) => onAsk({ ...asked, order: order === 'last' ? 'last' : undefined })}
        data={[
          { value: 'first', label: 'First lines' },
          { value: 'last', label: 'Last lines' },
        ]}
        className={classes.ends}
      />
    </form>
  );
}
