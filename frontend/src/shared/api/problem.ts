import type { Problem, ProblemEntry } from './gen/model';

/** An API error (RFC 9457) or one of our own that reads like it, so that one component can say them all. */
export class ApiProblem extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string;
  readonly entries: ProblemEntry[];
  readonly requestId: string | null;
  readonly details: Record<string, unknown>;

  constructor(given: {
    code: string;
    message: string;
    status?: number;
    hint?: string;
    entries?: ProblemEntry[];
    requestId?: string | null;
    details?: Record<string, unknown>;
  }) {
    super(given.message);
    this.name = 'ApiProblem';
    this.code = given.code;
    this.status = given.status ?? 0;
    this.hint = given.hint ?? '';
    this.entries = given.entries ?? [];
    this.requestId = given.requestId ?? null;
    this.details = given.details ?? {};
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

export const networkProblem = (): ApiProblem =>
  new ApiProblem({
    code: 'network',
    message: 'The platform could not be reached.',
    hint: 'Check your connection, then try again. Nothing you typed is lost.',
  });

export const sessionEndedProblem = (): ApiProblem =>
  new ApiProblem({
    code: 'session-ended',
    status: 401,
    message: 'Your session has ended.',
    hint: 'Log in again; you will come back to this place.',
  });

const malformed = (status: number, requestId: string | null): ApiProblem =>
  new ApiProblem({
    code: 'malformed-response',
    status,
    message: 'The platform answered in a way this page does not understand.',
    hint: 'Load the page again. If it stays, give the operators the request id.',
    requestId,
  });

/** What to say where a server in front of the API answers, without a problem document. */
const BARE: Record<number, { code: string; message: string; hint: string }> = {
  413: {
    code: 'file-too-large',
    message: 'The file is larger than the platform takes.',
    hint: 'Split the file, or ask the operators to raise the limit.',
  },
  429: {
    code: 'too-many-requests',
    message: 'That were too many requests in a short time.',
    hint: 'Wait a minute, then try again.',
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
  typeof body === 'object' && body !== null && 'code' in body && 'detail' in body;

/** The problem in the text of an answer with an error status. */
export function problemFrom(status: number, text: string, requestId: string | null): ApiProblem {
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's error page, not ours.
  }
  if (isProblem(body)) {
    return new ApiProblem({
      code: body.code,
      status,
      message: body.detail,
      hint: body.hint,
      entries: Array.isArray(body.errors) ? body.errors : [],
      requestId: body.request_id ?? requestId,
      details: body.details,
    });
  }
  const bare = BARE[status];
  return bare ? new ApiProblem({ ...bare, status, requestId }) : malformed(status, requestId);
}

/** A successful answer's JSON; ApiProblem `malformed-response` where it is none. */
export function parsed(text: string, status: number, requestId: string | null): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed(status, requestId);
  }
}

/** Any thrown value as something that can be shown. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem({
    code: 'page-error',
    message: 'This part of the page broke.',
    hint: 'Load the page again. If it stays, tell the operators what you did.',
    details: { cause: error instanceof Error ? error.message : String(error) },
  });
}
