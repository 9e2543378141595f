import { renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { useFetchedAhead } from './useFetchedAhead';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('what may be wanted without a network is fetched once the page has come, not with it', () => {
  const preload = vi.fn(() => Promise.resolve());
  const { rerender } = renderHook(() => useFetchedAhead({ preload }));
  vi.advanceTimersByTime(500);
  expect(preload).not.toHaveBeenCalled();
  rerender();
  vi.advanceTimersByTime(10_000);
  expect(preload).toHaveBeenCalledOnce();
});

test('nothing is fetched for a page that has been left', () => {
  const preload = vi.fn(() => Promise.resolve());
  renderHook(() => useFetchedAhead({ preload })).unmount();
  vi.advanceTimersByTime(10_000);
  expect(preload).not.toHaveBeenCalled();
});
