import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import { accessToken, currentSession } from '@/shared/session/session';
import { here, phone, script } from '@/test/accountFixtures';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { page, refuses, server } from '@/test/server';
import { user } from '@/test/user';

let running = [phone, here, script];
const ended: string[] = [];

beforeEach(() => {
  running = [phone, here, script];
  ended.length = 0;
  server.use(
    http.get('*/api/v1/auth/sessions', () => HttpResponse.json(page(running))),
    http.delete('*/api/v1/auth/sessions/:session', ({ params }) => {
      ended.push(String(params.session));
      running = running.filter(({ id }) => id !== params.session);
      return new HttpResponse(null, { status: 204 });
    }),
    http.delete('*/api/v1/auth/sessions', () => {
      const count = running.length - 1;
      running = [here];
      return HttpResponse.json({ ended: count });
    }),
  );
});

const sessions = async () => {
  const panel = await screen.findByRole('region', { name: 'Where you are logged in' });
  await within(panel).findByText('This one');
  return within(panel);
};

test('a member reads whose data they see, an admin that it is everybody’s', async () => {
  const { unmount } = open('/account');
  expect(await screen.findByText('ada@example.com')).toBeVisible();
  expect(screen.getByText(/Other departments are closed to you/)).toBeVisible();
  expect(screen.getByText(/You upload for Sales/)).toBeVisible();
  unmount();
  open('/account', { as: fixtures.admin });
  expect(await screen.findByText('All: Sales, Supply chain, Finance')).toBeVisible();
  expect(screen.getByText(/of every department/)).toBeVisible();
});

test('the sessions are told in words, this one first, and it has no button to end it', async () => {
  open('/account');
  const panel = await sessions();
  const rows = panel.getAllByRole('listitem').map((row) => row.textContent);
  expect(rows[0]).toContain('Firefox 145 on LinuxThis one');
  expect(rows[0]).toContain('from 192.0.2.7');
  expect(rows[1]).toContain('Safari 18 on iPhone');
  expect(rows[2]).toContain('A program (python-requests 2.32.3)');
  expect(rows[2]).toContain('from an unknown address');
  expect(panel.getAllByRole('button', { name: /^End the session of/ })).toHaveLength(2);
});

test('one session is ended, and is gone from the list', async () => {
  open('/account');
  const panel = await sessions();
  await user.click(panel.getByRole('button', { name: /Safari 18 on iPhone, from 2001:db8::1/ }));
  expect(await screen.findByText('Safari 18 on iPhone is logged out as of now.')).toBeVisible();
  expect(ended).toEqual([phone.id]);
  await waitFor(() => expect(panel.queryByText('Safari 18 on iPhone')).not.toBeInTheDocument());
});

test('all others are ended, and it says how many', async () => {
  open('/account');
  const panel = await sessions();
  await user.click(panel.getByRole('button', { name: 'End all others' }));
  expect(await screen.findByText('2 other sessions have ended')).toBeVisible();
  await waitFor(() => expect(panel.getAllByRole('listitem')).toHaveLength(1));
  expect(panel.queryByRole('button', { name: 'End all others' })).not.toBeInTheDocument();
});

test('one that has ended meanwhile is told, and the list looks again', async () => {
  server.use(
    http.delete('*/api/v1/auth/sessions/:session', () => {
      running = [here, script];
      return HttpResponse.json(fixtures.problem(404, 'not-found', 'There is no such session.'), {
        status: 404,
      });
    }),
  );
  open('/account');
  const panel = await sessions();
  await user.click(panel.getByRole('button', { name: /Safari 18 on iPhone/ }));
  expect(await panel.findByRole('alert')).toHaveTextContent('There is no such session.');
  await waitFor(() => expect(panel.queryByText('Safari 18 on iPhone')).not.toBeInTheDocument());
});

const change = async (from: string, to: string) => {
  await user.type(await screen.findByLabelText('Present password'), from);
  await user.type(screen.getByLabelText('New password'), to);
  await user.click(screen.getByRole('button', { name: 'Change the password' }));
};

test('a changed password ends the other sessions and keeps this page logged in, by a session of its own', async () => {
  const sent: unknown[] = [];
  const heard: unknown[] = [];
  const otherTab = new BroadcastChannel('aetherflow-session');
  otherTab.onmessage = ({ data }) => heard.push(data);
  server.use(
    http.post('*/api/v1/auth/password', () => {
      running = [here];
      return new HttpResponse(null, { status: 204 });
    }),
    http.post('*/api/v1/auth/login', async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json(fixtures.signedIn(fixtures.ada, 'access-2'));
    }),
  );
  open('/account');
  await sessions();
  await change('nine-green-bottles', 'seven-blue-teapots');
  expect(await screen.findByText('Your password is changed')).toBeVisible();
  expect(screen.getByText(/All other sessions have ended. You stay logged in here./)).toBeVisible();
  expect(sent).toEqual([{ email: 'ada@example.com', password: 'seven-blue-teapots' }]);
  expect(accessToken()).toBe('access-2');
  await waitFor(() => expect(heard).toEqual(['signed-in']));
  otherTab.close();
  expect(screen.getByLabelText('New password')).toHaveValue('');
  await waitFor(async () => expect((await sessions()).getAllByRole('listitem')).toHaveLength(1));
});

test('where the new session cannot be opened, the log-in is next and says why', async () => {
  server.use(
    http.post('*/api/v1/auth/password', () => new HttpResponse(null, { status: 204 })),
    refuses('/auth/login', 503, 'unavailable', 'The database is away.'),
  );
  const { router } = open('/account');
  await change('nine-green-bottles', 'seven-blue-teapots');
  expect(await screen.findByText(/Log in with the new one/)).toBeVisible();
  await waitFor(() => expect(router.state.location.pathname).toBe('/login'));
  expect(currentSession().status).toBe('anonymous');
});

test('what the policy has against a password stands at its field', async () => {
  server.use(
    refuses('/auth/password', 422, 'invalid-request', 'The request has errors; see `errors`.', {
      errors: [{ pointer: '/new_password', code: 'weak-password', detail: 'This password is too common.' }],
    }),
  );
  open('/account');
  await change('nine-green-bottles', 'password');
  await waitFor(() =>
    expect(screen.getByLabelText('New password')).toHaveAccessibleDescription(
      /This password is too common\./,
    ),
  );
  expect(screen.getByLabelText('Present password')).toHaveValue('nine-green-bottles');
});

test('how a new password stands to the rules shows while it is typed', async () => {
  open('/account');
  const field = await screen.findByLabelText('New password');
  await waitFor(() => expect(field).toHaveAccessibleDescription(/at least 10 characters/));
  expect(field).not.toHaveAccessibleDescription(/not yet|done/);
  await user.type(field, '12345');
  expect(field).toHaveAccessibleDescription(/not yet: .*at least 10 characters/);
  expect(field).toHaveAccessibleDescription(/not yet: .*entirely numeric/);
  await user.type(field, ' green bottles');
  expect(field).toHaveAccessibleDescription(/done: .*at least 10 characters/);
  expect(field).toHaveAccessibleDescription(/done: .*entirely numeric/);
});
