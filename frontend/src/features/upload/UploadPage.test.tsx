import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, refuses, server } from '@/test/server';
import { user } from '@/test/user';

const csv = () => new File(['transaction_id,date\nT-1,2026-03-31\n'], 'march.csv', { type: 'text/csv' });
const choose = async () => user.upload(await screen.findByLabelText('The file to upload'), csv());
const send = async (name = 'Upload') => user.click(screen.getByRole('button', { name }));

const submission = (given: object = {}) => ({
  dataset: fixtures.dataset(),
  job: fixtures.job(),
  duplicate_of: null,
  ...given,
});

test('a file becomes a job whose way is shown to its end', async () => {
  const sent: Record<string, unknown> = {};
  const moving = fixtures.job({
    status: 'processing',
    stage: 'etl',
    stages: [
      fixtures.stage({
        status: 'processing',
        duration_ms: null,
        finished_at: null,
        progress: { done: 400, total: 1000, unit: 'rows' },
      }),
    ],
  });
  let asked = 0;
  server.use(
    http.post('*/api/v1/datasets/upload', async ({ request }) => {
      const form = await request.formData();
      Object.assign(sent, Object.fromEntries(form), { key: request.headers.get('Idempotency-Key') });
      return HttpResponse.json(submission({ job: moving }), { status: 202 });
    }),
    http.get('*/api/v1/jobs/:job', () => {
      asked += 1;
      return HttpResponse.json(asked > 1 ? fixtures.job({ partial: true }) : moving);
    }),
  );
  open('/upload');
  await choose();
  await user.type(screen.getByLabelText('Name'), 'March');
  await user.click(screen.getByLabelText('Refuse the whole file'));
  await send();
  expect(await screen.findByText(/400 of 1,000 rows/)).toBeVisible();
  expect(sent).toMatchObject({ name: 'March', department: 'sales', on_error: 'refuse' });
  expect(sent.key).toMatch(/^[0-9a-f]{32}$/);
  expect(await screen.findByRole('link', { name: 'See the dashboard' }, { timeout: 4000 })).toBeVisible();
  expect(screen.getByRole('link', { name: 'See what was wrong' })).toBeVisible();
});

test('without a file nothing is sent', async () => {
  open('/upload');
  await screen.findByLabelText('The file to upload');
  await send();
  expect(await screen.findByText('Choose a file.')).toBeVisible();
});

test('a refused file says why, keeps what was typed, and the next try has a new key only for a new upload', async () => {
  const keys: (string | null)[] = [];
  server.use(
    http.post('*/api/v1/datasets/upload', ({ request }) => {
      keys.push(request.headers.get('Idempotency-Key'));
      return HttpResponse.json(
        fixtures.problem(413, 'file-too-large', 'The file is larger than the limit of 100 MB.', {
          hint: 'Split the file.',
        }),
        { status: 413 },
      );
    }),
  );
  open('/upload');
  await choose();
  await user.type(screen.getByLabelText('Name'), 'March');
  await send();
  expect(await screen.findByRole('alert')).toHaveTextContent('Split the file.');
  expect(screen.getByLabelText('Name')).toHaveValue('March');
  await send('Upload again');
  await screen.findByRole('button', { name: 'Upload again' });
  await user.type(screen.getByLabelText('Name'), ' corrected');
  await send('Upload again');
  await screen.findByRole('button', { name: 'Upload again' });
  expect(keys).toHaveLength(3);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});

test('a token that ran out on the way is exchanged and the file sent again', async () => {
  const tokens: (string | null)[] = [];
  server.use(
    http.post('*/api/v1/auth/refresh', () => HttpResponse.json(fixtures.signedIn(fixtures.ada, 'access-2'))),
    http.post('*/api/v1/datasets/upload', ({ request }) => {
      const token = request.headers.get('Authorization');
      tokens.push(token);
      return token === 'Bearer access-2'
        ? HttpResponse.json(submission(), { status: 202 })
        : HttpResponse.json(fixtures.problem(401, 'token-expired', 'Expired.'), { status: 401 });
    }),
  );
  open('/upload');
  await choose();
  await send();
  expect(await screen.findByRole('link', { name: 'See the dashboard' })).toBeVisible();
  expect(tokens).toEqual(['Bearer access-1', 'Bearer access-2']);
});

test('the same bytes as before are pointed out', async () => {
  server.use(answers('/datasets/upload', submission({ duplicate_of: 'earlier-1' }), 'post', 202));
  open('/upload');
  await choose();
  await send();
  expect(await screen.findByText('The same file was uploaded before')).toBeVisible();
  expect(screen.getByRole('link', { name: 'an earlier upload' })).toHaveAttribute('href', '/data/earlier-1');
});

test('an outage while sending is said, and the file is still chosen', async () => {
  server.use(refuses('/datasets/upload', 503, 'storage-unavailable', 'The file could not be stored.'));
  open('/upload');
  await choose();
  await send();
  expect(await screen.findByRole('alert')).toHaveTextContent('The file could not be stored.');
  expect(screen.getByText('march.csv')).toBeVisible();
});

test('a member’s department is fixed, an admin chooses', async () => {
  const { unmount } = open('/upload');
  expect(await screen.findByRole('combobox', { name: 'Department' })).toHaveAttribute('readonly');
  unmount();
  const { router } = open('/upload', { as: fixtures.admin });
  // The header's, which comes by itself, and the form's.
  await waitFor(() => expect(screen.getAllByRole('combobox', { name: 'Department' })).toHaveLength(2));
  const [, field] = screen.getAllByRole('combobox', { name: 'Department' });
  await user.click(field as HTMLElement);
  const offered = within(await screen.findByRole('listbox'));
  await user.click(offered.getByRole('option', { name: 'Finance' }));
  expect(router.state.location.search).toEqual({ department: 'finance' });
});

test('the data dictionary stands beside the form', async () => {
  open('/upload');
  expect(await screen.findByText('discount_pct')).toBeVisible();
  expect(screen.getByText('such as 15 · 0 to 100 · may be empty · also as discount')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Template' })).toBeVisible();
});
