import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import type { SettingOutput } from '@/shared/api/gen/model';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, page, refuses, server } from '@/test/server';
import { user } from '@/test/user';

const setting = (given: Partial<SettingOutput> = {}): SettingOutput => ({
  kind: 'stockout_risk',
  name: 'service_level',
  label: 'Service level',
  help: 'The share of replenishment cycles that should pass without a stock-out.',
  value: 0.95,
  default: 0.95,
  least: 0.5,
  most: 0.999,
  set_by: null,
  set_at: null,
  ...given,
});
const days = setting({
  name: 'dead_stock_days',
  label: 'Dead stock after (days)',
  value: 60,
  default: 90,
  least: 14,
  most: 730,
  set_by: 'Ada Novak',
  set_at: '2026-03-30T10:00:00Z',
});
const settings = [setting(), days];
const SETTINGS = '/dashboards/:department/settings';

beforeEach(() => server.use(answers(SETTINGS, { department: 'supply_chain', settings })));

async function openDrawer() {
  open('/dashboard/supply_chain', { as: fixtures.admin });
  await user.click(await screen.findByRole('button', { name: 'Settings' }));
  return within(await screen.findByRole('dialog', { name: 'What the insights are computed with' }));
}

async function type(drawer: Awaited<ReturnType<typeof openDrawer>>, label: string, text: string) {
  const field = await drawer.findByLabelText(label);
  await user.clear(field);
  if (text) await user.type(field, text);
}

test('tells of each setting its bounds, its default, and who chose it', async () => {
  const drawer = await openDrawer();
  expect(await drawer.findByLabelText('Service level')).toHaveValue('0.95');
  expect(drawer.getByLabelText('Service level')).toHaveAccessibleDescription(/replenishment cycles/);
  expect(drawer.getByText(/0.5 to 0.999, default 0.95/)).toHaveTextContent('Never changed');
  expect(drawer.getByText(/14 to 730, default 90/)).toHaveTextContent(/Set by Ada Novak, .*2026/);
  expect(drawer.getByRole('button', { name: 'Save and compute anew' })).toBeDisabled();
});

test('sends what was changed alone, and follows the job to its end', async () => {
  const sent: unknown[] = [];
  const moving = fixtures.job({ id: 'job-9', status: 'processing', cause: 'settings', stages: [] });
  let done = false;
  server.use(
    http.put('*/api/v1/dashboards/:department/settings', async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({
        department: 'supply_chain',
        settings: [setting({ value: 0.98, set_by: 'Rita Root', set_at: '2026-04-01T09:00:00Z' }), days],
        job: moving,
      });
    }),
    http.get('*/api/v1/jobs/job-9', () =>
      HttpResponse.json(done ? { ...moving, status: 'succeeded' } : moving),
    ),
  );
  const drawer = await openDrawer();
  await type(drawer, 'Service level', '0.98');
  await user.click(drawer.getByRole('button', { name: 'Save and compute anew' }));
  expect(await drawer.findByText('Saved; the insights are computed anew')).toBeVisible();
  expect(sent).toEqual([{ settings: [{ kind: 'stockout_risk', name: 'service_level', value: 0.98 }] }]);
  expect(drawer.getByText(/Set by Rita Root/)).toBeVisible();
  expect(drawer.getByRole('link', { name: 'See the job' })).toHaveAttribute('href', '/jobs/job-9');
  done = true;
  expect(await drawer.findByText('Saved, and the insights are computed with it')).toBeVisible();
});

test.each([
  [
    'by the button',
    async (drawer: Awaited<ReturnType<typeof openDrawer>>) => {
      await user.click(
        await drawer.findByRole('button', { name: 'Back to the default: Dead stock after (days)' }),
      );
    },
  ],
  [
    'by an emptied field',
    (drawer: Awaited<ReturnType<typeof openDrawer>>) => type(drawer, 'Dead stock after (days)', ''),
  ],
])('goes back to the default %s', async (_, back) => {
  let sent: unknown;
  server.use(
    http.put('*/api/v1/dashboards/:department/settings', async ({ request }) => {
      sent = await request.json();
      return HttpResponse.json({ department: 'supply_chain', settings, job: null });
    }),
  );
  const drawer = await openDrawer();
  await back(drawer);
  await user.click(drawer.getByRole('button', { name: 'Save and compute anew' }));
  expect(await drawer.findByText(/Nothing has to be computed anew/)).toBeVisible();
  expect(sent).toEqual({ settings: [{ kind: 'stockout_risk', name: 'dead_stock_days', value: null }] });
});

test('shows the API’s refusal at the field it is about, and keeps what was typed', async () => {
  const drawer = await openDrawer();
  await type(drawer, 'Service level', '1.5');
  await type(drawer, 'Dead stock after (days)', '30');
  server.use(
    refuses(
      SETTINGS,
      422,
      'setting-out-of-bounds',
      'Service level goes from 0.5 to 0.999, and 1.5 does not lie in between.',
      {
        hint: 'Choose a number in between.',
        details: { kind: 'stockout_risk', name: 'service_level' },
      },
    ),
  );
  await user.click(drawer.getByRole('button', { name: 'Save and compute anew' }));
  const field = drawer.getByLabelText('Service level');
  await waitFor(() => expect(field).toBeInvalid());
  expect(field).toHaveAccessibleDescription(/1.5 does not lie in between. Choose a number in between/);
  expect(field).toHaveValue('1.5');
  expect(drawer.getByLabelText('Dead stock after (days)')).toBeValid();
  expect(drawer.queryByRole('alert')).not.toBeInTheDocument();
});

test('says so at the top where the refusal is of no field', async () => {
  const drawer = await openDrawer();
  await type(drawer, 'Service level', '0.9');
  server.use(refuses(SETTINGS, 503, 'unavailable', 'The queue is away; nothing was taken.'));
  await user.click(drawer.getByRole('button', { name: 'Save and compute anew' }));
  expect(await drawer.findByRole('alert')).toHaveTextContent('The queue is away');
});

test('says so where the insights could not be computed with it', async () => {
  const error = { code: 'broken', message: 'The database went away.', hint: '', details: {} };
  const stages = [fixtures.stage({ stage: 'ml', status: 'failed', error })];
  const failed = fixtures.job({ id: 'job-9', status: 'failed', stage: 'ml', cause: 'settings', stages });
  server.use(
    answers(SETTINGS, { department: 'supply_chain', settings, job: failed }, 'put'),
    answers('/jobs/job-9', failed),
    answers('/jobs', page([failed])),
  );
  const drawer = await openDrawer();
  await type(drawer, 'Service level', '0.9');
  await user.click(drawer.getByRole('button', { name: 'Save and compute anew' }));
  expect(await drawer.findByRole('alert')).toHaveTextContent('The database went away.');
});

test('has no button where there is nothing to choose', async () => {
  server.use(answers(SETTINGS, { department: 'finance', settings: [] }));
  const { client } = open('/dashboard/finance', { as: fixtures.admin });
  await waitFor(() => expect(client.getQueryState(['settings', 'finance'])?.status).toBe('success'));
  expect(screen.queryByRole('button', { name: 'Settings' })).not.toBeInTheDocument();
});
