import { describe, expect, test } from 'vitest';

import { choicesOf, view, type Facet } from './tableState';

interface Item {
  name: string;
  cover: number | null;
  place?: string;
}
const place: Facet<Item> = { key: 'place', label: 'Place', value: (item) => item.place ?? null };
const how = {
  text: (item: Item) => item.name,
  values: { name: (item: Item) => item.name, cover: (item: Item) => item.cover },
  facets: [place],
};
const items: Item[] = [
  { name: 'SKU-10', cover: 3, place: 'W10' },
  { name: 'SKU-9', cover: null, place: 'W9' },
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

  test('keeps what has the chosen value, and the search narrows it further', () => {
    expect(names({ place: 'W10' })).toEqual(['SKU-10']);
    expect(names({ place: 'W10', q: '9' })).toEqual([]);
    expect(names({ place: 'W3' })).toEqual([]);
  });

  test('offers the values there are, numbers in names as numbers', () => {
    expect(choicesOf(items, place)).toEqual(['W9', 'W10']);
  });

  test('a sort by a column that is not there is no sort', () => {
    expect(names({ sort: '-price' })).toEqual(['SKU-10', 'SKU-9', 'SKU-2']);
  });
});
