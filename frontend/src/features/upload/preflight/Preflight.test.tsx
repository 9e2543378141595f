import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, page, refuses, server } from '@/test/server';
import { user } from '@/test/user';

const taken = { dataset: fixtures.dataset(), job: fixtures.job(), duplicate_of: null };
const choose = async (content: BlobPart, name = 'week.csv') =>
  user.upload(await screen.findByLabelText('The file to upload'), new File([content], name));
const look = () => screen.findByRole('region', { name: 'A look at the file' });

function sends(sent: Record<string, unknown>) {
  return http.post('*/api/v1/datasets/upload', async ({ request }) => {
    Object.assign(sent, Object.fromEntries(await request.formData()));
    return HttpResponse.json(taken, { status: 202 });
  });
}

test('the first rows are shown, how they are written, and that all is there', async () => {
  open('/upload');
  await choose('Receipt;Order Date;QTY;Cashier\nT-1;2026-03-31;2;Ann\nT-2;2026-03-31;1;Bob\n');
  const region = await look();
  expect(await within(region).findByText(/4 columns separated by semicolons, UTF-8/)).toBeVisible();
  expect(within(region).getByText('All needed columns are there')).toBeVisible();
  expect(within(region).getByText('Not read: Cashier.')).toBeVisible();
  const table = within(region).getByRole('table');
  expect(within(table).getByRole('columnheader', { name: 'QTY quantity' })).toBeVisible();
  expect(within(table).getByRole('columnheader', { name: 'Cashier not read' })).toBeVisible();
  expect(within(table).getAllByRole('row')).toHaveLength(3);
});

