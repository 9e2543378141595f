import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, test, vi } from 'vitest';

import { currentSession, end } from '@/shared/session/session';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, page, refuses, server } from '@/test/server';
import { user } from '@/test/user';

const heading = (name: string) => screen.findByRole('heading', { level: 1, name });

describe('the door', () => {
  test('leads who is not logged in to the log-in, and back to where they wanted to go', async () => {
    const { router } = open('/jobs?stage=etl', { as: null });
    await heading('Log in');
    expect(router.state.location.search).toEqual({ next: '/jobs?stage=etl' });
    await user.type(screen.getByLabelText('E-mail'), 'ada@example.com');
    await user.type(screen.getByLabelText('Password'), 'nine-green-bottles');
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    await heading('Jobs');
    expect(router.state.location.search).toMatchObject({ stage: 'etl' });
  });

  test('keeps what was typed when the log-in is refused', async () => {
    server.use(
      refuses(
        '/auth/login',
        401,
        'invalid-credentials',
        'The address and the password do not belong together.',
      ),
    );
    open('/login', { as: null });
    await user.type(await screen.findByLabelText('E-mail'), 'ada@example.com');
    await user.type(screen.getByLabelText('Password'), 'wrong');
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('do not belong together');
    expect(screen.getByLabelText('E-mail')).toHaveValue('ada@example.com');
  });

  test('asks an operator who has a second factor for its code, and keeps what was typed', async () => {
    const sent: unknown[] = [];
    server.use(
      http.post('*/api/v1/auth/login', async ({ request }) => {
        const given = (await request.json()) as { code?: string };
        sent.push(given);
        if (given.code === '123456') return HttpResponse.json(fixtures.signedIn());
        const code = given.code ? 'wrong-code' : 'second-factor-needed';
        const said = given.code ? 'This code is not good.' : 'This account asks for a second factor.';
        return HttpResponse.json(fixtures.problem(401, code, said), {
          status: 401,
          headers: { 'Content-Type': 'application/problem+json' },
        });
      }),
    );
    open('/login', { as: null });
    await user.type(await screen.findByLabelText('E-mail'), 'ada@example.com');
    await user.type(screen.getByLabelText('Password'), 'nine-green-bottles');
    expect(screen.queryByLabelText('Code')).not.toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    const code = await screen.findByLabelText('Code');
    expect(code).toHaveFocus();
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    expect(await screen.findByText('Type the code.')).toBeVisible();
    await user.type(code, '000000');
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('This code is not good.');
    await user.type(screen.getByLabelText('E-mail'), '.uk');
    expect(code).not.toBeInTheDocument(); // of another account it is not known
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    await user.type(await screen.findByLabelText('Code'), '123456');
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    await heading('Sales');
    expect(sent).toHaveLength(4);
    expect(sent[0]).toEqual({ email: 'ada@example.com', password: 'nine-green-bottles' });
  });

  test('sends who is logged in on to their department', async () => {
    const { router } = open('/login');
    await heading('Sales');
    expect(router.state.location.pathname).toBe('/dashboard/sales');
  });

  test('tells a new user that an admin has to approve', async () => {
    server.use(
      answers('/auth/config', { ...fixtures.config, registration_policy: 'approval' }),
      answers('/auth/register', { ...fixtures.ada, approval: 'pending' }, 'post', 201),
    );
    open('/register', { as: null });
    await user.type(await screen.findByLabelText('Name'), 'Ada Novak');
    await user.type(screen.getByLabelText('E-mail'), 'ada@example.com');
    await user.type(screen.getByLabelText('Password'), 'nine-green-bottles');
    await user.click(screen.getByRole('combobox', { name: 'Department' }));
    await user.click(await screen.findByRole('option', { name: 'Sales' }));
    await user.click(screen.getByRole('button', { name: 'Make the account' }));
    expect(await screen.findByText('Your account waits for approval')).toBeVisible();
    expect(currentSession().status).toBe('anonymous');
  });

  test('shows the server’s word about a field beside that field', async () => {
    server.use(
      refuses('/auth/register', 422, 'invalid-request', 'The request has errors.', {
        errors: [{ pointer: '/email', code: 'email-taken', detail: 'There is an account of this address.' }],
      }),
      answers('/auth/config', { ...fixtures.config, registration_policy: 'invite' }),
    );
    open('/register?invitation=token-1', { as: null });
    expect(await screen.findByLabelText('Invitation')).toHaveValue('token-1');
    await user.type(screen.getByLabelText('Name'), 'Ada Novak');
    await user.type(screen.getByLabelText('E-mail'), 'ada@example.com');
    await user.type(screen.getByLabelText('Password'), 'nine-green-bottles');
    await user.click(screen.getByRole('button', { name: 'Make the account' }));
    expect(await screen.findByText('There is an account of this address.')).toBeVisible();
    expect(screen.getByLabelText('E-mail')).toBeInvalid();
  });

  test('is laid over the page when the session ends, and what was typed stays', async () => {
    open('/upload');
    await user.type(await screen.findByLabelText('Name'), 'March');
    end();
    const dialog = await screen.findByRole('dialog', { name: 'Your session has ended' });
    await user.type(within(dialog).getByLabelText('Password'), 'nine-green-bottles');
    await user.click(within(dialog).getByRole('button', { name: 'Log in' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(screen.getByLabelText('Name')).toHaveValue('March');
  });

  test('is where the log-out leads, and nothing of the user stays in memory', async () => {
    server.use(http.post('*/api/v1/auth/logout', () => new HttpResponse(null, { status: 204 })));
    const { client, router } = open('/dashboard/sales');
    await heading('Sales');
    await user.click(screen.getByRole('button', { name: 'Account of Ada Novak' }));
    await user.click(await screen.findByRole('button', { name: 'Log out' }));
    await heading('Log in');
    expect(router.state.location.pathname).toBe('/login');
    expect(client.getQueryData(['dashboard', 'sales', null])).toBeUndefined();
  });
});

describe('the dashboard', () => {
  test('draws a forecast with its numbers, its quality in words and its ranking', async () => {
    open('/dashboard/sales');
    expect(await screen.findByRole('heading', { name: 'Revenue forecast' })).toBeVisible();
    expect(await screen.findByText(/In 8 tests on the past, the forecast was off by 9%/)).toBeVisible();
    expect(screen.getByText('March sales')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Toys' }));
    expect(await screen.findByText(/Weekly revenue of Toys/)).toBeVisible();
  });

  test('has the chart as a table too, and keeps the choice in the address', async () => {
    const { router } = open('/dashboard/sales');
    await user.click(await screen.findByRole('radio', { name: 'Table' }));
    expect(await screen.findByRole('table', { name: 'Weekly revenue of Electronics' })).toBeVisible();
    expect(router.state.location.search).toMatchObject({ 'revenue_forecast.as': 'table' });
  });

  test('says so where a category has too little history', async () => {
    open('/dashboard/sales?revenue_forecast.category=Gift%20cards');
    expect(await screen.findByText(/Not enough history: 2 whole weeks/)).toBeVisible();
  });

  test('shows what is at risk first, and all on demand', async () => {
    open('/dashboard/supply_chain', { as: fixtures.admin });
    const table = await screen.findByRole('table', { name: /risk of running out/ });
    expect(within(table).getAllByRole('row')).toHaveLength(15);
    await user.click(screen.getByRole('radio', { name: /^All items/ }));
    expect(await screen.findByText('60 items')).toBeVisible();
    expect(within(table).getAllByRole('row')).toHaveLength(61);
  });

  test('gives every strange payment its reasons', async () => {
    open('/dashboard/finance', { as: fixtures.admin });
    const queue = await screen.findByRole('list', { name: /order of strangeness/ });
    expect(within(queue).getAllByText(/Possible duplicate/).length).toBeGreaterThan(0);
    expect(within(queue).getAllByRole('heading', { level: 3 })).toHaveLength(6);
  });

  test('shows an insight it has no drawing for as a table', async () => {
    const [insight] = fixtures.boards.sales?.insights ?? [];
    const unknown = {
      ...insight,
      kind: 'late_deliveries',
      data: { items: [{ route: 'R-7', days_late: 3 }] },
    };
    server.use(answers('/dashboards/sales', { ...fixtures.boards.sales, insights: [unknown] }));
    open('/dashboard/sales');
    expect(await screen.findByRole('heading', { name: 'Late deliveries' })).toBeVisible();
    expect(await screen.findByRole('rowheader', { name: 'R-7' })).toBeVisible();
  });

  test('survives an insight that breaks its contract', async () => {
    // React tells the console of every error a boundary catches.
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const [insight] = fixtures.boards.sales?.insights ?? [];
    const broken = { ...insight, data: { categories: 'none' } };
    server.use(answers('/dashboards/sales', { ...fixtures.boards.sales, insights: [broken] }));
    open('/dashboard/sales');
    expect(await screen.findByRole('alert')).toHaveTextContent('This part of the page broke.');
    expect(screen.getByRole('heading', { level: 1, name: 'Sales' })).toBeVisible();
  });

  test('without any upload says what to do', async () => {
    server.use(
      answers('/dashboards/sales', {
        department: 'sales',
        last_updated: null,
        datasets: { count: 0, loaded: 0, latest: null },
        insights: [],
      }),
      answers('/jobs', page([])),
    );
    open('/dashboard/sales');
    expect(await screen.findByRole('link', { name: 'Upload the first file' })).toBeVisible();
  });

  test('of another department is refused in words', async () => {
    server.use(
      refuses('/dashboards/finance', 403, 'foreign-department', 'Your account belongs to sales.', {
        hint: 'Choose your own department.',
      }),
    );
    open('/dashboard/finance');
    expect(await screen.findByRole('alert')).toHaveTextContent('Your account belongs to sales.');
  });
});

describe('jobs', () => {
  test('are filtered by the address', async () => {
    const asked: string[] = [];
    server.use(
      http.get('*/api/v1/jobs', ({ request }) => {
        asked.push(new URL(request.url).search);
        return HttpResponse.json(page([]));
      }),
    );
    const { router } = open('/jobs?status=["failed"]');
    expect(await screen.findByText('No job matches these filters')).toBeVisible();
    expect(asked[0]).toContain('status=failed');
    await user.click(screen.getByRole('checkbox', { name: 'Queued' }));
    await waitFor(() => expect(asked.at(-1)).toContain('status=queued&status=failed'));
    expect(router.state.location.search).toMatchObject({ status: ['queued', 'failed'] });
  });

  test('that failed say why, show the lines, and can be run again', async () => {
    const failed = fixtures.job({
      status: 'failed',
      stage: 'etl',
      stages: [
        fixtures.stage({
          status: 'failed',
          attempts: 3,
          rows: fixtures.rows(500, 0, 180, 0),
          error: {
            code: 'too-many-rejects',
            message: '180 of 500 lines cannot be used.',
            hint: '',
            details: {},
          },
        }),
      ],
    });
    server.use(
      answers('/jobs/:job', failed),
      answers('/jobs/:job/retry', fixtures.job({ status: 'queued' }), 'post', 202),
    );
    open(`/jobs/${failed.id}`);
    expect(await screen.findByText('180 of 500 lines cannot be used.')).toBeVisible();
    const table = await screen.findByRole('table', { name: 'Rejected lines' });
    expect(within(table).getByRole('row', { name: /17.*Qty.*three/ })).toHaveTextContent('Write 3.');
    await user.click(screen.getByRole('button', { name: 'Run again' }));
    expect(await screen.findByText('It runs again, from the stage that failed.')).toBeVisible();
  });

  test('say what an undo removes before it does', async () => {
    let undone = 0;
    server.use(
      http.delete('*/api/v1/datasets/:dataset', () => {
        undone += 1;
        return new HttpResponse(null, { status: 204 });
      }),
    );
    const { router } = open(`/jobs/${fixtures.job().id}`);
    await user.click(await screen.findByRole('button', { name: 'Undo upload' }));
    const dialog = await screen.findByRole('dialog', { name: 'Undo this upload?' });
    expect(await within(dialog).findByText(/with its 983 loaded rows and 15 rejected lines/)).toBeVisible();
    expect(undone).toBe(0);
    await user.click(within(dialog).getByRole('button', { name: 'Undo the upload' }));
    await waitFor(() => expect(router.state.location.pathname).toBe('/jobs'));
    expect(undone).toBe(1);
  });
});

test('the rows of a dataset are read page by page', async () => {
  server.use(
    http.get('*/api/v1/datasets/:dataset/rows', ({ request }) => {
      const second = new URL(request.url).searchParams.get('cursor') === 'abc';
      return HttpResponse.json({
        next: second ? null : 'http://x/api/v1/datasets/1/rows?cursor=abc',
        previous: second ? 'http://x/api/v1/datasets/1/rows' : null,
        results: [{ line: second ? 52 : 2, transaction_id: second ? 'T-51' : 'T-1', quantity: 2 }],
      });
    }),
  );
  open(`/data/${fixtures.dataset().id}`);
  expect(await screen.findByText('T-1')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Next' }));
  expect(await screen.findByText('T-51')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Previous' }));
  expect(await screen.findByText('T-1')).toBeVisible();
});

test('a refused file does not claim that its good lines were loaded', async () => {
  const refused = fixtures.job({
    status: 'failed',
    stage: 'etl',
    stages: [fixtures.stage({ status: 'failed', rows: fixtures.rows(31, 0, 16, 1) })],
  });
  server.use(answers('/jobs/:job', refused));
  open(`/jobs/${refused.id}`);
  expect(await screen.findByText('not loaded; the file was refused')).toBeVisible();
  expect(screen.queryByText('Loaded')).not.toBeInTheDocument();
  expect(await screen.findByText(/upload the whole file again/)).toBeVisible();
});
