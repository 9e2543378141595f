import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import type { BulkReviewInputRequest } from '@/shared/api/gen/model';
import type { SpendItem } from '@/shared/insights/types';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { board, fay, payments, reviewed, takesReviews } from '@/test/reviews';
import { answers, refuses, server } from '@/test/server';
import { user } from '@/test/user';

const REVIEWS = '/insights/:insight/reviews/bulk';

function openQueue(items: SpendItem[] = payments(8), { search = '', total = items.length } = {}) {
  server.use(answers('/dashboards/finance', board(items, total)));
  return open(`/dashboard/finance${search}`, { as: fay });
}

const queue = () => screen.findByRole('list', { name: 'Payments in order of strangeness' });
const itemOf = async (id: string) => {
  const items = within(await queue()).getAllByRole('listitem');
  return items.find((item) => item.textContent.includes(`${id} ·`)) as HTMLElement;
};
const button = (within_: HTMLElement, name: string) => within(within_).getByRole('button', { name });
const [FIRST = '', SECOND = ''] = payments(2).map((item) => item.txn_id);

test('one payment is reviewed with a note, stays in sight, and can be opened again', async () => {
  const said: BulkReviewInputRequest[] = [];
  openQueue();
  server.use(takesReviews(said));
  await user.click(button(await itemOf(FIRST), 'Evidence and review'));
  const form = await screen.findByRole('form', { name: `Review of ${FIRST}` });
  await user.click(within(form).getByRole('button', { name: 'Save review' }));
  expect(await within(form).findByText('Choose one.')).toBeVisible();
  await user.click(within(form).getByRole('radio', { name: 'Fixed' }));
  await user.type(within(form).getByLabelText('Note'), 'Paid back');
  await user.click(within(form).getByRole('button', { name: 'Save review' }));
  expect(await screen.findByText(`${FIRST}: fixed`)).toBeVisible();
  expect(said).toEqual([{ subjects: [[FIRST]], verdict: 'fixed', note: 'Paid back' }]);
  expect(await itemOf(FIRST)).toHaveTextContent(/Fixed by Fay Ledger.*“Paid back”/);
  expect(screen.getByRole('checkbox', { name: 'Open (5)' })).toBeChecked();

  await user.click(button(await itemOf(FIRST), 'Take back'));
  await waitFor(() => expect(said.at(-1)).toEqual({ subjects: [[FIRST]], verdict: 'open', note: '' }));
  expect(await screen.findByRole('checkbox', { name: 'Open (6)' })).toBeVisible();
});

test('a review that is not taken keeps what was typed, also while the payment is closed', async () => {
  openQueue();
  server.use(http.put(`*/api/v1${REVIEWS}`, () => HttpResponse.error()));
  await user.click(button(await itemOf(FIRST), 'Evidence and review'));
  const form = await screen.findByRole('form', { name: `Review of ${FIRST}` });
  await user.click(within(form).getByRole('radio', { name: 'Expected' }));
  await user.type(within(form).getByLabelText('Note'), 'Rent');
  await user.click(within(form).getByRole('button', { name: 'Save review' }));
  expect(await within(form).findByRole('alert')).toHaveTextContent('The platform could not be reached.');
  expect(within(form).getByLabelText('Note')).toHaveValue('Rent');
  expect(await itemOf(FIRST)).toHaveTextContent('Open');

  await user.click(button(await itemOf(FIRST), 'Evidence and review'));
  expect(screen.queryByRole('form')).not.toBeInTheDocument();
  await user.click(button(await itemOf(FIRST), 'Evidence and review'));
  expect(await screen.findByLabelText('Note')).toHaveValue('Rent');
  expect(screen.getByRole('radio', { name: 'Expected' })).toBeChecked();
});

