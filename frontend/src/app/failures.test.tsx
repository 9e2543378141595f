import { act, screen, waitFor, within } from '@testing-library/react';
import { delay, http, HttpResponse } from 'msw';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { currentSession, enter } from '@/shared/session/session';
import * as reload from '@/shared/ui/reload';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, page, refuses, server } from '@/test/server';
import { user } from '@/test/user';

const network = (online: boolean) => {
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(online);
  act(() => void window.dispatchEvent(new Event(online ? 'online' : 'offline')));
};

const proxy = (status: number, headers: Record<string, string> = {}) =>
  new HttpResponse('<html><h1>nginx</h1></html>', { status, headers });

afterEach(() => vi.useRealTimers());

/** What a page says where its answer is like this, and whether asking again makes sense. */
const FAILURES: [string, () => Response | Promise<Response>, RegExp, { again: boolean }][] = [
  ['no answer', () => HttpResponse.error(), /could not be reached.*Check your connection/, { again: true }],
  [
    'a 403 of a server in front',
    () => proxy(403),
    /turned down before it reached.*operators/,
    { again: false },
  ],
  ['a bare 404', () => proxy(404), /nothing at this address/, { again: false }],
  [
    'a 409',
    () => HttpResponse.json(fixtures.problem(409, 'job-active', 'A job is under way.'), { status: 409 }),
    /A job is under way/,
    { again: true },
  ],
  ['a bare 429', () => proxy(429), /too many requests.*Wait a minute/, { again: true }],
  ['a bare 500', () => proxy(500), /broke on the platform’s side.*tell the operators/, { again: true }],
  ['a 503', () => proxy(503), /not answering.*in a minute/, { again: true }],
  ['HTML for JSON', () => proxy(200), /does not understand.*load the page again/, { again: true }],
  ['truncated JSON', () => new HttpResponse('{"department": "sa'), /does not understand/, { again: true }],
  ['an empty answer', () => new HttpResponse(''), /does not understand/, { again: true }],
  [
    'an answer that breaks off',
    () =>
      new HttpResponse(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('{"depart'));
            controller.error(new TypeError('terminated'));
          },
        }),
      ),
    /could not be reached/,
    { again: true },
  ],
];

describe.each(FAILURES)('%s', (_name, answer, words, { again }) => {
  test('is said on the dashboard, with a way on', async () => {
    server.use(http.get('*/api/v1/dashboards/:department', () => answer()));
    open('/dashboard/sales');
    const alert = await screen.findByRole('alert');
    expect(alert).toHaveTextContent(words);
    if (!again) {
      expect(within(alert).getByRole('link', { name: 'To the dashboard' })).toHaveAttribute('href', '/');
      expect(within(alert).queryByRole('button', { name: 'Try again' })).not.toBeInTheDocument();
      return;
    }
    server.use(answers('/dashboards/:department', fixtures.boards.sales as object));
    await user.click(within(alert).getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('heading', { name: 'Revenue forecast' })).toBeVisible();
  });
});

test('a wait that is asked for is told and kept', async () => {
  server.use(http.get('*/api/v1/jobs', () => proxy(429, { 'Retry-After': '1' })));
  open('/jobs');
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent('Wait 1 second, then try again.');
  const button = within(alert).getByRole('button', { name: 'Try again' });
  expect(button).toBeDisabled();
  await waitFor(() => expect(button).toBeEnabled(), { timeout: 4_000 });
});

test('a slow answer is called slow, and comes all the same', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ['setTimeout', 'clearTimeout'] });
  let answer: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (answer = resolve));
  server.use(
    http.get('*/api/v1/jobs/:job', async () => {
      await held;
      return HttpResponse.json(fixtures.job());
    }),
  );
  open(`/jobs/${fixtures.job().id}`);
  expect((await screen.findAllByText('Loading'))[0]).toBeInTheDocument();
  expect(screen.queryByText('This takes longer than usual')).not.toBeInTheDocument();
  await act(() => vi.advanceTimersByTimeAsync(6_500));
  expect(await screen.findByText('This takes longer than usual')).toBeVisible();
  answer();
  expect(await screen.findByRole('heading', { level: 1, name: 'March sales' })).toBeVisible();
  await waitFor(() => expect(screen.queryByText('This takes longer than usual')).not.toBeInTheDocument());
});

describe('without a network', () => {
  test('the page says so, and asks anew by itself when it is back', async () => {
    open('/dashboard/sales');
    expect(await screen.findByRole('heading', { name: 'Revenue forecast' })).toBeVisible();
    network(false);
    expect(await screen.findByText('This device is offline')).toBeVisible();
    network(true);
    await waitFor(() => expect(screen.queryByText('This device is offline')).not.toBeInTheDocument());
  });

  test('a button does not wait in silence, and the form keeps what was typed', async () => {
    server.use(http.post('*/api/v1/auth/login', () => HttpResponse.error()));
    open('/login', { as: null });
    await user.type(await screen.findByLabelText('E-mail'), 'ada@example.com');
    await user.type(screen.getByLabelText('Password'), 'nine-green-bottles');
    network(false);
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('not connected to a network');
    expect(screen.getByLabelText('Password')).toHaveValue('nine-green-bottles');
  });
});