test('a missing column comes with what may have been meant, and one click sends it so', async () => {
  const sent: Record<string, unknown> = {};
  server.use(sends(sent));
  open('/upload');
  await choose('transaction_id,date,Quantitiy,Till\nT-1,2026-03-31,2,9\n');
  expect(await screen.findByText('Needed and not found: quantity')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Yes, read “Quantitiy” as quantity' }));
  expect(await screen.findByText('All needed columns are there')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Say which column is which' }));
  await user.click(screen.getByRole('combobox', { name: 'Till' }));
  await user.click(await screen.findByRole('option', { name: 'Leave it out' }));
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByText(/The file is here/)).toBeVisible();
  expect(JSON.parse(String(sent.mapping))).toEqual({ Quantitiy: 'quantity', Till: null });
});

test('nothing is sent of the mapping where nobody said anything', async () => {
  const sent: Record<string, unknown> = {};
  server.use(sends(sent));
  open('/upload');
  await choose('transaction_id,date\nT-1,2026-03-31\n');
  // It advises and does not stand in the way.
  expect(await screen.findByText('Needed and not found: quantity')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByText(/The file is here/)).toBeVisible();
  expect(Object.keys(sent).sort()).toEqual(['department', 'description', 'file', 'name', 'on_error']);
});

test('a mapping the platform refuses is mended in its place', async () => {
  server.use(
    refuses('/datasets/upload', 400, 'mapping-error', 'The mapping cannot be followed.', {
      errors: [{ pointer: '/mapping', code: 'mapping-error', detail: 'There is no column “sum”.' }],
    }),
  );
  open('/upload');
  await choose('transaction_id,date,Quantitiy\nT-1,2026-03-31,2\n');
  await user.click(await screen.findByRole('button', { name: 'Yes, read “Quantitiy” as quantity' }));
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  const group = await screen.findByRole('group', { name: 'Which column is which' });
  expect(within(group).getByRole('alert')).toHaveTextContent('There is no column “sum”.');
  expect(within(group).getByRole('combobox', { name: 'Quantitiy' })).toHaveValue('quantity');
});

test('a mapping the department gave before holds, until something else is said', async () => {
  const sent: Record<string, unknown> = {};
  server.use(
    sends(sent),
    answers(
      '/schemas/sales/mappings',
      page([
        {
          id: 'm-1',
          department: 'sales',
          header: ['Bon', 'Tag', 'Menge'],
          mapping: { Bon: 'transaction_id', Tag: 'date', Menge: 'quantity' },
          given_by: { id: fixtures.ada.id, full_name: 'Cleo Colleague' },
          given_at: '2026-03-01T08:00:00Z',
        },
      ]),
    ),
  );
  open('/upload');
  await choose('menge;bon;tag\n2;T-1;2026-03-31\n');
  expect(await screen.findByText(/Cleo Colleague said on Mar 1, 2026/)).toBeVisible();
  expect(screen.getByText('All needed columns are there')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Say which column is which' }));
  await user.click(screen.getByRole('combobox', { name: 'tag' }));
  await user.click(await screen.findByRole('option', { name: 'Leave it out' }));
  expect(await screen.findByText('Needed and not found: date')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Back to what is found' }));
  expect(await screen.findByText(/Cleo Colleague said/)).toBeVisible();
});

test('how the file is written can be said, changes the look, and goes with the upload', async () => {
  const sent: Record<string, unknown> = {};
  server.use(sends(sent));
  open('/upload');
  await choose('transaction_id;date;quantity;a|b\nT-1;2026-03-31;2;x\n');
  expect(await screen.findByText(/separated by semicolons/)).toBeVisible();
  await user.click(screen.getByText('How the file is written'));
  await user.click(screen.getByRole('combobox', { name: 'Columns are separated by' }));
  await user.click(await screen.findByRole('option', { name: 'Bar |' }));
  expect(await screen.findByText(/2 columns separated by bars/)).toBeVisible();
  await user.click(screen.getByRole('combobox', { name: 'Order of dates' }));
  await user.click(await screen.findByRole('option', { name: 'Day first: 31/03/2026' }));
  await user.click(screen.getByRole('combobox', { name: 'Percentages' }));
  await user.click(await screen.findByRole('option', { name: 'As shares of 1: 0.15' }));
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByText(/The file is here/)).toBeVisible();
  expect(sent).toMatchObject({ delimiter: 'pipe', date_order: 'day-first', percentages: 'share' });
  expect(sent).not.toHaveProperty('decimal');
});

test.each([
  ['a workbook', new Uint8Array([0x50, 0x4b, 3, 4]), 'week.xlsx', /Only text files can be shown here/],
  ['blank lines', '\n\n', 'week.csv', /nothing in this file but blank lines/],
  ['a text of no table', 'Dear all,\nhere it is\n', 'mail.txt', /2 columns|No line of column names/],
])('%s is said to be so, and can be uploaded', async (_name, content, name, words) => {
  server.use(answers('/datasets/upload', taken, 'post', 202));
  open('/upload');
  await choose(content, name);
  expect(await within(await look()).findByText(words)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByText(/The file is here/)).toBeVisible();
});

test('the very same file is pointed out before it is sent', async () => {
  const content = 'transaction_id,date,quantity\nT-1,2026-03-31,2\n';
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(content));
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  server.use(answers('/datasets', page([fixtures.dataset({ sha256 })])));
  open('/upload');
  await choose(content);
  expect(await screen.findByText('This very file was uploaded before')).toBeVisible();
  expect(screen.getByRole('link', { name: 'March sales' })).toHaveAttribute(
    'href',
    `/data/${fixtures.dataset().id}`,
  );
});

test('a platform that does not answer about the columns does not stand in the way', async () => {
  server.use(
    refuses('/schemas/:department', 503, 'unavailable', 'Away.'),
    answers('/datasets/upload', taken, 'post', 202),
  );
  open('/upload');
  await choose('a,b\n1,2\n');
  expect(await screen.findByText(/The file cannot be shown here/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByText(/The file is here/)).toBeVisible();
});

test('a corrected file says what it completes, and goes with it', async () => {
  const sent: Record<string, unknown> = {};
  const id = fixtures.dataset().id;
  server.use(sends(sent));
  const { router } = open(`/jobs/${fixtures.job().id}`);
  server.use(
    answers(
      '/jobs/:job',
      fixtures.job({ partial: true, stages: [fixtures.stage({ rows: fixtures.rows(1000, 983, 15, 2) })] }),
    ),
  );
  await user.click(await screen.findByRole('link', { name: 'Upload corrected file' }));
  expect(router.state.location.search).toEqual({ corrects: id });
  expect(await screen.findByText('This file completes “March sales”')).toBeVisible();
  expect(screen.getByText(/17 lines were set aside and 983 loaded/)).toBeVisible();
  await choose('error_code,error,transaction_id,date,quantity\n,,T-1,2026-03-31,2\n', 'rejects.csv');
  expect(await screen.findByText('All needed columns are there')).toBeVisible();
  expect(screen.queryByText(/Not read/)).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByText(/The file is here/)).toBeVisible();
  expect(sent.corrects).toBe(id);
});

test('an upload that was undone cannot be completed, and the way out is there', async () => {
  server.use(refuses('/datasets/:dataset', 404, 'not-found', 'There is no such dataset.'));
  const { router } = open('/upload?corrects=gone');
  expect(await screen.findByRole('alert')).toHaveTextContent('There is no such dataset.');
  await user.click(screen.getByRole('button', { name: 'Upload a file of its own instead' }));
  await waitFor(() => expect(router.state.location.search).toEqual({}));
  expect(screen.queryByRole('alert')).not.toBeInTheDocument();
});

test.each([
  [409, 'upload-undone', 'The upload was undone.'],
  [413, 'file-too-large', 'The file is too large.'],
  [429, 'throttled', 'Too many requests.'],
  [500, 'internal', 'Something broke.'],
])('a %i is said in words, and the form is as it was', async (status, code, words) => {
  server.use(refuses('/datasets/upload', status, code, words));
  open('/upload');
  await choose('transaction_id,date,quantity\nT-1,2026-03-31,2\n');
  await user.type(screen.getByLabelText('Name'), 'March');
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByRole('alert')).toHaveTextContent(words);
  expect(screen.getByLabelText('Name')).toHaveValue('March');
  expect(screen.getByText('week.csv')).toBeVisible();
});

test('a lost connection is said, and the next try is the same upload', async () => {
  const keys: (string | null)[] = [];
  server.use(
    http.post('*/api/v1/datasets/upload', ({ request }) => {
      keys.push(request.headers.get('Idempotency-Key'));
      return keys.length === 1 ? HttpResponse.error() : HttpResponse.json(taken, { status: 202 });
    }),
  );
  open('/upload');
  await choose('transaction_id,date,quantity\nT-1,2026-03-31,2\n');
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('The platform could not be reached.');
  await user.click(screen.getByRole('button', { name: 'Upload again' }));
  expect(await screen.findByText(/The file is here/)).toBeVisible();
  expect(keys[0]).toBe(keys[1]);
});