test('several are acknowledged at once, and that is undone at once', async () => {
  const said: BulkReviewInputRequest[] = [];
  openQueue();
  server.use(takesReviews(said));
  await queue();
  expect(screen.getByRole('button', { name: 'Acknowledge selected' })).toBeDisabled();
  await user.click(screen.getByRole('checkbox', { name: 'Select the 6 open ones on this page' }));
  await user.click(screen.getByRole('checkbox', { name: `Select ${SECOND}` }));
  await user.click(screen.getByRole('button', { name: 'Acknowledge 5' }));
  expect(await screen.findByText('5 payments: acknowledged')).toBeVisible();
  expect(said[0]?.subjects).toHaveLength(5);
  expect(said[0]?.subjects).not.toContainEqual([SECOND]);
  expect(screen.getByRole('checkbox', { name: 'Acknowledged (5)' })).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Undo' }));
  expect(await screen.findByRole('checkbox', { name: 'Open (6)' })).toBeVisible();
  expect(said[1]).toEqual({ subjects: said[0]?.subjects, verdict: 'open', note: '' });
  expect(screen.queryByText('5 payments: acknowledged')).not.toBeInTheDocument();
});

test('what showed at once goes back where it is refused', async () => {
  let refuse = (): void => undefined;
  const asked = new Promise<void>((resolve) => (refuse = resolve));
  openQueue();
  server.use(
    http.put(`*/api/v1${REVIEWS}`, async () => {
      await asked;
      return HttpResponse.json(fixtures.problem(404, 'not-found', 'The insight has no such item: TX.'), {
        status: 404,
      });
    }),
  );
  await user.click(button(await itemOf(FIRST), 'Acknowledge'));
  expect(await screen.findByRole('checkbox', { name: 'Acknowledged (1)' })).toBeVisible();
  refuse();
  expect(await screen.findByText('The insight has no such item: TX.')).toBeVisible();
  expect(screen.getByRole('checkbox', { name: 'Acknowledged (0)' })).toBeVisible();
  expect(button(await itemOf(FIRST), 'Acknowledge')).toBeEnabled();
});

test('an undo brings back the review that stood before', async () => {
  const said: BulkReviewInputRequest[] = [];
  const [one, ...rest] = payments(3) as [SpendItem, ...SpendItem[]];
  openQueue([{ ...one, status: 'expected', review: reviewed() }, ...rest], {
    search: '?spend_anomalies.state=expected',
  });
  server.use(takesReviews(said));
  await user.click(button(await itemOf(FIRST), 'Evidence and change'));
  await user.click(await screen.findByRole('radio', { name: 'Confirmed' }));
  expect(screen.getByLabelText('Note')).toHaveValue('The yearly rent');
  await user.click(screen.getByRole('button', { name: 'Save review' }));
  await user.click(await screen.findByRole('button', { name: 'Undo' }));
  await waitFor(() =>
    expect(said.at(-1)).toEqual({ subjects: [[FIRST]], verdict: 'expected', note: 'The yearly rent' }),
  );
});

test('a payment that changed is open again, and says what was said before and what has changed', async () => {
  const [one, ...rest] = payments(3) as [SpendItem, ...SpendItem[]];
  openQueue([{ ...one, review: reviewed({ reopened: 'The amount was 120.00.' }) }, ...rest]);
  const item = await itemOf(FIRST);
  expect(item).toHaveTextContent('Reopened');
  expect(item).toHaveTextContent('The amount was 120.00.');
  expect(item).toHaveTextContent(/Before: Expected by Cleo Colleague.*“The yearly rent”/);
  await user.click(button(item, 'Evidence and review'));
  expect(await screen.findByRole('radio', { name: 'Expected' })).not.toBeChecked();
});

