import { useInfiniteQuery, type InfiniteData, type UseInfiniteQueryResult } from '@tanstack/react-query';
import { useMemo } from 'react';

import { insightsItems } from '@/shared/api/gen/client';
import type { InsightOutput, ItemsPage } from '@/shared/api/gen/model';
import { MORE } from '@/shared/shapes/ExploreTable';

import { listIn } from '../view';

export const itemsKey = (insightId: string) => ['insight-items', insightId] as const;

export interface Ranking<Items> {
  items: Items;
  /** How many there are, here or not. */
  total: number;
  more: UseInfiniteQueryResult<InfiniteData<ItemsPage>>;
}

/** The ranking as far as it is here: the head that comes with the insight, and the pieces asked for since. */
export function useAllItems<Item>(insight: InsightOutput): Ranking<Item[]> {
  const head = useMemo(() => listIn<Item>(insight.data, 'items'), [insight.data]);
  const total = insight.items_total ?? head.length;
  const more = useInfiniteQuery({
    queryKey: itemsKey(insight.id),
    queryFn: ({ pageParam, signal }) =>
      insightsItems(insight.id, { limit: MORE, offset: pageParam }, { signal }),
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
    () => (data ? [...head, ...data.pages.flatMap((page) => page.results as unknown as Item[])] : head),
    [head, data],
  );
  return { items, total, more };
}