describe('a session that ends in mid-work', () => {
  const ends = () =>
    server.use(
      refuses('/auth/refresh', 401, 'session-ended', 'This session has ended.'),
      refuses('/auth/password', 401, 'token-expired', 'The token has expired.'),
    );

  test('leaves every form as it was, and says that what was asked for has to be asked again', async () => {
    ends();
    server.use(answers('/auth/sessions', page([])));
    open('/dashboard/sales');
    await user.click(await screen.findByRole('button', { name: 'Account of Ada Novak' }));
    await user.click(await screen.findByRole('link', { name: 'Change password' }));
    await user.type(await screen.findByLabelText('Present password'), 'nine-green-bottles');
    await user.type(screen.getByLabelText('New password'), 'ten-green-bottles');
    await user.click(screen.getByRole('button', { name: 'Change the password' }));
    const over = await screen.findByRole('dialog', { name: 'Your session has ended' });
    await user.type(within(over).getByLabelText('Password'), 'nine-green-bottles');
    await user.click(within(over).getByRole('button', { name: 'Log in' }));
    expect(await screen.findByText('Your session had ended when this was asked for.')).toBeVisible();
    expect(screen.getByLabelText('New password')).toHaveValue('ten-green-bottles');
  });

  test('is told once, not by every part of the page that goes on asking', async () => {
    let asked = 0;
    server.use(
      http.get('*/api/v1/jobs', () => {
        asked += 1;
        return HttpResponse.json(fixtures.problem(401, 'token-expired', 'Expired.'), { status: 401 });
      }),
    );
    ends();
    const { client } = open('/jobs');
    await screen.findByRole('dialog', { name: 'Your session has ended' });
    const before = asked;
    await act(() => client.refetchQueries({ queryKey: ['jobs'] }));
    expect(asked).toBe(before);
  });

  test('and is taken over by somebody else begins from nothing', async () => {
    const loadAnew = vi.spyOn(reload, 'loadAnew').mockImplementation(() => undefined);
    open('/dashboard/sales');
    await screen.findByRole('heading', { name: 'Revenue forecast' });
    act(() => enter(fixtures.signedIn(fixtures.admin)));
    await waitFor(() => expect(loadAnew).toHaveBeenCalledWith('/'));
  });
});

test('an ended session in the middle of an upload keeps the file, and the next try is the same upload', async () => {
  const keys: (string | null)[] = [];
  server.use(
    refuses('/auth/refresh', 401, 'session-ended', 'This session has ended.'),
    http.post('*/api/v1/datasets/upload', ({ request }) => {
      keys.push(request.headers.get('Idempotency-Key'));
      return keys.length === 1
        ? HttpResponse.json(fixtures.problem(401, 'token-expired', 'Expired.'), { status: 401 })
        : HttpResponse.json(
            { dataset: fixtures.dataset(), job: fixtures.job(), duplicate_of: null },
            { status: 202 },
          );
    }),
  );
  open('/upload');
  await user.upload(
    await screen.findByLabelText('The file to upload'),
    new File(['transaction_id\nT-1\n'], 'march.csv', { type: 'text/csv' }),
  );
  await user.type(screen.getByLabelText('Name'), 'March');
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  const over = await screen.findByRole('dialog', { name: 'Your session has ended' });
  server.use(answers('/auth/refresh', fixtures.signedIn(), 'post'));
  await user.type(within(over).getByLabelText('Password'), 'nine-green-bottles');
  await user.click(within(over).getByRole('button', { name: 'Log in' }));
  expect(await screen.findByText('Your session had ended when this was asked for.')).toBeVisible();
  expect(screen.getByText('march.csv')).toBeVisible();
  expect(screen.getByLabelText('Name')).toHaveValue('March');
  await user.click(screen.getByRole('button', { name: 'Upload again' }));
  expect(
    await screen.findByText('The file is here. You can leave this page; the work goes on.'),
  ).toBeVisible();
  expect(keys).toHaveLength(2);
  expect(keys[1]).toBe(keys[0]);
});

test('who looks something up on another page finds the chosen file and the words again', async () => {
  server.use(refuses('/datasets/upload', 503, 'storage-unavailable', 'The file could not be stored.'));
  const { router } = open('/upload');
  await user.upload(await screen.findByLabelText('The file to upload'), new File(['a\n1\n'], 'march.csv'));
  await user.type(screen.getByLabelText('Description'), 'Of the tills');
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  await screen.findByText('The file could not be stored.');
  await act(() => router.navigate({ to: '/jobs' }));
  await screen.findByRole('heading', { level: 1, name: 'Jobs' });
  await act(() => router.navigate({ to: '/upload' }));
  expect(await screen.findByText('march.csv')).toBeVisible();
  expect(screen.getByLabelText('Description')).toHaveValue('Of the tills');
  expect(screen.getByText('The file could not be stored.')).toBeVisible();
});

test('what could not be saved is told until it is read', async () => {
  server.use(
    http.get('*/api/v1/schemas/:department/template.csv', async () => {
      await delay(1);
      return proxy(500);
    }),
  );
  open('/upload');
  await user.click(await screen.findByRole('button', { name: 'Template' }));
  expect(await screen.findByText('Something broke on the platform’s side.')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Close the message' }));
  await waitFor(() => expect(screen.queryByText(/broke on the platform/)).not.toBeInTheDocument());
  expect(currentSession().status).toBe('active');
});
