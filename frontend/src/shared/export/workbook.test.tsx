import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import type { InsightOutput } from '@/shared/api/gen/model';
import * as fixtures from '@/test/fixtures';
import { server } from '@/test/server';

import { day } from './sheet';
import { dashboardSheets } from './workbook';

const insightsOf = (department: string): InsightOutput[] => [
  ...(fixtures.boards[department]?.insights ?? []),
];
const named = (sheets: { name: string }[]) => sheets.map(({ name }) => name);

test('a dashboard is a sheet about it and the sheets of each insight, with raw values', async () => {
  const sheets = await dashboardSheets({ insights: insightsOf('sales') });
  expect(named(sheets)).toEqual(['About', 'Next week by category', 'Revenue by week']);
  const [about, , weeks] = sheets;
  expect(about?.rows[0]?.[0]).toBe('Revenue forecast');
  expect(weeks?.header.slice(0, 4)).toEqual(['Category', 'Week of', 'Forecast', 'Revenue']);
  const [first] = fixtures.forecast.categories;
  expect(weeks?.rows[0]).toEqual([
    first?.category,
    day(first?.history[0]?.week_start),
    false,
    first?.history[0]?.revenue,
    null,
    null,
    null,
    null,
  ]);
  expect(weeks?.rows.filter((row) => row[2] === true)).toHaveLength(
    fixtures.forecast.categories.reduce((sum, { forecast }) => sum + forecast.length, 0),
  );
});

test('the rest of a long ranking is fetched', async () => {
  const asked: string[] = [];
  server.use(
    http.get('*/api/v1/insights/:insight/items', ({ request }) => {
      const { searchParams } = new URL(request.url);
      asked.push(searchParams.toString());
      const offset = Number(searchParams.get('offset'));
      return HttpResponse.json({
        count: 62,
        next: null,
        previous: null,
        results: [{ ...fixtures.stockItem(offset), rank: offset + 1 }],
      });
    }),
  );
  const [insight] = insightsOf('supply_chain');
  if (!insight) throw new Error('There is no insight.');
  const sheets = await dashboardSheets({ insights: [{ ...insight, items_total: 62 }] });
  expect(asked).toEqual(['limit=1000&offset=60', 'limit=1000&offset=61']);
  expect(sheets[1]?.rows).toHaveLength(62);
  expect(sheets[1]?.header).not.toContain('Demand views');
});

test('an insight of a kind that has no sheets of its own gives its lists', async () => {
  const [insight] = insightsOf('finance');
  if (!insight) throw new Error('There is no insight.');
  const unknown = {
    ...insight,
    kind: 'late_deliveries',
    items_total: null,
    data: { items: [{ route: 'R-7', days_late: 3 }], hubs: [{ hub: 'H1' }], note: 'x' },
  };
  const sheets = await dashboardSheets({ insights: [unknown] });
  expect(named(sheets)).toEqual(['About', 'Late deliveries', 'Hubs']);
  expect(sheets[1]?.rows).toEqual([['R-7', 3]]);
});
