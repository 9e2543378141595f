import { describe, expect, test } from 'vitest';

import type { DashboardOutput, InsightOutput } from '@/shared/api/gen/model';
import { boards, job, spendItem, stage } from '@/test/fixtures';
import { forecast2, moves, salesBoard } from '@/test/revenueFixtures';

import { attentionOf, kpisOf } from './department';
import { revenueOverview } from './revenueForecast';
import { spendOverview } from './spendAnomalies';
import { stockOverview } from './stockoutRisk';

const insightOf = (
  board: DashboardOutput | undefined,
  given: Partial<InsightOutput> = {},
): InsightOutput => ({
  ...(board?.insights[0] as InsightOutput),
  ...given,
});
const since = (figures: Record<string, number>) => ({
  dataset_id: 'd-1',
  dataset_name: 'February',
  summary: 'More.',
  figures,
});
const noteOf = (overview: { kpis: { label: string; note?: string }[] }, label: string) =>
  overview.kpis.find((kpi) => kpi.label === label)?.note;

describe('of the revenue forecast', () => {
  const [next] = forecast2.total?.forecast ?? [];
  const during = Date.parse(`${next?.week_start ?? ''}T12:00:00Z`);
  const insight = (given: Partial<InsightOutput> = {}) => insightOf(salesBoard(given));

  test('are the API’s numbers, beside the upload and the weeks before', () => {
    const told = revenueOverview(
      insight({ figures: { next_week: 1, four_weeks: 260 }, since: since({ four_weeks: 250 }) }),
      during,
    );
    expect(told.kpis.map(({ label, value }) => [label, value])).toEqual([
      ['Expected next week', Math.round(next?.revenue ?? 0).toLocaleString()],
      ['Expected in four weeks', '260'],
      ['Last four weeks', '104,000'],
      ['Usual error', '6%'],
    ]);
    expect(noteOf(told, 'Expected in four weeks')).toBe('+4% on the forecast at “February”');
    expect(noteOf(told, 'Last four weeks')).toBe('+4% on the 4 before, +30% on the year before');
    expect(told.attention).toEqual([]);
  });

  test('say when the forecast week is over', () => {
    const week = 7 * 86_400_000;
    const monday = Date.parse(`${next?.week_start ?? ''}T00:00:00Z`);
    expect(revenueOverview(insight(), monday + week - 1).attention).toEqual([]);
    expect(revenueOverview(insight(), monday + week).attention).toMatchObject([
      { title: 'The week that is forecast is over', target: { to: 'upload' } },
    ]);
  });

  test('warn where the naive forecast does no worse', () => {
    const total = { ...forecast2.total, quality: { metric: 'wape', model: 0.2, baseline: 0.2 } };
    const told = revenueOverview(insight({ data: { ...forecast2, total } }), during);
    expect(told.kpis.at(-1)).toMatchObject({ tone: 'warning' });
    expect(told.attention[0]?.title).toContain('no better than the naive one');
  });

  test('leave out what is not known', () => {
    const none = { ...forecast2, drivers: { weeks: 4, previous: moves({ before: 0 }), year_ago: null } };
    expect(noteOf(revenueOverview(insight({ data: none }), during), 'Last four weeks')).toBeUndefined();
    expect(revenueOverview(insightOf(boards.sales))).toEqual({ kpis: [], attention: [] });
  });
});

