import type { Problem, ProblemEntry } from './gen/model';

/** An API error (RFC 9457) or one of our own that reads like it, so that one component can say them all. */
export class ApiProblem extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string;
  readonly entries: ProblemEntry[];
  readonly requestId: string | null;
  readonly details: Record<string, unknown>;
  /** By this page's clock, in ms: the server has asked not to come back earlier. */
  readonly notBefore: number | null;

  constructor(given: {
    code: string;
    message: string;
    status?: number;
    hint?: string;
    entries?: ProblemEntry[];
    requestId?: string | null;
    details?: Record<string, unknown>;
    notBefore?: number | null;
  }) {
    super(given.message);
    this.name = 'ApiProblem';
    this.code = given.code;
    this.status = given.status ?? 0;
    this.hint = given.hint ?? '';
    this.entries = given.entries ?? [];
    this.requestId = given.requestId ?? null;
    this.details = given.details ?? {};
    this.notBefore = given.notBefore ?? null;
  }

  /** The first sentence about each field of the form that was sent. */
  get fields(): Record<string, string> {
    const out: Record<string, string> = {};
    for (const { pointer, detail } of this.entries) {
      const field = pointer.replace(/^\//, '').split('/')[0];
      if (field && !(field in out)) out[field] = detail;
    }
    return out;
  }
}

/** How long the server wants to be left alone, in ms from now. */
export const waitFor = (error: unknown): number =>
  error instanceof ApiProblem && error.notBefore !== null ? Math.max(0, error.notBefore - Date.now()) : 0;

export const networkProblem = (): ApiProblem =>
  !navigator.onLine
    ? new ApiProblem({
        code: 'offline',
        message: 'This device is not connected to a network.',
        hint: 'Nothing you typed is lost. Try again when you are connected; what is only shown comes by itself then.',
      })
    : new ApiProblem({
        code: 'network',
        message: 'The platform could not be reached.',
        hint: 'Check your connection, then try again. Nothing you typed is lost.',
      });

export const timeoutProblem = (): ApiProblem =>
  new ApiProblem({
    code: 'timeout',
    message: 'The platform has not answered in a minute.',
    hint: 'Your connection may be slow. Nothing you typed is lost. What you asked for may be done all the same: look before you ask again.',
  });

export const sessionEndedProblem = (): ApiProblem =>
  new ApiProblem({
    code: 'session-ended',
    status: 401,
    message: 'Your session has ended.',
    hint: 'Log in again; you will come back to this place.',
  });

const partProblem = (): ApiProblem =>
  new ApiProblem({
    code: 'page-part-missing',
    message: 'A part of this page could not be loaded.',
    hint: 'There was no connection, or the platform has been updated since you opened the page. Load the page again.',
  });

/** What arrived, read to its end. */
export interface Answer {
  status: number;
  text: string;
  requestId: string | null;
  /** The header Retry-After: seconds, or a day and time. */
  retryAfter: string | null;
}

const malformed = ({ status, requestId }: Answer): ApiProblem =>
  new ApiProblem({
    code: 'malformed-response',
    status,
    message: 'The platform answered in a way this page does not understand.',
    hint: 'Try again. If it stays, load the page again; after that, tell the operators.',
    requestId,
  });

/** What to say where a server in front of the API answers, without a problem document. */
const BARE: Record<number, { code: string; message: string; hint: string }> = {
  403: {
    code: 'refused',
    message: 'The request was turned down before it reached the platform.',
    hint: 'Ask the operators whether your network is let in.',
  },
  404: {
    code: 'not-found',
    message: 'There is nothing at this address.',
    hint: 'It may have been removed, or the address is mistyped.',
  },
  413: {
    code: 'file-too-large',
    message: 'The file is larger than the platform takes.',
    hint: 'Split the file, or ask the operators to raise the limit.',
  },
  429: {
    code: 'too-many-requests',
    message: 'These were too many requests in a short time.',
    hint: 'Wait a minute, then try again.',
  },
  500: {
    code: 'server-error',
    message: 'Something broke on the platform’s side.',
    hint: 'Try again in a minute. If it stays, tell the operators.',
  },
  502: { code: 'unavailable', message: 'The platform is not answering.', hint: 'Try again in a minute.' },
  503: { code: 'unavailable', message: 'The platform is not answering.', hint: 'Try again in a minute.' },
  504: {
    code: 'unavailable',
    message: 'The platform took too long to answer.',
    hint: 'Try again in a minute.',
  },
};

const isProblem = (body: unknown): body is Problem =>
  typeof body === 'object' &&
  body !== null &&
  'code' in body &&
  typeof body.code === 'string' &&
  'detail' in body &&
  typeof body.detail === 'string';

function notBefore(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const at = /^\d+$/.test(retryAfter.trim())
    ? Date.now() + Number(retryAfter) * 1000
    : Date.parse(retryAfter);
  return Number.isNaN(at) ? null : at;
}

/** The problem in an answer with an error status. */
export function problemFrom(answer: Answer): ApiProblem {
  const { status, text, requestId } = answer;
  const given = { status, requestId, notBefore: notBefore(answer.retryAfter) };
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's error page, not ours.
  }
  if (isProblem(body)) {
    return new ApiProblem({
      ...given,
      code: body.code,
      message: body.detail,
      hint: body.hint,
      entries: Array.isArray(body.errors) ? body.errors : [],
      requestId: body.request_id ?? requestId,
      details: body.details,
    });
  }
  const bare = BARE[status];
  return bare ? new ApiProblem({ ...bare, ...given }) : malformed(answer);
}

const WITHOUT_BODY = new Set([204, 205]);

/** A successful answer's JSON; ApiProblem `malformed-response` where it is none, or cut off. */
export function parsed(answer: Answer): unknown {
  if (WITHOUT_BODY.has(answer.status)) return undefined;
  try {
    return JSON.parse(answer.text) as unknown;
  } catch {
    throw malformed(answer);
  }
}

/** What the browsers say, each in its own words, where code that is fetched when it is needed does not come. */
const PART_MISSING = /dynamically imported module|Importing a module script failed|Unable to preload CSS/i;

/** Any thrown value as something that can be shown. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof Error && PART_MISSING.test(error.message)) return partProblem();
  return new ApiProblem({
    code: 'page-error',
    message: 'This part of the page broke.',
    hint: 'Load the page again. If it stays, tell the operators what you did.',
    details: { cause: error instanceof Error ? error.message : String(error) },
  });
}
