import { useEffect, useRef, type RefObject } from 'react';

/** The page that the browser itself has loaded begins at its top, where the way past the navigation is. */
let isFirst = true;

/**
 * For a page's heading: names the document after it, and puts who has come here by a link of the page at it. Without
 * that the keyboard stays on a link that is gone, and a screen reader says nothing of the new page.
 */
export function useArrival(title: string): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · AetherFlow`;
  }, [title]);
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, []);
  return heading;
}
