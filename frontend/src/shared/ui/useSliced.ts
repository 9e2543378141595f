import { useDeferredValue } from 'react';

/**
 * An answer that what is drawn waits for. The first is told in a drawing that React does in slices, so that the page can be
 * scrolled and used meanwhile however much it is; those that replace it, such as what a click has changed, at once.
 */
export function useSliced<T>(answer: T | undefined): T | undefined {
  return useDeferredValue(answer) === undefined ? undefined : answer;
}
