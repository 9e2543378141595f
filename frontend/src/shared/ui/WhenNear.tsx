import { Skeleton } from '@mantine/core';
import { useCallback, useState, type ReactNode } from 'react';

/** How far below the screen something is drawn already, so that it is there when it is scrolled to. */
const AHEAD = '400px 0px';

interface WhenNearProps {
  /** In px, of what will come. */
  height: number;
  children: ReactNode;
}

/** What costs much to draw, far down a page: its code comes, and it is drawn, when the reader is near, or prints. */
export function WhenNear({ height, children }: WhenNearProps) {
  const [near, setNear] = useState(false);
  const watch = useCallback((place: HTMLDivElement) => {
    const draw = () => setNear(true);
    const observer = new IntersectionObserver(
      (seen) => {
        if (seen.some(({ isIntersecting }) => isIntersecting)) draw();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(place);
    window.addEventListener('beforeprint', draw);
    return () => {
      observer.disconnect();
      window.removeEventListener('beforeprint', draw);
    };
  }, []);
  return near ? children : <Skeleton ref={watch} height={height} />;
}
