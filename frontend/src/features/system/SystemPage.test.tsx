import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import { healthy } from '@/test/accountFixtures';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, refuses, server } from '@/test/server';

const row = (name: RegExp) => screen.findByRole('row', { name });

test('an admin sees what runs, what waits, who works at what and what failed', async () => {
  server.use(answers('/system/status', healthy));
  open('/system', { as: fixtures.admin });
  expect(await row(/aetherflow-etl/)).toHaveTextContent('aetherflow-etl3103 min 10 s2');
  expect(await row(/aetherflow-ml/)).toHaveTextContent('aetherflow-ml000none0');
  expect(screen.getByText('No worker for the ml queue gives a sign of life.')).toBeVisible();
  expect(screen.getAllByText('Down')).toHaveLength(1);
  expect(screen.getByText(/4 messages to send, the oldest for 1 min 15 s\./)).toBeVisible();
  const worker = await row(/etl@host-1/);
  expect(within(worker).getByRole('link', { name: 'March sales' })).toHaveAttribute(
    'href',
    '/jobs/3f0b8a52-2f0e-4a39-8f0a-6f1f5a1f0001',
  );
  expect(await row(/ml@host-2/)).toHaveTextContent('Silent');
  expect(await row(/missing-label/)).toHaveTextContent('Finance, Sales');
  expect(screen.getByText(/^Read at .*; anew every 10 seconds/)).toBeVisible();
  expect(screen.getByRole('link', { name: 'Operators’ console' })).toHaveAttribute('href', '/behind/');
});

test('a source that is away says so in its own part, and what is not known is no zero', async () => {
  const away = {
    ...healthy.queues.items[0],
    visible: null,
    in_flight: null,
    delayed: null,
    dead_letters: null,
  };
  server.use(
    answers('/system/status', {
      ...healthy,
      queues: { problem: 'No answer within 0.8 s.', items: [away] },
      failures: { problem: 'No answer (OperationalError).', items: [] },
    }),
  );
  open('/system', { as: fixtures.admin });
  const queues = await screen.findByRole('region', { name: 'Queues' });
  expect(within(queues).getByRole('alert')).toHaveTextContent('No answer within 0.8 s.');
  expect(await row(/aetherflow-etl/)).toHaveTextContent('aetherflow-etl–––3 min 10 s–');
  expect(screen.getAllByRole('alert')).toHaveLength(2);
  expect(await row(/etl@host-1/)).toBeVisible();
});

test('nothing at work and nothing failed is said in words', async () => {
  server.use(
    answers('/system/status', {
      ...healthy,
      workers: { problem: null, items: [] },
      failures: { problem: null, items: [] },
    }),
  );
  open('/system', { as: fixtures.admin });
  expect(await screen.findByText(/nothing is worked: start them/)).toBeVisible();
  expect(screen.getByText('Nothing has failed, or all that did was run again.')).toBeVisible();
});

test('where the platform does not answer at all, the page says so', async () => {
  server.use(refuses('/system/status', 503, 'database-unavailable', 'The database does not answer.'));
  open('/system', { as: fixtures.admin });
  expect(await screen.findByRole('alert')).toHaveTextContent('The database does not answer.');
  expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible();
});

test('it is not for members: nothing is asked, no way leads there, and they read where to look instead', async () => {
  let asked = 0;
  server.use(
    http.get('*/api/v1/system/status', () => {
      asked += 1;
      return HttpResponse.json(healthy);
    }),
  );
  open('/system');
  expect(await screen.findByRole('heading', { level: 1, name: 'This page is not yours' })).toBeVisible();
  expect(screen.queryByRole('link', { name: 'System' })).not.toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'To your dashboard' })).toBeVisible();
  await waitFor(() => expect(asked).toBe(0));
});
