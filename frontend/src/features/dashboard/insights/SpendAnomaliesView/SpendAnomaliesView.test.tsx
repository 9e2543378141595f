import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test, vi } from 'vitest';

import * as download from '@/shared/api/download';
import type { SpendItem } from '@/shared/insights/types';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { ranking, type Said } from '@/test/items';
import { board, fay, payments, reviewed } from '@/test/reviews';
import { answers, refuses, server } from '@/test/server';
import { user } from '@/test/user';

const REVIEWS = '/insights/:insight/reviews/bulk';

function openQueue(items: SpendItem[] = payments(8), { search = '', said = [] as Said[] } = {}) {
  const [whole = {}] = board(items, items.length).insights;
  server.use(
    answers('/dashboards/finance', board(items.slice(0, 25), items.length)),
    answers('/insights/:insight', whole),
    ...ranking({ subject: ['txn_id'] }, items, fay.full_name, said),
  );
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
  const said: Said[] = [];
  openQueue(undefined, { said });
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
  const said: Said[] = [];
  openQueue(undefined, { said });
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
  const said: Said[] = [];
  const [one, ...rest] = payments(3) as [SpendItem, ...SpendItem[]];
  openQueue([{ ...one, status: 'expected', review: reviewed() }, ...rest], {
    search: '?spend_anomalies.state=expected',
    said,
  });
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

test('a long ranking is paged to its end, and what is said of its last counts', async () => {
  const all = payments(320);
  openQueue(all, { search: '?spend_anomalies.show=all&spend_anomalies.page=13' });
  const last = all[319]?.txn_id ?? '';
  const item = await itemOf(last);
  expect(screen.getByText('301–320 of 320')).toBeVisible();
  await user.click(button(item, 'Acknowledge'));
  expect(await screen.findByText(`${last}: acknowledged`)).toBeVisible();
  expect(await screen.findByRole('checkbox', { name: 'Acknowledged (1)' })).toBeVisible();
  expect(screen.getByRole('checkbox', { name: 'Open (319)' })).toBeVisible();
  await user.click(screen.getByRole('checkbox', { name: 'Acknowledged (1)' }));
  await user.click(screen.getByRole('checkbox', { name: 'Open (319)' }));
  expect(await screen.findByText('1–1 of 1')).toBeVisible();
  expect(await itemOf(last)).toHaveTextContent('Acknowledged by Fay Ledger');
});

test('a payment waits until a day, for colleagues too, and is woken', async () => {
  const said: Said[] = [];
  openQueue(undefined, { said });
  await user.click(button(await itemOf(FIRST), `Snooze: ${FIRST}`));
  const form = await screen.findByRole('form', { name: 'Snooze' });
  await user.click(within(form).getByRole('button', { name: '14 days' }));
  await user.type(within(form).getByLabelText('Note'), 'Credit note is coming');
  await user.click(within(form).getByRole('button', { name: 'Snooze' }));
  expect(await screen.findByText(new RegExp(`^${FIRST}: snoozed until`))).toBeVisible();
  const until = new Date(Date.now() + 14 * 86_400_000).toISOString().slice(0, 10);
  expect(said).toEqual([{ subjects: [[FIRST]], until, note: 'Credit note is coming' }]);
  expect(await itemOf(FIRST)).toHaveTextContent(/Snoozed, not before .* by Fay Ledger: “Credit note/);
  expect(screen.getByRole('checkbox', { name: 'Snoozed (1)' })).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(said.at(-1)).toEqual({ subjects: [[FIRST]], until: null, note: '' }));
  expect(await screen.findByRole('checkbox', { name: 'Snoozed (0)' })).toBeVisible();
});

test('all that match are acted on at once, after their number was said, and that is undone', async () => {
  const said: Said[] = [];
  openQueue(payments(40), { search: '?spend_anomalies.show=all&spend_anomalies.severity=low', said });
  await queue();
  await user.click(screen.getByRole('button', { name: 'All that match' }));
  await user.click(await screen.findByRole('button', { name: /^Acknowledge 28 open/ }));
  const dialog = await screen.findByRole('dialog', { name: 'Acknowledge 28 open payments?' });
  await user.click(within(dialog).getByRole('button', { name: 'Acknowledge 28' }));
  expect(await screen.findByText('28 payments: acknowledged')).toBeVisible();
  expect(said[0]?.matching).toEqual({ filters: { state: ['open'], severity: ['low'] }, count: 28 });
  expect(await screen.findByText('Nothing waits here')).toBeVisible();
  expect(screen.getByRole('checkbox', { name: 'Acknowledged (28)' })).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Undo' }));
  expect(await screen.findByRole('checkbox', { name: 'Open (28)' })).toBeVisible();
  expect(said[1]?.subjects).toHaveLength(28);
});

test('what matches is saved whole, not only what is here', async () => {
  const saved = vi.spyOn(download, 'save').mockReturnValue();
  openQueue(payments(320), { search: '?spend_anomalies.show=all' });
  await queue();
  await user.click(screen.getByRole('button', { name: 'Export' }));
  await user.click(await screen.findByRole('button', { name: 'CSV' }));
  await waitFor(() => expect(saved).toHaveBeenCalled());
  const [blob] = saved.mock.calls[0] ?? [];
  expect((await (blob as Blob).text()).trim().split('\r\n')).toHaveLength(321);
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
