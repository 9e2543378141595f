import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { insightsItems } from '@/shared/api/gen/client';
import type { InsightOutput } from '@/shared/api/gen/model';
import type { SpendItem } from '@/shared/insights/types';

import { listIn } from '../../view';

export const PIECE = 1_000;

export const itemsKey = (insightId: string) => ['insight-items', insightId] as const;

/** The ranking as far as it is here: the head that comes with the insight, and the pieces asked for since. */
export function useAllItems(insight: InsightOutput) {
  const head = listIn<SpendItem>(insight.data, 'items');
  const total = insight.items_total ?? head.length;
  const more = useInfiniteQuery({
    queryKey: itemsKey(insight.id),
    queryFn: ({ pageParam, signal }) =>
      insightsItems(insight.id, { limit: PIECE, offset: pageParam }, { signal }),
    initialPageParam: head.length,
    getNextPageParam: (_last, pages) => {
      const here = head.length + pages.reduce((sum, page) => sum + page.results.length, 0);
      return here < total ? here : undefined;
    },
    // Only when somebody asks for more.
    enabled: false,
    staleTime: Infinity,
  });
  const { data } = more;
  const items = useMemo(
    () => (data ? [...head, ...data.pages.flatMap((page) => page.results as unknown as SpendItem[])] : head),
    [head, data],
  );
  return { items, total, more };
}
