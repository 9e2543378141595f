import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';

import type { DashboardOutput } from '@/shared/api/gen/model';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, page, server } from '@/test/server';
import { user } from '@/test/user';

const board = fixtures.boards.sales as DashboardOutput;
const [insight] = board.insights as [DashboardOutput['insights'][number]];
const show = (given: Partial<DashboardOutput>) =>
  server.use(answers('/dashboards/sales', { ...board, ...given }));

describe('where the numbers come from', () => {
  const latest = board.datasets.latest;

  test('counts the uploads that are in them, not the refused ones', async () => {
    show({ datasets: { count: 4, loaded: 3, latest } });
    open('/dashboard/sales');
    expect(await screen.findByText(/and 2 earlier uploads/)).toBeVisible();
    expect(screen.getByText(/12,304 rows in it/)).not.toHaveTextContent('rejected');
  });

  test('leads to the rejected lines of the newest upload', async () => {
    show({ datasets: { count: 1, loaded: 1, latest: latest && { ...latest, rejected: 17 } } });
    open('/dashboard/sales');
    const links = await screen.findAllByRole('link', { name: /17 rejected/ });
    expect(links[0]).toHaveAttribute('href', `/data/${latest?.id ?? ''}?tab=rejects`);
    expect(screen.queryByText(/earlier upload/)).not.toBeInTheDocument();
  });

  test('names the method of each insight on demand', async () => {
    show({ insights: [{ ...insight, version: 2 }] });
    open('/dashboard/sales');
    await user.click(await screen.findByRole('button', { name: 'by which method' }));
    const told = await screen.findByRole('dialog');
    expect(told).toHaveTextContent('Revenue forecast');
    expect(told).toHaveTextContent('version 2 of the method');
    expect(told).toHaveTextContent(insight.method);
  });
});

test('a card tells what the newest upload has changed, and since which', async () => {
  const since = {
    dataset_id: '11111111-0000-4000-8000-000000000000',
    dataset_name: 'February sales',
    summary: 'Forecast +4%: 12,480 for the next four weeks instead of 12,000.',
    figures: { four_weeks: 12_000 },
  };
  show({ insights: [{ ...insight, since }] });
  open('/dashboard/sales');
  const card = await screen.findByRole('region', { name: 'Revenue forecast' });
  expect(within(card).getByText(/^Since/)).toHaveTextContent(`Since February sales: ${since.summary}`);
  expect(within(card).getByRole('link', { name: 'February sales' })).toHaveAttribute(
    'href',
    `/data/${since.dataset_id}`,
  );
});

describe('a card that is behind', () => {
  const card = () => screen.findByRole('region', { name: 'Revenue forecast' });

  test('says so while a newer upload is worked on', async () => {
    server.use(answers('/jobs', page([fixtures.job({ status: 'processing', dataset_name: 'April sales' })])));
    open('/dashboard/sales');
    await waitFor(async () =>
      expect(await card()).toHaveTextContent('From before “April sales”, which is being'),
    );
  });

  test('says so where the newer upload failed, and not of one upload’s own insights', async () => {
    server.use(answers('/jobs', page([fixtures.job({ status: 'failed', dataset_name: 'April sales' })])));
    const { router } = open('/dashboard/sales');
    await waitFor(async () => expect(await card()).toHaveTextContent('could not be worked through'));
    await router.navigate({
      to: '/dashboard/$department',
      params: { department: 'sales' },
      search: { dataset: fixtures.dataset().id },
    });
    await waitFor(async () => expect(await card()).not.toHaveTextContent('From before'));
  });
});

describe('what needs attention', () => {
  const supply = fixtures.boards.supply_chain as DashboardOutput;
  const figures = { items: 60, at_risk: 14, critical: 5, to_order: 14, order_units: 4_000, dead_stock: 0 };
  const risky = { ...supply, insights: supply.insights.map((each) => ({ ...each, figures })) };

  test('leads to the rows behind it, whatever was searched for before', async () => {
    server.use(answers('/dashboards/supply_chain', risky));
    const { router } = open('/dashboard/supply_chain?stockout_risk.q=nothing&stockout_risk.show=all', {
      as: fixtures.admin,
    });
    const list = await screen.findByRole('region', { name: 'Needs attention (1)' });
    expect(list).toHaveTextContent('14 items are at risk of running out');
    expect(list).toHaveTextContent('Urgent');
    await user.click(within(list).getByRole('link', { name: 'See the items' }));
    const table = await screen.findByRole('table', { name: /risk of running out/ });
    await waitFor(() => expect(within(table).getAllByRole('row')).toHaveLength(15));
    expect(router.state.location.search).toEqual({ 'stockout_risk.show': 'focus' });
    expect(router.state.location.hash).toBe('stockout_risk');
    expect(document.getElementById('stockout_risk')).toContainElement(table);
  });

  test('says so where nothing does, beside the numbers with their help', async () => {
    server.use(
      answers('/dashboards/supply_chain', {
        ...risky,
        insights: risky.insights.map((each) => ({
          ...each,
          figures: { ...figures, at_risk: 0, critical: 0 },
        })),
      }),
    );
    open('/dashboard/supply_chain', { as: fixtures.admin });
    expect(await screen.findByText(/Nothing. All is computed and loaded/)).toBeVisible();
    expect(await screen.findByRole('button', { name: 'What does “At risk” mean?' })).toBeVisible();
  });

  test('names a failed job and leads to it', async () => {
    const error = {
      code: 'missing-label',
      message: 'The column “quantity” is missing.',
      hint: '',
      details: {},
    };
    const failed = fixtures.job({
      id: 'failed-1',
      status: 'failed',
      stage: 'etl',
      stages: [fixtures.stage({ status: 'failed', error })],
    });
    server.use(answers('/jobs', page([failed])));
    open('/dashboard/sales');
    const entry = await screen.findByText('“March sales” could not be worked through');
    expect(entry.closest('li')).toHaveTextContent('The column “quantity” is missing.');
    expect(screen.getByRole('link', { name: 'Why, and what to do' })).toHaveAttribute(
      'href',
      '/jobs/failed-1',
    );
  });

  test('is not asked of the insights of an older upload', async () => {
    const id = fixtures.dataset().id;
    open(`/dashboard/sales?dataset=${id}`);
    expect(await screen.findByText('As they were after one upload')).toBeVisible();
    expect(screen.queryByRole('heading', { name: /Needs attention/ })).not.toBeInTheDocument();
  });
});
