import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import { healthy } from '@/test/accountFixtures';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, page, server } from '@/test/server';
import { user } from '@/test/user';

beforeEach(() => sessionStorage.clear());

const switcher = () => screen.findByRole('combobox', { name: 'Department' });
const choose = async (name: string) => {
  await user.click(await switcher());
  await user.click(await screen.findByRole('option', { name }));
};
const follow = async (name: string) =>
  user.click(within(screen.getByRole('navigation', { name: 'Main' })).getByRole('link', { name }));

test('a member has no switcher, only the name of their department', async () => {
  open('/jobs');
  expect(await screen.findByTitle('Your department')).toHaveTextContent('Sales');
  expect(screen.queryByRole('combobox', { name: 'Department' })).not.toBeInTheDocument();
});

test('what an admin chooses stands in the address, so that a reload and a link keep it', async () => {
  const { router } = open('/', { as: fixtures.admin });
  await choose('Finance');
  await waitFor(() => expect(router.state.location.pathname).toBe('/dashboard/finance'));
  expect(await switcher()).toHaveDisplayValue('Finance');
});

test('the choice goes along to upload, jobs and data, as their filter', async () => {
  const asked: string[] = [];
  server.use(
    http.get('*/api/v1/jobs', ({ request }) => {
      asked.push(new URL(request.url).search);
      return HttpResponse.json(page([fixtures.job()]));
    }),
  );
  const { router } = open('/dashboard/finance', { as: fixtures.admin });
  expect(await switcher()).toHaveDisplayValue('Finance');
  for (const [link, path] of [
    ['Upload', '/upload'],
    ['Jobs', '/jobs'],
    ['Data', '/data'],
  ] as const) {
    await follow(link);
    await waitFor(() => expect(router.state.location.pathname).toBe(path));
    expect(router.state.location.search).toEqual({ department: 'finance' });
    expect(await switcher()).toHaveDisplayValue('Finance');
  }
  expect(asked.some((search) => search.includes('department=finance'))).toBe(true);
});

test('lists can be of all departments, and the dashboard is still the one looked at last', async () => {
  const { router } = open('/jobs?department=finance', { as: fixtures.admin });
  await choose('All departments');
  await waitFor(() => expect(router.state.location.search).toEqual({}));
  await follow('Dashboard');
  await waitFor(() => expect(router.state.location.pathname).toBe('/dashboard/finance'));
});

test('a job shows the department it is of', async () => {
  server.use(answers('/jobs/:job', fixtures.job({ department: 'supply_chain' })));
  open(`/jobs/${fixtures.job().id}`, { as: fixtures.admin });
  await waitFor(async () => expect(await switcher()).toHaveDisplayValue('Supply chain'));
});

test('the system is nobody’s department: from there a choice leads to its dashboard', async () => {
  server.use(answers('/system/status', healthy));
  const { router } = open('/system', { as: fixtures.admin });
  expect(await switcher()).toHaveDisplayValue('All departments');
  await choose('Finance');
  await waitFor(() => expect(router.state.location.pathname).toBe('/dashboard/finance'));
});
