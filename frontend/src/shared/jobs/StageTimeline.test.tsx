import { MantineProvider } from '@mantine/core';
import { render, screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';

import type { JobOutput } from '@/shared/api/gen/model';
import { job, stage } from '@/test/fixtures';

import { StageTimeline } from './StageTimeline';

function steps(given: JobOutput): [HTMLElement, HTMLElement, HTMLElement] {
  render(
    <MantineProvider>
      <StageTimeline job={given} />
    </MantineProvider>,
  );
  return within(screen.getByRole('list', { name: 'Stages of the job' })).getAllByRole('listitem') as [
    HTMLElement,
    HTMLElement,
    HTMLElement,
  ];
}

test('a finished job shows its three steps and how long each took', () => {
  const [taken, etl, ml] = steps(job());
  expect(taken).toHaveTextContent('Upload taken in');
  expect(etl).toHaveTextContent('Clean and load Succeeded');
  expect(etl).toHaveTextContent('Attempt 1 of 3 · 2 s');
  expect(ml).toHaveTextContent('Compute insights Succeeded');
});

test('a moving stage shows its rows and the one after it waits', () => {
  const moving = stage({
    status: 'processing',
    finished_at: null,
    duration_ms: null,
    progress: { done: 400, total: 1000, unit: 'rows' },
  });
  const [, etl, ml] = steps(job({ status: 'processing', stage: 'etl', stages: [moving] }));
  expect(etl).toHaveTextContent('400 of 1,000 rows');
  expect(within(etl).getByRole('progressbar')).toHaveAttribute('aria-valuenow', '40');
  expect(ml).toHaveTextContent('Waits for the stage before it');
});

test('a failed stage says why, what to do, and that it will not try by itself again', () => {
  const failed = stage({
    status: 'failed',
    attempts: 3,
    dead_lettered: true,
    error: {
      code: 'missing-label',
      message: 'The column “quantity” is missing.',
      hint: 'Add it.',
      details: {},
    },
  });
  const all = steps(job({ status: 'failed', stage: 'etl', stages: [failed] }));
  expect(all).toHaveLength(2);
  const failing = all[1];
  expect(failing).toHaveTextContent('Attempt 3 of 3');
  expect(failing).toHaveTextContent('No further attempts by itself');
  expect(within(failing).getByRole('alert')).toHaveTextContent(
    'The column “quantity” is missing.Add it.missing-label',
  );
});

test('a stage that is tried again keeps the reason of the last attempt in sight', () => {
  const again = stage({
    status: 'processing',
    attempts: 2,
    finished_at: null,
    duration_ms: null,
    error: { code: 'storage-unavailable', message: 'The file could not be read.', hint: '', details: {} },
  });
  const [, etl] = steps(job({ status: 'processing', stage: 'etl', stages: [again] }));
  expect(etl).toHaveTextContent('Attempt 2 of 3');
  expect(within(etl).getByRole('status')).toHaveTextContent('The file could not be read.');
});

test.each([
  ['reprocess', 'Run again'],
  ['undo', 'After an undo'],
  ['settings', 'Settings changed'],
])(
  'a run that began with the insights has no stage before them, and says what it began with: %s',
  (cause, words) => {
    const all = steps(job({ cause, stages: [stage({ stage: 'ml' })] }));
    expect(all).toHaveLength(2);
    expect(screen.getByText(words)).toBeVisible();
    expect(all[1]).toHaveTextContent('Compute insights');
  },
);
