import { accessToken, currentSession, end, refresh } from '@/shared/session/session';

import { networkProblem, parsed, problemFrom, sessionEndedProblem } from './problem';

/** Public routes answer 401 for wrong credentials; a refresh would not help. */
const PUBLIC = /^\/api\/v1\/auth\/(config|login|register|refresh|logout)\/?$/;

async function send(url: string, options: RequestInit): Promise<Response> {
  const headers = new Headers(options.headers);
  headers.set('Accept', 'application/json');
  const token = accessToken();
  if (token !== null && !PUBLIC.test(url)) headers.set('Authorization', `Bearer ${token}`);
  try {
    return await fetch(url, { credentials: 'same-origin', ...options, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw networkProblem();
  }
}

/** Sends with the session's token; a 401 is met by one refresh and one more try. Throws ApiProblem. */
export async function authorised(url: string, options: RequestInit = {}): Promise<Response> {
  const used = accessToken();
  let response = await send(url, options);
  if (response.status === 401 && !PUBLIC.test(url) && currentSession().status !== 'anonymous') {
    // Another request may have refreshed while this one was under way; then its token is good.
    const renewed = (accessToken() !== null && accessToken() !== used) || (await refresh());
    if (!renewed) throw sessionEndedProblem();
    response = await send(url, options);
    if (response.status === 401) {
      end();
      throw sessionEndedProblem();
    }
  }
  if (!response.ok) {
    throw problemFrom(response.status, await response.text(), response.headers.get('X-Request-ID'));
  }
  return response;
}

/** What the generated client calls. */
export async function request<T>(url: string, options: RequestInit = {}): Promise<T> {
  const response = await authorised(url, options);
  return parsed(await response.text(), response.status, response.headers.get('X-Request-ID')) as T;
}
