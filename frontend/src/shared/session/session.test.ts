import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, test, vi } from 'vitest';

import type * as RequestModule from '@/shared/api/request';
import * as fixtures from '@/test/fixtures';
import { refuses, server } from '@/test/server';

import type * as SessionModule from './session';

type Session = typeof SessionModule;
type Requests = typeof RequestModule;

// Each test begins as a fresh page does: nothing known, nothing in memory.
let session: Session;
let requests: Requests;
beforeEach(async () => {
  vi.resetModules();
  session = await import('./session');
  requests = await import('@/shared/api/request');
});

/** Counts the refreshes; each gives the next token. */
function countedRefresh() {
  const seen: Request[] = [];
  server.use(
    http.post('*/api/v1/auth/refresh', ({ request }) => {
      seen.push(request);
      return HttpResponse.json(fixtures.signedIn(fixtures.ada, `access-${seen.length + 1}`));
    }),
  );
  return seen;
}

/** Lets only this token in. */
function guarded(good: string) {
  const tokens: (string | null)[] = [];
  server.use(
    http.get('*/api/v1/auth/me', ({ request }) => {
      const token = request.headers.get('Authorization');
      tokens.push(token);
      return token === `Bearer ${good}`
        ? HttpResponse.json(fixtures.ada)
        : HttpResponse.json(fixtures.problem(401, 'token-expired', 'The token has expired.'), {
            status: 401,
          });
    }),
  );
  return tokens;
}

describe('a refresh', () => {
  test('goes out once, however many ask for it at the same moment', async () => {
    const seen = countedRefresh();
    const all = await Promise.all([session.refresh(), session.refresh(), session.refresh()]);
    expect(all).toEqual([true, true, true]);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.headers.get('X-Requested-With')).toBe('AetherFlow');
  });

  test('takes turns with the other tabs', async () => {
    countedRefresh();
    const asked: string[] = [];
    vi.stubGlobal('navigator', {
      locks: {
        request: (name: string, work: () => Promise<unknown>) => {
          asked.push(name);
          return work();
        },
      },
    });
    await session.refresh();
    vi.unstubAllGlobals();
    expect(asked).toEqual(['aetherflow-refresh']);
  });

  test('that fails for an outage does not end the session', async () => {
    session.adopt(fixtures.signedIn());
    server.use(refuses('/auth/refresh', 503, 'unavailable', 'The database is away.'));
    await expect(session.refresh()).rejects.toMatchObject({ code: 'unavailable' });
    expect(session.currentSession().status).toBe('active');
  });

  test('that is refused ends the session and keeps whose it was', async () => {
    session.adopt(fixtures.signedIn());
    server.use(refuses('/auth/refresh', 401, 'session-ended', 'This session has ended.'));
    expect(await session.refresh()).toBe(false);
    expect(session.currentSession()).toEqual({ status: 'ended', user: fixtures.ada });
    expect(session.accessToken()).toBeNull();
  });
});

describe('a request', () => {
  test('whose token has expired is sent once more with a new one', async () => {
    const seen = countedRefresh();
    const tokens = guarded('access-2');
    session.adopt(fixtures.signedIn(fixtures.ada, 'access-1'));
    await expect(requests.request('/api/v1/auth/me')).resolves.toEqual(fixtures.ada);
    expect(tokens).toEqual(['Bearer access-1', 'Bearer access-2']);
    expect(seen).toHaveLength(1);
  });

  test('shares the refresh with the others that expired beside it', async () => {
    const seen = countedRefresh();
    guarded('access-2');
    session.adopt(fixtures.signedIn(fixtures.ada, 'access-1'));
    await Promise.all(Array.from({ length: 5 }, () => requests.request('/api/v1/auth/me')));
    expect(seen).toHaveLength(1);
  });

  test('that is refused again gives up instead of going round', async () => {
    const seen = countedRefresh();
    const tokens = guarded('never');
    session.adopt(fixtures.signedIn(fixtures.ada, 'access-1'));
    await expect(requests.request('/api/v1/auth/me')).rejects.toMatchObject({ code: 'session-ended' });
    expect(tokens).toHaveLength(2);
    expect(seen).toHaveLength(1);
    expect(session.currentSession().status).toBe('ended');
  });

  test('with wrong credentials says so and refreshes nothing', async () => {
    const seen = countedRefresh();
    server.use(refuses('/auth/login', 401, 'invalid-credentials', 'They do not belong together.'));
    await expect(requests.request('/api/v1/auth/login', { method: 'POST' })).rejects.toMatchObject({
      code: 'invalid-credentials',
      status: 401,
    });
    expect(seen).toHaveLength(0);
  });

  test('that gets no answer says the platform cannot be reached', async () => {
    server.use(http.get('*/api/v1/auth/config', () => HttpResponse.error()));
    await expect(requests.request('/api/v1/auth/config')).rejects.toMatchObject({ code: 'network' });
  });

  test('answered by something that is not JSON is a named problem, not a crash', async () => {
    server.use(http.get('*/api/v1/auth/config', () => HttpResponse.text('<html>proxy</html>')));
    await expect(requests.request('/api/v1/auth/config')).rejects.toMatchObject({
      code: 'malformed-response',
    });
  });
});

describe('the first load', () => {
  test('finds the session behind the cookie', async () => {
    countedRefresh();
    await expect(session.restore()).resolves.toEqual({ status: 'active', user: fixtures.ada });
  });

  test('without a cookie is nobody, asked once', async () => {
    let asked = 0;
    server.use(
      http.post('*/api/v1/auth/refresh', () => {
        asked += 1;
        return HttpResponse.json(fixtures.problem(401, 'refresh-missing', 'There is no token.'), {
          status: 401,
        });
      }),
    );
    await expect(session.restore()).resolves.toEqual({ status: 'anonymous' });
    await session.restore();
    expect(asked).toBe(1);
  });
});

describe('another tab', () => {
  /** Says something as another tab of this browser does. */
  const says = (word: string) => {
    const channel = new BroadcastChannel('aetherflow-session');
    channel.postMessage(word);
    return channel;
  };

  test('that logs out ends the session here, and that logs in brings it back', async () => {
    countedRefresh();
    session.adopt(fixtures.signedIn());
    const channel = says('signed-out');
    await vi.waitFor(() => expect(session.currentSession().status).toBe('ended'));
    expect(session.accessToken()).toBeNull();
    channel.postMessage('signed-in');
    await vi.waitFor(() => expect(session.currentSession().status).toBe('active'));
    channel.close();
  });

  test('hears of a log-in here, but not of a refresh, which it would answer with another', async () => {
    countedRefresh();
    const heard: unknown[] = [];
    const channel = new BroadcastChannel('aetherflow-session');
    channel.onmessage = (event: MessageEvent<unknown>) => heard.push(event.data);
    await session.refresh();
    session.enter(fixtures.signedIn());
    await vi.waitFor(() => expect(heard).toEqual(['signed-in']));
    channel.close();
  });

  test('that logged in as somebody else does not get this one’s request done in their name', async () => {
    session.adopt(fixtures.signedIn(fixtures.ada, 'access-1'));
    guarded('access-2');
    server.use(
      http.post('*/api/v1/auth/refresh', () =>
        HttpResponse.json(fixtures.signedIn(fixtures.admin, 'access-2')),
      ),
    );
    await expect(requests.request('/api/v1/auth/me')).rejects.toMatchObject({ code: 'session-ended' });
  });
});
