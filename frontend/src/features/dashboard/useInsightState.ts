import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';

import type { TextState } from '@/shared/shapes/tableState';

const route = getRouteApi('/inside/dashboard/$department');

/** How a reader looks at one insight (category, filter, page), kept in the address under the insight's kind. */
export function useInsightState(kind: string): [TextState, (change: TextState) => void] {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const state = useMemo(() => {
    const prefix = `${kind}.`;
    const own = Object.entries(search).filter(([key]) => key.startsWith(prefix));
    return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
  }, [search, kind]);
  const set = useCallback(
    (change: TextState) => {
      const named = Object.fromEntries(
        Object.entries(change).map(([key, value]) => [`${kind}.${key}`, value]),
      );
      void navigate({ search: (before) => ({ ...before, ...named }), replace: true, resetScroll: false });
    },
    [kind, navigate],
  );
  return [state, set];
}
