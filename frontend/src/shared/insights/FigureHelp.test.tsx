import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import { help } from '@/test/insightFixtures';
import { refuses, server } from '@/test/server';
import { user } from '@/test/user';

import { FigureHelp } from './FigureHelp';

function show(...figures: [kind: string, figure: string, label?: string][]) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        {figures.map(([kind, figure, label]) => (
          <FigureHelp key={figure} kind={kind} figure={figure} label={label} />
        ))}
      </QueryClientProvider>
    </MantineProvider>,
  );
  return client;
}

test('says what a figure means, by keyboard too, and gives the focus back', async () => {
  show(['revenue_forecast', 'drivers', 'What moved revenue']);
  const button = await screen.findByRole('button', { name: 'What does “What moved revenue” mean?' });
  button.focus();
  await user.keyboard('{Enter}');
  const told = await screen.findByRole('dialog');
  expect(told).toHaveTextContent('the last 4 whole weeks against the 4 before (previous)');
  expect(screen.getByText('previous').tagName).toBe('CODE');
  await user.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(button).toHaveFocus();
});

test('asks once for all figures, and has no button for one without help', async () => {
  let asked = 0;
  server.use(
    http.get('*/api/v1/insights/help', () => {
      asked += 1;
      return HttpResponse.json(help);
    }),
  );
  show(['stockout_risk', 'safety_stock'], ['stockout_risk', 'at_risk'], ['stockout_risk', 'colour']);
  expect(await screen.findByRole('button', { name: 'What does “Safety stock” mean?' })).toBeVisible();
  expect(screen.getAllByRole('button')).toHaveLength(2);
  expect(asked).toBe(1);
});

test('is left out where the help cannot be had', async () => {
  server.use(refuses('/insights/help', 503, 'unavailable', 'Not now.'));
  const client = show(['stockout_risk', 'safety_stock']);
  await waitFor(() => expect(client.getQueryState(['figure-help'])?.status).toBe('error'));
  expect(screen.queryByRole('button')).not.toBeInTheDocument();
});
