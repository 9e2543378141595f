import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import type { DatasetDetailOutput } from '@/shared/api/gen/model';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, page, refuses, server } from '@/test/server';
import { user } from '@/test/user';

const failed = fixtures.job({
  status: 'failed',
  stage: 'etl',
  stages: [
    fixtures.stage({
      status: 'failed',
      attempts: 2,
      error: {
        code: 'missing-label',
        message: 'The column “quantity” is missing.',
        hint: 'Add it.',
        details: {},
      },
    }),
  ],
});

function keepsAsked(results = [fixtures.job()]): URLSearchParams[] {
  const asked: URLSearchParams[] = [];
  server.use(
    http.get('*/api/v1/jobs', ({ request }) => {
      asked.push(new URL(request.url).searchParams);
      return HttpResponse.json(page(results));
    }),
  );
  return asked;
}

test('the list is sorted by the address, the newest first without a word', async () => {
  const asked = keepsAsked();
  const { router } = open('/jobs');
  const started = await screen.findByRole('columnheader', { name: 'Started' });
  expect(started).toHaveAttribute('aria-sort', 'descending');
  expect(asked[0]?.get('ordering')).toBeNull();
  await user.click(within(started).getByRole('button'));
  await waitFor(() => expect(asked.at(-1)?.get('ordering')).toBe('created_at'));
  await user.click(screen.getByRole('button', { name: 'Status' }));
  await waitFor(() => expect(asked.at(-1)?.get('ordering')).toBe('status'));
  expect(router.state.location.search).toEqual({ ordering: 'status' });
});

test('a failed job stands in the list with its attempts and its reason', async () => {
  keepsAsked([failed]);
  open('/jobs?dataset=9c1e7c1a-5d53-4b5e-9a55-6f1f5a1f1001');
  const table = await screen.findByRole('table', { name: 'Jobs' });
  expect(within(table).getByText('attempt 2 of 3')).toBeVisible();
  expect(within(table).getByText('The column “quantity” is missing.')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Of one upload only' })).toBeVisible();
});

test('a job that runs again already is not run twice, and it is said', async () => {
  server.use(
    answers('/jobs/:job', failed),
    refuses('/jobs/:job/retry', 409, 'job-not-failed', 'The job has not failed.', {
      hint: 'Wait for its end.',
    }),
  );
  open(`/jobs/${failed.id}`);
  expect(await screen.findByText('Add it.')).toBeVisible();
  expect(screen.getByText(/Attempt 2 of 3/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Run again' }));
  expect(await screen.findByText('The job has not failed.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Run again' })).toBeEnabled();
});

test('an undo names rows, corrections and insights that go, and rows that come back', async () => {
  const corrected: DatasetDetailOutput = {
    ...fixtures.dataset(),
    corrections: [
      {
        id: 'c-1',
        name: 'March, mended',
        uploaded_at: '2026-04-02T08:00:00Z',
        loaded_at: '2026-04-02T08:00:02Z',
        rows: fixtures.rows(15, 12, 3),
      },
    ],
    superseded_by: [],
  };
  server.use(answers('/datasets/:dataset', corrected));
  open(`/jobs/${fixtures.job().id}`);
  await user.click(await screen.findByRole('button', { name: 'Undo upload' }));
  const dialog = await screen.findByRole('dialog', { name: 'Undo this upload?' });
  expect(await within(dialog).findByText(/983 loaded rows and 15 rejected lines and:/)).toBeVisible();
  expect(within(dialog).getByText('its correction “March, mended” with 12 rows')).toBeVisible();
  expect(
    await within(dialog).findByText(/The 1 insight its run computed \(Revenue forecast\) goes as well/),
  ).toBeVisible();
  expect(
    within(dialog).getByText(/83 rows of earlier uploads, which it replaced, count again/),
  ).toBeVisible();
});

test('an undo that is refused says why and takes nothing away', async () => {
  server.use(
    http.delete('*/api/v1/datasets/:dataset', () =>
      HttpResponse.json(fixtures.problem(409, 'job-active', 'A job of the upload is under way.'), {
        status: 409,
      }),
    ),
  );
  const { router } = open(`/jobs/${fixtures.job().id}`);
  await user.click(await screen.findByRole('button', { name: 'Undo upload' }));
  await user.click(await screen.findByRole('button', { name: 'Undo the upload' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('A job of the upload is under way.');
  expect(router.state.location.pathname).toBe(`/jobs/${fixtures.job().id}`);
});

test('what a refused file needs is the whole file again', async () => {
  server.use(
    answers('/jobs/:job', {
      ...failed,
      stages: [{ ...failed.stages[0], rows: fixtures.rows(500, 0, 180, 0) }],
    }),
  );
  const { router } = open(`/jobs/${failed.id}`);
  await user.click(await screen.findByRole('link', { name: 'Upload the whole file again' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/upload'));
  expect(router.state.location.search).toEqual({});
});
