import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import * as fixtures from '@/test/fixtures';
import { refuses, server } from '@/test/server';

import { boardOf } from './board';
import type { InsightOutput } from './gen/model';

const asked: string[] = [];
const items = (count: number) => Array.from({ length: count }, (_, at) => ({ sku: `S${at}` }));

function has(kind: string, total: number): InsightOutput {
  asked.length = 0;
  const [first] = fixtures.boards.finance?.insights ?? [];
  const insight = { ...(first as InsightOutput), id: 'i-1', kind, items_total: total };
  const answer = (most: string | null) => ({
    ...insight,
    data: { items: items(Math.min(total, Number(most ?? 5_000))) },
  });
  server.use(
    http.get('*/api/v1/dashboards/finance', ({ request }) => {
      const most = new URL(request.url).searchParams.get('items');
      asked.push(`dashboard ${most}`);
      return HttpResponse.json({ ...fixtures.boards.finance, insights: [answer(most)] });
    }),
    http.get('*/api/v1/insights/i-1', () => {
      asked.push('insight');
      return HttpResponse.json(answer(null));
    }),
  );
  return insight;
}

const shown = async () => {
  const board = await boardOf('finance', undefined, new AbortController().signal);
  return (board.insights[0]?.data.items as object[]).length;
};

test('a card that asks for its items itself is not kept waiting for them', async () => {
  has('stockout_risk', 300);
  expect(await shown()).toBe(25);
  expect(asked).toEqual(['dashboard 25']);
});

test('any other has what the insight holds, in a second request where it holds more', async () => {
  has('spend_anomalies', 300);
  expect(await shown()).toBe(300);
  expect(asked).toEqual(['dashboard 25', 'insight']);
  has('spend_anomalies', 25);
  expect(await shown()).toBe(25);
  expect(asked).toEqual(['dashboard 25']);
});

test('an insight that is computed anew in between is asked for by its dashboard', async () => {
  has('spend_anomalies', 300);
  server.use(refuses('/insights/i-1', 404, 'not-found', 'There is no such insight.'));
  expect(await shown()).toBe(300);
  expect(asked).toEqual(['dashboard 25', 'dashboard null']);
});
