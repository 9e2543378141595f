/**
 * The session: the access token lives here, in memory, and nowhere else. The refresh token is an httpOnly cookie
 * that no script can read.
 */
import type { SignedInOutput, UserOutput } from '@/shared/api/gen/model';
import { parsed, problemFrom } from '@/shared/api/problem';
import { fetched, read } from '@/shared/api/wire';

import { forgetDrafts } from './drafts';

export type SessionState =
  | { status: 'unknown' }
  | { status: 'anonymous' }
  | { status: 'active'; user: UserOutput }
  /** Ended under the user's hands: the page stays as it is and a log-in is laid over it. */
  | { status: 'ended'; user: UserOutput };

const CSRF = { 'X-Requested-With': 'AetherFlow' };
const LOCK = 'aetherflow-refresh';
const CHANNEL = 'aetherflow-session';
/** A tab that waits longer would keep the others waiting for their turn. */
const PATIENCE = 20_000;

let state: SessionState = { status: 'unknown' };
let access: string | null = null;
let expiresAt = 0;
let refreshing: Promise<boolean> | null = null;
const listeners = new Set<() => void>();

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(CHANNEL);
channel?.addEventListener('message', (event: MessageEvent<unknown>) => {
  if (event.data === 'signed-out') end();
  // Whose session it is now, the server says. Where it cannot be asked, this tab stays as it is.
  if (event.data === 'signed-in') refresh().catch(() => undefined);
});

function become(next: SessionState): void {
  state = next;
  listeners.forEach((listener) => listener());
}

export const currentSession = (): SessionState => state;
export const accessToken = (): string | null => access;
export const userId = (): string | null =>
  state.status === 'active' || state.status === 'ended' ? state.user.id : null;

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function adopt(signedIn: SignedInOutput): void {
  access = signedIn.access;
  expiresAt = Date.now() + signedIn.expires_in * 1000;
  become({ status: 'active', user: signedIn.user });
}

/** A log-in at this tab; the others go on with it too. */
export function enter(signedIn: SignedInOutput): void {
  adopt(signedIn);
  channel?.postMessage('signed-in');
}

/** The session is over on the server's word. */
export function end(): void {
  access = null;
  if (state.status === 'active') become({ status: 'ended', user: state.user });
  else if (state.status === 'unknown') become({ status: 'anonymous' });
}

/** Away for good: log-out, or a log-in that was turned down. */
export function forget(): void {
  access = null;
  become({ status: 'anonymous' });
}

const post = (path: string, headers: HeadersInit): Promise<Response> =>
  fetched(`/api/v1/auth/${path}`, {
    method: 'POST',
    headers,
    credentials: 'same-origin',
    signal: AbortSignal.timeout(PATIENCE),
  });

/** One tab at a time: the token is good for one use, and a second tab's late copy would look like a theft. */
export function exclusively<T>(work: () => Promise<T>): Promise<T> {
  const locks = (navigator as Partial<Navigator>).locks;
  return locks ? locks.request(LOCK, work) : work();
}

async function exchange(): Promise<boolean> {
  const answer = await read(await post('refresh', CSRF));
  if (answer.status === 200) {
    adopt(parsed(answer) as SignedInOutput);
    return true;
  }
  if (answer.status === 401 || answer.status === 403) {
    end();
    return false;
  }
  // An outage is not the end of a session: keep it, and let the caller say what happened.
  throw problemFrom(answer);
}

/** A new access token; false where the session is over. However many ask at once, one request goes out. */
export function refresh(): Promise<boolean> {
  refreshing ??= exclusively(exchange).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** At the first load: is there a session behind the cookie? */
export async function restore(): Promise<SessionState> {
  if (state.status === 'unknown') await refresh();
  return currentSession();
}

/** Before a long upload: a token that would run out on the way is exchanged first. */
export async function freshFor(milliseconds: number): Promise<void> {
  if (access !== null && expiresAt - Date.now() < milliseconds) await refresh();
}

/** What the last user leaves behind (cached answers, an open drawer) must not meet the next one. */
export async function logOut(): Promise<void> {
  const headers = access === null ? CSRF : { ...CSRF, Authorization: `Bearer ${access}` };
  try {
    await post('logout', headers);
  } finally {
    forget();
    forgetDrafts();
    channel?.postMessage('signed-out');
  }
}
