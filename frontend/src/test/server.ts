import { http, HttpResponse, type HttpHandler } from 'msw';
import { setupServer } from 'msw/node';

import * as fixtures from './fixtures';
import { help } from './insightFixtures';
import { facets, items, type Item } from './items';

const api = (path: string) => `*/api/v1${path}`;

export const answers = (
  path: string,
  body: object,
  method: 'get' | 'post' | 'put' = 'get',
  status = 200,
): HttpHandler => http[method](api(path), () => HttpResponse.json(body, { status }));

export const refuses = (path: string, status: number, code: string, detail: string, more: object = {}) =>
  http.all(api(path), () =>
    HttpResponse.json(fixtures.problem(status, code, detail, more), {
      status,
      headers: { 'Content-Type': 'application/problem+json' },
    }),
  );

export const page = <T>(results: T[]) => ({ count: results.length, next: null, previous: null, results });

/** The items of the insight of a board that has this id. */
const ranked = (id: unknown): Item[] =>
  Object.values(fixtures.boards)
    .flatMap((board) => board.insights)
    .filter((insight) => insight.id === id)
    .flatMap((insight) => (insight.data.items as Item[] | undefined) ?? []);

/** A quiet platform: Ada of sales is logged in, everything is done. */
export const server = setupServer(
  answers('/auth/config', fixtures.config),
  answers('/auth/refresh', fixtures.signedIn(), 'post'),
  answers('/auth/login', fixtures.signedIn(), 'post'),
  http.get(api('/dashboards/:department'), ({ params }) =>
    HttpResponse.json(fixtures.boards[String(params.department)] ?? null),
  ),
  answers('/dashboards/:department/settings', { department: 'sales', settings: [] }),
  answers('/insights/help', help),
  http.get(api('/insights/:insight/items'), ({ params, request }) =>
    HttpResponse.json(items(ranked(params.insight), new URL(request.url).searchParams)),
  ),
  http.get(api('/insights/:insight/facets'), ({ params }) =>
    HttpResponse.json(facets(ranked(params.insight))),
  ),
  answers('/jobs', page([fixtures.job()])),
  answers('/jobs/:job', fixtures.job()),
  answers('/schemas/:department', fixtures.schema),
  answers('/schemas/:department/mappings', page([])),
  answers('/datasets', page([fixtures.dataset()])),
  answers('/datasets/:dataset', fixtures.dataset()),
  answers('/datasets/:dataset/rejects', page(fixtures.rejects)),
  answers(
    '/datasets/:dataset/rows',
    page([{ line: 2, transaction_id: 'T-1', date: '2026-03-02', quantity: 2 }]),
  ),
);
