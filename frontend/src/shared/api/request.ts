import { accessToken, currentSession, end, refresh, userId } from '@/shared/session/session';

import { parsed, problemFrom, sessionEndedProblem } from './problem';
import { fetched, read } from './wire';

/** Public routes answer 401 for wrong credentials; a refresh would not help. */
const PUBLIC = /^\/api\/v1\/auth\/(config|login|register|refresh|logout)\/?$/;
/** An answer that takes longer does not come any more. Downloads may take their time. */
const PATIENCE = 60_000;

function send(url: string, options: RequestInit): Promise<Response> {
  const headers = new Headers(options.headers);
  headers.set('Accept', 'application/json');
  const token = accessToken();
  if (token !== null && !PUBLIC.test(url)) headers.set('Authorization', `Bearer ${token}`);
  return fetched(url, { credentials: 'same-origin', ...options, headers });
}

/**
 * A token for one more try where `used` was refused. Throws `session-ended` where the session is over, and where it is
 * somebody else's by now: what one person asked for must not be done in another's name.
 */
export async function renew(used: string | null): Promise<void> {
  const whose = userId();
  // Another request may have refreshed while this one was under way; then its token is good.
  const renewed = (accessToken() !== null && accessToken() !== used) || (await refresh());
  if (!renewed || (whose !== null && userId() !== whose)) throw sessionEndedProblem();
}

/** Sends with the session's token; a 401 is met by one refresh and one more try. Throws ApiProblem. */
export async function authorised(url: string, options: RequestInit = {}): Promise<Response> {
  const isPublic = PUBLIC.test(url);
  // Known without asking: what polls must not go on under the log-in that is laid over the page.
  if (!isPublic && currentSession().status === 'ended') throw sessionEndedProblem();
  const used = accessToken();
  let response = await send(url, options);
  if (response.status === 401 && !isPublic && currentSession().status !== 'anonymous') {
    await renew(used);
    response = await send(url, options);
    if (response.status === 401) {
      end();
      throw sessionEndedProblem();
    }
  }
  if (!response.ok) throw problemFrom(await read(response));
  return response;
}

/** What the generated client calls. */
export async function request<T>(url: string, options: RequestInit = {}): Promise<T> {
  const patience = AbortSignal.timeout(PATIENCE);
  const signal = options.signal ? AbortSignal.any([options.signal, patience]) : patience;
  return parsed(await read(await authorised(url, { ...options, signal }))) as T;
}
