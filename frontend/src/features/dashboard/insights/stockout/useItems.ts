import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { insightsItems } from '@/shared/api/gen/client';
import type { InsightOutput } from '@/shared/api/gen/model';
import type { StockItem } from '@/shared/insights/types';
import { MORE } from '@/shared/shapes/ExploreTable';

import { listIn } from '../../view';

/** The items that came with the dashboard, and those after them as far as they have been asked for. */
export function useItems(insight: InsightOutput) {
  const head = useMemo(() => listIn<StockItem>(insight.data, 'items'), [insight.data]);
  const total = insight.items_total ?? head.length;
  const { data, error, isFetching, fetchNextPage } = useInfiniteQuery({
    queryKey: ['dashboard', 'items', insight.id],
    queryFn: ({ pageParam, signal }) =>
      insightsItems(insight.id, { limit: MORE, offset: pageParam }, { signal }),
    initialPageParam: head.length,
    getNextPageParam: (_last, pages) =>
      head.length + pages.reduce((sum, { results }) => sum + results.length, 0),
    enabled: false,
    staleTime: Infinity,
  });
  const items = useMemo(
    () => [...head, ...(data?.pages.flatMap(({ results }) => results) ?? [])] as StockItem[],
    [head, data],
  );
  return { items, total, loading: isFetching, error, onMore: () => void fetchNextPage() };
}
