import { screen, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';

import type { DashboardOutput } from '@/shared/api/gen/model';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, server } from '@/test/server';
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
