import { MantineProvider } from '@mantine/core';
import { act, render, screen, waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { startTransition, Suspense, useState, type ReactNode } from 'react';
import { expect, test, vi } from 'vitest';

import { server } from '@/test/server';
import { user } from '@/test/user';

import { lazyPage, lazyPart } from './lazyPart';
import * as reload from './reload';

const gone = () =>
  new TypeError('Failed to fetch dynamically imported module: https://x/assets/JobsPage-abc.js');
const Part = (): ReactNode => <p>The part itself</p>;

const coming = () => lazyPart(() => Promise.resolve({ Part }), 'Part');
const missing = () => lazyPart(() => Promise.reject<{ Part: typeof Part }>(gone()), 'Part');

const show = (Lazy: ReturnType<typeof coming>) =>
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

test('comes when it is needed, or before', async () => {
  const Lazy = coming();
  await Lazy.preload?.();
  await show(Lazy);
  expect(screen.getByText('The part itself')).toBeVisible();
});

test('is drawn at once where it was fetched before', async () => {
  const Lazy = coming();
  await Lazy.preload?.();
  render(<Lazy />);
  expect(screen.getByText('The part itself')).toBeVisible();
});

test('takes the place of what was there before without a word from React', async () => {
  const complaints = vi.spyOn(console, 'error');
  const Lazy = coming();
  function Page() {
    const [isOn, setIsOn] = useState(false);
    return (
      <>
        <button onClick={() => startTransition(() => setIsOn(true))}>On</button>
        <Suspense fallback="Loading">{isOn ? <Lazy /> : 'Before'}</Suspense>
      </>
    );
  }
  render(<Page />);
  await user.click(screen.getByRole('button', { name: 'On' }));
  expect(await screen.findByText('The part itself')).toBeVisible();
  expect(complaints).not.toHaveBeenCalled();
  complaints.mockRestore();
});

test('that does not come says so in its place', async () => {
  await show(missing());
  expect(screen.getByRole('alert')).toHaveTextContent(/could not be loaded.*has been updated/);
});

test('a page keeps a heading', async () => {
  await show(lazyPage(() => Promise.reject<{ Part: typeof Part }>(gone()), 'Part'));
  expect(screen.getByRole('heading', { level: 1 })).toHaveTextContent('This page could not be loaded');
});

test('loads the page again only where the platform would answer', async () => {
  const loadAnew = vi.fn();
  vi.stubGlobal('location', { href: location.href, origin: location.origin, reload: loadAnew });
  server.use(http.get('*/api/v1/health', () => HttpResponse.error()));
  await show(missing());
  await user.click(await screen.findByRole('button', { name: 'Load the page again' }));
  expect(await screen.findByText(/the page stays as it is/)).toBeVisible();
  expect(loadAnew).not.toHaveBeenCalled();
  server.use(http.get('*/api/v1/health', () => HttpResponse.json({ status: 'ok' })));
  expect(await reload.loadAnewIfReachable()).toBe(true);
  await waitFor(() => expect(loadAnew).toHaveBeenCalledOnce());
  vi.unstubAllGlobals();
});
