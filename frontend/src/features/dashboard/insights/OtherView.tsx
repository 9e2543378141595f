import { format, humanise, UNKNOWN } from '@/shared/format/format';
import type { Column } from '@/shared/shapes/DataTable';
import { ExploreTable } from '@/shared/shapes/ExploreTable';
import type { SortValue } from '@/shared/shapes/tableState';

import type { InsightViewProps } from '../view';

type Item = Record<string, unknown>;

const isItem = (value: unknown): value is Item =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const simple = (value: unknown): SortValue =>
  typeof value === 'string' || typeof value === 'number'
    ? value
    : typeof value === 'boolean'
      ? String(value)
      : null;

const write = (value: unknown): string => {
  if (typeof value === 'number') return format.number(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' && value !== '' ? value : UNKNOWN;
};

/** An insight of a kind this page has no drawing for: its summary stands above, its lists are tables. */
export function OtherView({ insight, state, onState }: InsightViewProps) {
  const lists = Object.entries(insight.data).filter(
    (entry): entry is [string, Item[]] =>
      Array.isArray(entry[1]) && entry[1].length > 0 && entry[1].every(isItem),
  );
  const [first] = lists;
  if (!first) return null;
  const [name, items] = first;
  const keys = Object.keys(items[0] ?? {}).filter((key) => items.some((item) => simple(item[key]) !== null));
  const columns: Column<[string, Item]>[] = keys.map((key, place) => ({
    key,
    header: humanise(key),
    names: place === 0,
    align: items.some((item) => typeof item[key] === 'number') ? 'right' : undefined,
    render: ([, item]) => write(item[key]),
  }));
  return (
    <ExploreTable
      caption={humanise(name)}
      columns={columns}
      rows={items.map((item, place): [string, Item] => [String(place), item])}
      rowKey={([place]) => place}
      text={([, item]) => Object.values(item).map(write).join(' ')}
      values={Object.fromEntries(keys.map((key) => [key, ([, item]: [string, Item]) => simple(item[key])]))}
      exported={keys.map((key) => ({
        header: humanise(key),
        value: ([, item]: [string, Item]) => simple(item[key]) ?? null,
      }))}
      state={state}
      onState={onState}
    />
  );
}
