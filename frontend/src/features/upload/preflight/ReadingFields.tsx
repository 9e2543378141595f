import { Select, SimpleGrid, TextInput } from '@mantine/core';

import { DateOrderEnum, DecimalEnum, PercentagesEnum } from '@/shared/api/gen/model';
import type { ReadOptions } from '@/shared/api/upload';

import classes from './Preflight.module.css';

interface ReadingFieldsProps {
  options: ReadOptions;
  onOptions: (options: ReadOptions) => void;
  errors: Partial<Record<keyof ReadOptions, string>>;
  disabled: boolean;
}

const FOUND = { value: '', label: 'Found in the file' };

const DELIMITERS = [
  FOUND,
  { value: 'comma', label: 'Comma ,' },
  { value: 'semicolon', label: 'Semicolon ;' },
  { value: 'tab', label: 'Tab' },
  { value: 'pipe', label: 'Bar |' },
];

const ENCODINGS = [
  FOUND,
  { value: 'utf-8', label: 'UTF-8' },
  { value: 'utf-16', label: 'UTF-16' },
  { value: 'cp1252', label: 'Western European (cp1252)' },
  { value: 'cp1250', label: 'Central European (cp1250)' },
  { value: 'iso-8859-2', label: 'Central European (ISO 8859-2)' },
  { value: 'cp1251', label: 'Cyrillic (cp1251)' },
  { value: 'cp1253', label: 'Greek (cp1253)' },
  { value: 'cp1254', label: 'Turkish (cp1254)' },
];

const DECIMALS = [FOUND, { value: '.', label: 'Point: 1234.50' }, { value: ',', label: 'Comma: 1234,50' }];

const DATE_ORDERS = [
  FOUND,
  { value: 'day-first', label: 'Day first: 31/03/2026' },
  { value: 'month-first', label: 'Month first: 03/31/2026' },
  { value: 'year-first', label: 'Year first: 26-03-31' },
];

const PERCENTAGES = [
  FOUND,
  { value: 'percent', label: 'In percent: 15' },
  { value: 'share', label: 'As shares of 1: 0.15' },
];

const oneOf = <T extends string>(choices: Record<string, T>, value: string | null): T | undefined =>
  Object.values(choices).find((choice) => choice === value);

/** For the file whose spelling is found wrong; most need none of it. */
export function ReadingFields({ options, onOptions, errors, disabled }: ReadingFieldsProps) {
  const set = (change: ReadOptions) => onOptions({ ...options, ...change });
  const wrong = Object.keys(errors).some((name) => name !== 'mapping');
  const said = Object.values(options).some(Boolean);
  return (
    <details className={classes.reading} open={wrong || said || undefined}>
      <summary>How the file is written</summary>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" mt="sm">
        <Select
          label="Columns are separated by"
          data={DELIMITERS}
          value={options.delimiter ?? ''}
          onChange={(delimiter) => set({ delimiter: delimiter || undefined })}
          error={errors.delimiter}
          disabled={disabled}
        />
        <Select
          label="Encoding"
          data={ENCODINGS}
          value={options.encoding ?? ''}
          onChange={(encoding) => set({ encoding: encoding || undefined })}
          error={errors.encoding}
          disabled={disabled}
        />
        <Select
          label="Decimal sign"
          data={DECIMALS}
          value={options.decimal ?? ''}
          onChange={(decimal) => set({ decimal: oneOf(DecimalEnum, decimal) })}
          error={errors.decimal}
          disabled={disabled}
        />
        <Select
          label="Order of dates"
          data={DATE_ORDERS}
          value={options.date_order ?? ''}
          onChange={(order) => set({ date_order: oneOf(DateOrderEnum, order) })}
          error={errors.date_order}
          disabled={disabled}
        />
        <Select
          label="Percentages"
          data={PERCENTAGES}
          value={options.percentages ?? ''}
          onChange={(scale) => set({ percentages: oneOf(PercentagesEnum, scale) })}
          error={errors.percentages}
          disabled={disabled}
        />
        <TextInput
          label="Sheet"
          description="Of a workbook; left empty, it is found."
          maxLength={255}
          value={options.sheet ?? ''}
          onChange={(event) => set({ sheet: event.currentTarget.value || undefined })}
          error={errors.sheet}
          disabled={disabled}
        />
      </SimpleGrid>
    </details>
  );
}