test('the evidence names the usual range, how many it rests on, and the payments it was matched with', async () => {
  const [one, two, ...rest] = payments(4) as [SpendItem, SpendItem, ...SpendItem[]];
  const evidence = {
    typical_low: 120.4,
    typical_high: 1420.9,
    median: 594.2,
    n: 214,
    matching_txn_ids: [two.txn_id, 'TX-0000'],
  };
  const { router } = openQueue([{ ...one, evidence }, two, ...rest], {
    search: `?spend_anomalies.item=${FIRST}`,
  });
  const item = await itemOf(FIRST);
  expect(item).toHaveTextContent(/€120.40 – €1,420.90.*214 payments, this one included/);
  const matched = within(item).getByRole('table', { name: 'Payments it was matched with' });
  expect(within(matched).getByRole('row', { name: /TX-0000/ })).toHaveTextContent('not listed here');
  await user.click(button(matched, SECOND));
  await waitFor(() =>
    expect(router.state.location.search).toMatchObject({
      'spend_anomalies.item': SECOND,
      'spend_anomalies.q': SECOND,
      'spend_anomalies.state': 'any',
    }),
  );
  expect(await screen.findByRole('form', { name: `Review of ${SECOND}` })).toBeVisible();
});

test('filters stand in the address, and a queue that is done says so', async () => {
  const { router } = openQueue(payments(8), { search: '?spend_anomalies.severity=critical' });
  expect(within(await queue()).getAllByRole('heading', { level: 3 })).toHaveLength(2);
  await user.click(screen.getByRole('checkbox', { name: 'Open (2)' }));
  await user.click(screen.getByRole('checkbox', { name: 'Fixed (0)' }));
  expect(await screen.findByText('Nothing waits here')).toBeVisible();
  expect(router.state.location.search).toMatchObject({
    'spend_anomalies.state': 'fixed',
    'spend_anomalies.severity': 'critical',
  });
  await user.click(screen.getByRole('button', { name: 'Show all that are listed' }));
  expect(within(await queue()).getAllByRole('heading', { level: 3 })).toHaveLength(2);
});

test('a long ranking says how much of it is here, and loads the rest piece by piece', async () => {
  const all = payments(10);
  const asked: string[] = [];
  openQueue(all.slice(0, 8), { total: 10, search: '?spend_anomalies.show=all' });
  let down = true;
  server.use(
    http.get('*/api/v1/insights/:insight/items', ({ request }) => {
      asked.push(new URL(request.url).search);
      if (down) return HttpResponse.json(fixtures.problem(503, 'unavailable', 'Away.'), { status: 503 });
      const results = all.slice(8).map((item, place) => ({ rank: place + 9, ...item }));
      return HttpResponse.json({ count: 10, next: null, previous: null, results });
    }),
  );
  expect(await screen.findByText('The strangest 8 of 10 listed payments are here')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Load the next 2' }));
  expect(await screen.findByText('Away.')).toBeVisible();
  down = false;
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('checkbox', { name: 'Open (10)' })).toBeVisible();
  expect(asked.at(-1)).toBe('?limit=1000&offset=8');
  expect(screen.queryByText(/listed payments are here/)).not.toBeInTheDocument();

  server.use(takesReviews([]));
  const last = all[9]?.txn_id ?? '';
  await user.click(button(await itemOf(last), 'Acknowledge'));
  expect(await screen.findByText(`${last}: acknowledged`)).toBeVisible();
  expect(await screen.findByRole('checkbox', { name: 'Acknowledged (1)' })).toBeVisible();
});

test('without anything strange there is nothing to do', async () => {
  openQueue([]);
  expect(await screen.findByText('Nothing stands out')).toBeVisible();
});

test('a refusal of the platform is said where the review was written', async () => {
  openQueue(payments(4), { search: `?spend_anomalies.item=${FIRST}` });
  server.use(refuses(REVIEWS, 429, 'throttled', 'Too many requests.', { hint: 'Wait a minute.' }));
  await user.click(await screen.findByRole('radio', { name: 'Acknowledged' }));
  await user.click(screen.getByRole('button', { name: 'Save review' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Too many requests.Wait a minute.');
  expect(screen.getByRole('button', { name: 'Save again' })).toBeEnabled();
});
