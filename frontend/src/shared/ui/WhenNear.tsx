import { Skeleton } from '@mantine/core';
import { useCallback, useState, type ReactNode } from 'react';
import { flushSync } from 'react-dom';

/** How far below the screen something is drawn already, so that it is there when it is scrolled to. */
const AHEAD = '400px 0px';

interface WhenNearProps {
  /** In px, of what will come. */
  height: number;
  /** What is printed in its place by who has not been near: a browser does not wait for code when it prints. */
  printed: () => ReactNode;
  children: ReactNode;
}

/** What costs much to draw, far down a page: its code comes, and it is drawn, when the reader is near. */
export function WhenNear({ height, printed, children }: WhenNearProps) {
  const [isNear, setNear] = useState(false);
  const [isPrinting, setPrinting] = useState(false);
  const watch = useCallback((place: HTMLDivElement) => {
    const observer = new IntersectionObserver(
      (seen) => {
        if (seen.some(({ isIntersecting }) => isIntersecting)) setNear(true);
      },
      { rootMargin: AHEAD },
    );
    observer.observe(place);
    const begin = () => flushSync(() => setPrinting(true));
    const end = () => setPrinting(false);
    window.addEventListener('beforeprint', begin);
    window.addEventListener('afterprint', end);
    return () => {
      observer.disconnect();
      window.removeEventListener('beforeprint', begin);
      window.removeEventListener('afterprint', end);
    };
  }, []);
  if (isNear) return children;
  return <div ref={watch}>{isPrinting ? printed() : <Skeleton height={height} />}</div>;
}
