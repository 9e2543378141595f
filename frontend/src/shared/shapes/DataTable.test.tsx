import { MantineProvider } from '@mantine/core';
import { fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { useState } from 'react';
import { beforeEach, describe, expect, test, vi } from 'vitest';

import { DataTable, type Column, type Sort } from './DataTable';
import { view } from './tableState';

interface Item {
  sku: string;
  stock: number;
}
const items = Array.from({ length: 5_000 }, (_, place): Item => ({ sku: `SKU-${place}`, stock: place % 97 }));
const columns: Column<Item>[] = [
  { key: 'sku', header: 'SKU', names: true, render: (item) => item.sku },
  {
    key: 'stock',
    header: 'Stock',
    align: 'right',
    render: (item) => <input aria-label={`Stock of ${item.sku}`} defaultValue={item.stock} />,
  },
];
const values = { sku: (item: Item) => item.sku, stock: (item: Item) => item.stock };

function Table({ rows = items }: { rows?: Item[] }) {
  const [sort, setSort] = useState<Sort>();
  const state = { sort: sort && `${sort.descending ? '-' : ''}${sort.key}` };
  return (
    <MantineProvider>
      <DataTable
        caption="Stock"
        columns={columns}
        rows={view(rows, state, { text: (item) => item.sku, values })}
        rowKey={(item) => item.sku}
        sort={sort}
        sortable={new Set(['sku', 'stock'])}
        onSort={setSort}
        values={values}
      />
    </MantineProvider>
  );
}

const table = () => screen.getByRole('table', { name: 'Stock' });
const shown = () =>
  within(table())
    .getAllByRole('rowheader')
    .map((cell) => cell.textContent);

// jsdom lays nothing out: a frame of 580 pixels, rows of 58.
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(580);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(900);
  vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(58);
});

/** What draws long tables has come, and stands between its gaps. */
const drawn = async () => {
  render(<Table />);
  await waitFor(() => expect(table().querySelector('td[colspan]')).not.toBeNull());
};

const scrollTo = (top: number) => {
  const frame = screen.getByRole('region', { name: 'Stock' });
  frame.scrollTop = top;
  fireEvent.scroll(frame);
};

describe('a table of thousands of rows', () => {
  test('has in the page what is in sight, and says how many there are and where each stands', async () => {
    await drawn();
    expect(table()).toHaveAttribute('aria-rowcount', '5001');
    expect(shown().length).toBeLessThan(60);
    expect(within(table()).getByRole('row', { name: /^SKU-3 / })).toHaveAttribute('aria-rowindex', '5');
  });

  test('brings in the others as it is scrolled, and the keyboard can scroll it', async () => {
    await drawn();
    expect(screen.getByRole('region', { name: 'Stock' })).toHaveAttribute('tabindex', '0');
    scrollTo(58 * 2_500);
    await waitFor(() => expect(shown()).toContain('SKU-2500'));
    expect(shown()).not.toContain('SKU-0');
  });

  test('sorts all of them, says so to a screen reader, and starts at the top', async () => {
    await drawn();
    scrollTo(58 * 2_500);
    await waitFor(() => expect(shown()).toContain('SKU-2500'));
    fireEvent.click(screen.getByRole('button', { name: 'SKU' }));
    fireEvent.click(screen.getByRole('button', { name: 'SKU' }));
    expect(screen.getByRole('columnheader', { name: 'SKU' })).toHaveAttribute('aria-sort', 'descending');
    expect(screen.getByRole('region', { name: 'Stock' }).scrollTop).toBe(0);
    scrollTo(0);
    await waitFor(() => expect(shown()[0]).toBe('SKU-4999'));
  });

  test('keeps the row with the focus when it is scrolled away', async () => {
    await drawn();
    const field = screen.getByRole('textbox', { name: 'Stock of SKU-2' });
    field.focus();
    scrollTo(58 * 2_500);
    await waitFor(() => expect(shown()).toContain('SKU-2500'));
    expect(shown()).toContain('SKU-2');
    expect(field).toHaveFocus();
  });

  test('measures the columns by rows that nobody reads', async () => {
    await drawn();
    const measuring = table().querySelectorAll('tbody tr[aria-hidden="true"] input');
    expect(measuring.length).toBeGreaterThan(0);
    expect(screen.queryAllByRole('textbox', { name: 'Stock of SKU-1000' })).toHaveLength(0);
  });
});

test('of a long table the first rows are there before what draws the others', () => {
  render(<Table />);
  expect(shown().slice(0, 2)).toEqual(['SKU-0', 'SKU-1']);
  expect(shown().length).toBeLessThan(60);
  expect(table()).toHaveAttribute('aria-rowcount', '5001');
});

test('a short table is all there', () => {
  render(<Table rows={items.slice(0, 40)} />);
  expect(shown()).toHaveLength(40);
  expect(table()).not.toHaveAttribute('aria-rowcount');
});
