import { describe, expect, test } from 'vitest';

import { view } from './tableState';

interface Item {
  name: string;
  cover: number | null;
}
const how = {
  text: (item: Item) => item.name,
  values: { name: (item: Item) => item.name, cover: (item: Item) => item.cover },
};
const items: Item[] = [
  { name: 'SKU-10', cover: 3 },
  { name: 'SKU-9', cover: null },
  { name: 'SKU-2', cover: 12 },
];
const names = (state: Record<string, string>) => view(items, state, how).map((item) => item.name);

describe('a table of rows that are all here', () => {
  test('keeps the given order until it is told otherwise', () => {
    expect(names({})).toEqual(['SKU-10', 'SKU-9', 'SKU-2']);
  });

  test('sorts numbers in names as numbers', () => {
    expect(names({ sort: 'name' })).toEqual(['SKU-2', 'SKU-9', 'SKU-10']);
  });

  test('puts what is not known last, whichever way it is sorted', () => {
    expect(names({ sort: 'cover' })).toEqual(['SKU-10', 'SKU-2', 'SKU-9']);
    expect(names({ sort: '-cover' })).toEqual(['SKU-2', 'SKU-10', 'SKU-9']);
  });

  test('finds whatever the case', () => {
    expect(names({ q: ' sku-9 ' })).toEqual(['SKU-9']);
  });

  test('a sort by a column that is not there is no sort', () => {
    expect(names({ sort: '-price' })).toEqual(['SKU-10', 'SKU-9', 'SKU-2']);
  });
});
