import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, test } from 'vitest';

import type { DatasetDetailOutput } from '@/shared/api/gen/model';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { profile } from '@/test/profile';
import { answers, page, refuses, server } from '@/test/server';
import { user } from '@/test/user';

const id = fixtures.dataset().id;
const detail = (given: Partial<DatasetDetailOutput> = {}): DatasetDetailOutput => ({
  ...fixtures.dataset(),
  superseded_by: [],
  ...given,
});
const show = (tab: string, given: Partial<DatasetDetailOutput> = {}) => {
  server.use(answers('/datasets/:dataset', detail(given)));
  return open(`/data/${id}?tab=${tab}`);
};

describe('the clean rows', () => {
  const watched = () => {
    const asked: URLSearchParams[] = [];
    server.use(
      http.get('*/api/v1/datasets/:dataset/rows', ({ request }) => {
        const params = new URL(request.url).searchParams;
        asked.push(params);
        const rows = params.get('value') === 'none' ? [] : [{ line: 2, transaction_id: 'T-1', quantity: 2 }];
        return HttpResponse.json(page(rows));
      }),
    );
    return asked;
  };

  test('are asked of the server by a value in a column, and from the last line', async () => {
    const asked = watched();
    const { router } = open(`/data/${id}`);
    await user.click(await screen.findByRole('combobox', { name: 'Column' }));
    await user.click(await screen.findByRole('option', { name: 'transaction_id' }));
    await user.type(screen.getByRole('textbox', { name: 'Value in the column' }), 'T-1{Enter}');
    await waitFor(() =>
      expect(Object.fromEntries(asked.at(-1) ?? [])).toEqual({
        limit: '50',
        column: 'transaction_id',
        value: 'T-1',
      }),
    );
    expect(router.state.location.search).toMatchObject({ column: 'transaction_id', value: 'T-1' });
    expect(await screen.findByRole('button', { name: 'Download these as CSV' })).toBeVisible();
    await user.click(screen.getByRole('radio', { name: 'Last lines' }));
    await waitFor(() => expect(asked.at(-1)?.get('ordering')).toBe('-line'));
    await user.click(screen.getByRole('button', { name: 'All rows' }));
    await waitFor(() => expect(asked.at(-1)?.has('column')).toBe(false));
  });

  test('without a value are those with an empty cell', async () => {
    const asked = watched();
    open(`/data/${id}?column=quantity`);
    await screen.findByText('T-1');
    expect(asked.at(-1)?.get('value')).toBe('');
  });

  test('say so where none has the value', async () => {
    watched();
    open(`/data/${id}?column=transaction_id&value=none`);
    expect(await screen.findByText('No cell of transaction_id has “none”.')).toBeVisible();
  });

  test('say what is wrong with a value, and stay ready for another', async () => {
    server.use(
      refuses('/datasets/:dataset/rows', 400, 'unreadable-value', '“three” is no number.', {
        hint: 'Write a number like 1234.5, without signs.',
      }),
    );
    open(`/data/${id}?column=quantity&value=three`);
    expect(await screen.findByRole('alert')).toHaveTextContent('“three” is no number.');
    expect(screen.getByRole('textbox', { name: 'Value in the column' })).toHaveValue('three');
  });
});

describe('the columns', () => {
  test('are described, and what is not as before is said in words', async () => {
    server.use(answers('/datasets/:dataset/profile', profile()));
    show('profile');
    expect(await screen.findByText('Look before use: quantity')).toBeVisible();
    expect(screen.getByText(/2.5 % of the cells are empty/)).toBeVisible();
    expect(screen.getByRole('link', { name: 'February sales' })).toBeVisible();
    const quantity = screen.getByRole('region', { name: 'Column quantity' });
    expect(within(quantity).getByText('25 (2.5%)')).toBeVisible();
    expect(within(quantity).getByText('≈ 6,400')).toBeVisible();
    expect(within(quantity).getByText('5 to 18')).toBeVisible();
    expect(within(quantity).getByText('1 change')).toBeVisible();
    expect(within(quantity).getByRole('img')).toHaveAccessibleName(/1 to 5: 300 rows; 5 to 90: 675 rows/);
    const sku = screen.getByRole('region', { name: 'Column sku' });
    expect(within(sku).getByText('5 to 9')).toBeVisible();
    expect(within(sku).queryByRole('img')).not.toBeInTheDocument();
  });

  test('say why nothing is compared', async () => {
    const drift = { compared_with: null, reason: 'There is no earlier upload.', stability: [], flags: [] };
    server.use(answers('/datasets/:dataset/profile', profile({ drift })));
    show('profile');
    expect(await screen.findByText('There is no earlier upload.')).toBeVisible();
  });

  test('have no profile before the load, and say when they will', async () => {
    server.use(
      refuses('/datasets/:dataset/profile', 409, 'not-profiled', 'March sales has no profile yet.', {
        hint: 'It is made when the file is loaded.',
      }),
    );
    show('profile');
    expect(await screen.findByText('It is made when the file is loaded.')).toBeVisible();
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
  });
});

describe('the changes', () => {
  test('are counted, with what has replaced and what has mended it', async () => {
    show('history', {
      superseded_by: [{ dataset: 'b', name: 'April sales', rows: 83 }],
      corrected: 9,
      corrections: [
        {
          id: 'c',
          name: 'March mended',
          uploaded_at: '2026-04-02T08:00:00Z',
          loaded_at: '2026-04-02T08:00:02Z',
          rows: fixtures.rows(10, 9, 1),
        },
      ],
    });
    expect(await screen.findByText('900')).toBeVisible();
    expect(screen.getByRole('link', { name: 'April sales' })).toHaveAttribute('href', '/data/b');
    expect(screen.getByRole('link', { name: 'March mended' })).toHaveAttribute('href', '/data/c');
    expect(screen.getByText('They have brought 9 rows.')).toBeVisible();
    const link = screen.getByRole('link', { name: 'Upload corrected file' });
    expect(link).toHaveAttribute('href', `/upload?corrects=${id}`);
  });

  test('of a clean and newest upload are nothing to do', async () => {
    show('history', { rows: fixtures.rows(10, 10), changes: null });
    expect(await screen.findByText('Not counted')).toBeVisible();
    expect(screen.getByText('All 10 rows of it count.')).toBeVisible();
    expect(screen.getByText('None needed')).toBeVisible();
    expect(screen.queryByRole('link', { name: 'Upload corrected file' })).not.toBeInTheDocument();
  });
});

test('what nothing in the file has settled is said to be assumed', async () => {
  const { reading } = fixtures.dataset();
  show('reading', {
    reading: {
      ...reading,
      encoding: 'cp1252',
      basis: { encoding: 'assumed', percentages: 'assumed' },
      percentages: { discount_pct: 'percent' },
      percentages_assumed: true,
    },
  });
  expect(await screen.findByText('cp1252 (assumed; nothing in the file settles it)')).toBeVisible();
  expect(screen.getByText(/^discount_pct in percent \(assumed/)).toBeVisible();
});

test('where the mapping comes from is said', async () => {
  const { reading } = fixtures.dataset();
  show('reading', {
    reading: {
      ...reading,
      mapping_from: 'remembered',
      mapping_by: 'Ben Ito',
      mapping_at: '2026-03-01T08:00:00Z',
    },
  });
  expect(await screen.findByText(/^remembered from Ben Ito, /)).toBeVisible();
});
