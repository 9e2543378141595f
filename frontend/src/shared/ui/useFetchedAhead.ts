import type { AsyncRouteComponent } from '@tanstack/react-router';
import { useEffect } from 'react';

/** In ms after what is drawn first: by then the page itself has come. */
const SOON = 3_000;

/** Code for what may be wanted when it can no longer be had, such as for saying that the network is gone. */
export function useFetchedAhead({ preload }: Pick<AsyncRouteComponent<never>, 'preload'>): void {
  useEffect(() => {
    const timer = setTimeout(() => void preload?.(), SOON);
    return () => clearTimeout(timer);
  }, [preload]);
}
