import { MantineProvider } from '@mantine/core';
import { act, render, screen, waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { Suspense, type ReactNode } from 'react';
import { expect, test, vi } from 'vitest';

import { server } from '@/test/server';
import { user } from '@/test/user';

import { lazyPart } from './lazyPart';
import * as reload from './reload';

const gone = () =>
  new TypeError('Failed to fetch dynamically imported module: https://x/assets/JobsPage-abc.js');
const Part = (): ReactNode => <p>The part itself</p>;

/** Fails so many times, then comes. */
function coming(after: number) {
  let asked = 0;
  const importer = vi.fn(() => {
    asked += 1;
    return asked > after ? Promise.resolve({ Part }) : Promise.reject(gone());
  });
  return { importer, Lazy: lazyPart(importer, 'Part') };
}

const show = (Lazy: ReturnType<typeof coming>['Lazy']) =>
  act(async () => {
    render(
      <MantineProvider>
        <Suspense fallback="Loading">
          <Lazy />
        </Suspense>
      </MantineProvider>,
    );
    await Promise.resolve();
  });

test('comes when it is needed', async () => {
  const { Lazy, importer } = coming(0);
  await show(Lazy);
  expect(await screen.findByText('The part itself')).toBeVisible();
  expect(importer).toHaveBeenCalledOnce();
});

test('that does not come says so in its place and can be asked for again', async () => {
  const { Lazy } = coming(1);
  await show(Lazy);
  expect(await screen.findByRole('alert')).toHaveTextContent(/could not be loaded.*may have been updated/);
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('The part itself')).toBeVisible();
});

test('that failed before it was needed is asked for once more when it is', async () => {
  const { Lazy, importer } = coming(1);
  await Lazy.preload?.();
  await show(Lazy);
  expect(await screen.findByText('The part itself')).toBeVisible();
  expect(importer).toHaveBeenCalledTimes(2);
});

test('loads the page again only where the platform would answer', async () => {
  const loadAnew = vi.fn();
  vi.stubGlobal('location', { href: location.href, origin: location.origin, reload: loadAnew });
  server.use(http.get('*/api/v1/health', () => HttpResponse.error()));
  await show(coming(9).Lazy);
  await user.click(await screen.findByRole('button', { name: 'Load the page again' }));
  expect(await screen.findByText(/the page stays as it is/)).toBeVisible();
  expect(loadAnew).not.toHaveBeenCalled();
  server.use(http.get('*/api/v1/health', () => HttpResponse.json({ status: 'ok' })));
  expect(await reload.loadAnewIfReachable()).toBe(true);
  await waitFor(() => expect(loadAnew).toHaveBeenCalledOnce());
  vi.unstubAllGlobals();
});
