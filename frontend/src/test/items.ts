/** An API that filters the items of a ranking, and remembers what was said of them. */
import { http, HttpResponse } from 'msw';

import type {
  BulkReviewInputRequest,
  InsightOutput,
  MatchingInputRequest,
  SnoozeInputRequest,
} from '@/shared/api/gen/model';
import type { Standing } from '@/shared/insights/types';

export type Item = Standing & Record<string, unknown>;

const FACETS = ['warehouse_id', 'product_category', 'supplier_id', 'category', 'vendor'];
const STATES = ['open', 'snoozed', 'acknowledged', 'expected', 'confirmed', 'fixed'];

const reasonsOf = (item: Item): string[] =>
  ((item.reasons as { code: string }[] | undefined) ?? []).map(({ code }) => code);
const isBack = (item: Item): boolean => Boolean(item.review?.reopened) || Boolean(item.snooze?.ended);
const stateOf = (item: Item): string => item.status ?? 'open';

function matches(item: Item, asked: URLSearchParams): boolean {
  const severities = asked.getAll('severity');
  const reasons = asked.getAll('reason');
  const words = [item.sku, item.txn_id, item.review?.note, ...FACETS.map((name) => item[name])].join(' ');
  return (
    (severities.length === 0 || severities.includes(String(item.severity))) &&
    (asked.get('focus') !== 'true' || item.worth_review === true || Boolean(item.review ?? item.snooze)) &&
    (reasons.length === 0 || reasons.some((code) => reasonsOf(item).includes(code))) &&
    FACETS.every((name) => !asked.has(name) || asked.getAll(name).includes(String(item[name]))) &&
    words.toLowerCase().includes((asked.get('q') ?? '').toLowerCase())
  );
}

const inStates = (item: Item, states: readonly string[]): boolean =>
  states.length === 0 || states.includes(stateOf(item)) || (isBack(item) && states.includes('reopened'));

const params = (filters: Record<string, unknown>): URLSearchParams =>
  new URLSearchParams(
    Object.entries(filters).flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)])),
  );

export function items(all: Item[], asked: URLSearchParams): object {
  const ranked = all.map((item, place) => ({ rank: place + 1, ...item }));
  const fitting = ranked.filter((item) => matches(item, asked));
  const count = (state: string) => fitting.filter((item) => stateOf(item) === state).length;
  const found = fitting.filter((item) => inStates(item, asked.getAll('state')));
  const rest = found.filter(({ rank }) => rank > Number(asked.get('after') ?? 0));
  const results = rest.slice(0, Number(asked.get('limit') ?? 50));
  return {
    count: found.length,
    next: results.length < rest.length ? 'http://localhost/next' : null,
    previous: null,
    counts: {
      ...Object.fromEntries(STATES.map((state) => [state, count(state)])),
      reopened: fitting.filter(isBack).length,
    },
    results,
  };
}

export function facets(all: Item[]): object {
  const counted = (values: (string | null)[]) => {
    const counts = new Map<string, number>();
    for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts].sort(([, a], [, b]) => b - a).map(([value, count]) => ({ value, count }));
  };
  const names = FACETS.filter((name) => all.some((item) => typeof item[name] === 'string'));
  const label = (name: string) => name.replace('product_', '').replace('_id', '');
  return {
    facets: [
      ...names.map((name) => ({
        name,
        label: label(name).charAt(0).toUpperCase() + label(name).slice(1),
        values: counted(all.map((item) => (item[name] as string | null | undefined) ?? null)),
        more: false,
      })),
      { name: 'reason', label: 'Reason', values: counted(all.flatMap(reasonsOf)), more: false },
    ],
  };
}

export interface Said {
  verdict?: string;
  until?: string | null;
  subjects?: string[][];
  matching?: MatchingInputRequest;
  note?: string;
}

/** The handlers of one insight's ranking. `said` keeps what is told, in the order it was told. */
export function ranking(
  insight: Pick<InsightOutput, 'subject'>,
  given: readonly object[],
  by: string,
  said: Said[] = [],
) {
  let all = given.map((item): Item => ({ review: null, snooze: null, status: 'open', ...item }));
  const at = '2026-04-01T08:30:00Z';
  const subjectOf = (item: Item) => insight.subject.map((name) => String(item[name]));
  const named = ({ subjects, matching }: Said): string[][] => {
    if (subjects) return subjects;
    const asked = params(matching?.filters ?? {});
    return all.filter((item) => matches(item, asked) && inStates(item, asked.getAll('state'))).map(subjectOf);
  };
  const take = (asked: Said, change: (item: Item) => Standing, answer: object): object => {
    said.push(asked);
    const subjects = named(asked);
    const keys = new Set(subjects.map((subject) => subject.join('\n')));
    all = all.map((item) => (keys.has(subjectOf(item).join('\n')) ? { ...item, ...change(item) } : item));
    const isTaken = asked.verdict === 'open' || asked.until === null;
    return {
      results: isTaken ? [] : subjects.map((subject, place) => ({ id: `said-${place}`, subject, ...answer })),
    };
  };
  return [
    http.get('*/api/v1/insights/:insight/items', ({ request }) =>
      HttpResponse.json(items(all, new URL(request.url).searchParams)),
    ),
    http.get('*/api/v1/insights/:insight/facets', () => HttpResponse.json(facets(all))),
    http.put<{ insight: string }, BulkReviewInputRequest>(
      '*/api/v1/insights/:insight/reviews/bulk',
      async ({ request }) => {
        const asked = await request.json();
        const { verdict, note = '' } = asked;
        const signed = { note, reviewed_by: by, reviewed_at: at };
        const change = (): Standing =>
          verdict === 'open'
            ? { status: 'open', review: null, snooze: null }
            : { status: verdict, review: { id: 'said', verdict, reopened: '', ...signed }, snooze: null };
        return HttpResponse.json(take(asked, change, { kind: 'k', verdict, ...signed }));
      },
    ),
    http.put<{ insight: string }, SnoozeInputRequest>(
      '*/api/v1/insights/:insight/snoozes',
      async ({ request }) => {
        const asked = await request.json();
        const { until, note = '' } = asked;
        const signed = { until: until ?? '', note, snoozed_by: by, snoozed_at: at };
        const change = (item: Item): Standing =>
          until === null
            ? { status: item.review?.verdict ?? 'open', snooze: null }
            : { status: 'snoozed', snooze: { ended: '', ...signed } };
        return HttpResponse.json(take(asked, change, { kind: 'k', ...signed }));
      },
    ),
  ];
}