describe('of the stock', () => {
  const figures = {
    items: 7_200,
    at_risk: 5_400,
    critical: 12,
    to_order: 900,
    order_units: 64_000,
    dead_stock: 3,
  };

  test('count all items, not those that are listed', () => {
    const told = stockOverview(
      insightOf(boards.supply_chain, { figures, since: since({ at_risk: 5_403, critical: 12 }) }),
    );
    expect(told.kpis.map(({ label, value }) => [label, value])).toEqual([
      ['At risk', '5,400'],
      ['Critical', '12'],
      ['To order', '900 items'],
      ['Dead stock', '3 items'],
    ]);
    expect(noteOf(told, 'At risk')).toBe('3 fewer than at “February”');
    expect(noteOf(told, 'Critical')).toBe('as many as at “February”');
    expect(told.attention).toMatchObject([
      { tone: 'bad', title: '5,400 items are at risk of running out', target: { state: { show: 'focus' } } },
    ]);
  });

  test('ask for nothing where nothing is at risk', () => {
    const told = stockOverview(
      insightOf(boards.supply_chain, { figures: { ...figures, at_risk: 0, critical: 0 } }),
    );
    expect(told.kpis[0]).toMatchObject({ tone: 'good' });
    expect(told.attention).toEqual([]);
  });
});

describe('of the payments', () => {
  test('leave out what was reviewed', () => {
    const items = [0, 1, 2, 3].map((place) => ({ ...spendItem(place), currency: 'EUR', amount: 100 }));
    const [first] = items;
    if (first) first.status = 'expected';
    const told = spendOverview(
      insightOf(boards.finance, {
        data: { items },
        figures: { worth_review: 4 },
        since: since({ worth_review: 3 }),
      }),
    );
    expect(told.kpis.map(({ label, value }) => [label, value])).toEqual([
      ['Worth a review', '4'],
      ['Still open', '3'],
      ['Critical', '1'],
      ['Open amount', '€300'],
    ]);
    expect(noteOf(told, 'Worth a review')).toBe('1 more than at “February”');
    expect(noteOf(told, 'Still open')).toBe('1 reviewed');
    expect(told.attention).toMatchObject([{ tone: 'bad', title: '3 payments are worth a review' }]);
  });
});

describe('of a department', () => {
  const board = insightless({ rejected: 17 });

  function insightless(latest: object): DashboardOutput {
    const whole = boards.sales as DashboardOutput;
    const newest = whole.datasets.latest;
    return { ...whole, datasets: { count: 1, loaded: 1, latest: newest && { ...newest, ...latest } } };
  }
  const failed = (given: object = {}) => {
    const error = { code: 'missing-label', message: 'A column is missing.', hint: '', details: {} };
    return job({
      id: 'f',
      status: 'failed',
      stage: 'etl',
      stages: [stage({ status: 'failed', error })],
      ...given,
    });
  };

  test('the worst comes first', () => {
    expect(attentionOf(board, [failed()])).toMatchObject([
      { tone: 'bad', detail: 'A column is missing.', target: { to: 'job', job: 'f' } },
      { tone: 'warning', title: '17 rows of “March sales” were rejected', target: { to: 'rejects' } },
    ]);
    expect(kpisOf(board).at(-1)?.kpi).toMatchObject({ label: 'Rejected rows', value: '17', tone: 'warning' });
  });

  test('a failed job that a later upload or run has answered is none', () => {
    const quiet = insightless({ rejected: 0 });
    expect(
      attentionOf(quiet, [job(), failed({ dataset_id: 'other', created_at: '2026-03-01T00:00:00Z' })]),
    ).toEqual([]);
    expect(attentionOf(quiet, [job(), failed()])).toEqual([]);
    expect(attentionOf(quiet, [job(), failed({ dataset_id: 'other' })])).toHaveLength(1);
  });

  test('loaded rows that no insight has seen are told', () => {
    const late = { ...insightless({ rejected: 0 }), last_updated: '2026-03-31T00:00:00Z' };
    expect(attentionOf(late, [job({ id: 'j' })])).toMatchObject([
      { key: 'behind', target: { to: 'job', job: 'j' } },
    ]);
  });

  test('an insight of a kind that gives nothing has no part in it', () => {
    const other = { ...board, insights: [insightOf(board, { kind: 'late_deliveries' })] };
    expect(kpisOf(other).map(({ kpi }) => kpi.label)).toEqual(['Rejected rows']);
  });
});
