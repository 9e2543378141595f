/** The items of a ranking that a reader wants to see; the API filters and counts them, however many there are. */
import { keepPreviousData, queryOptions, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';

import { insightsFacets, insightsItems } from '@/shared/api/gen/client';
import type { FacetOutput, InsightsItemsParams, ItemsPage } from '@/shared/api/gen/model';
import { useSliced } from '@/shared/ui/useSliced';

export type ItemFilters = Omit<InsightsItemsParams, 'limit' | 'offset' | 'after'>;

/** The first answer is soon there; what comes after it comes in few pieces. */
const FIRST = 250;
const MOST = 1_000;

export const itemsKey = (insightId: string) => ['insight-items', insightId] as const;

/** Pages go on after a rank: what is reviewed meanwhile leaves the list, and would move the rest under a page's feet. */
const rankAfter = ({ next, results }: ItemsPage): number | undefined => {
  const rank = results.at(-1)?.rank;
  return next !== null && typeof rank === 'number' ? rank : undefined;
};

export interface Items<Item> {
  items: Item[];
  /** How many match, here or not. */
  total: number;
  counts: Readonly<Record<string, number>>;
  hasMore: boolean;
  isFirst: boolean;
  isFetching: boolean;
  error: unknown;
  onMore: () => void;
}

/** `least`: so many of those that match are wanted here; all of them for a sort. */
export function useItems<Item>(insightId: string, filters: ItemFilters, least: number): Items<Item> {
  const query = useInfiniteQuery({
    queryKey: [...itemsKey(insightId), filters],
    queryFn: ({ pageParam, signal }) =>
      insightsItems(
        insightId,
        { ...filters, after: pageParam, limit: pageParam === 0 ? FIRST : MOST },
        { signal },
      ),
    initialPageParam: 0,
    getNextPageParam: rankAfter,
    placeholderData: keepPreviousData,
  });
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  const data = useSliced(query.data);
  const here = query.data?.pages.reduce((sum, page) => sum + page.results.length, 0) ?? 0;
  useEffect(() => {
    if (here < least && hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [here, least, hasNextPage, isFetching, isError, fetchNextPage]);
  return useMemo(() => {
    const pages = data?.pages ?? [];
    return {
      items: pages.flatMap((page) => page.results as Item[]),
      total: pages[0]?.count ?? 0,
      counts: pages[0]?.counts ?? {},
      hasMore: data !== undefined && hasNextPage,
      isFirst: data === undefined && !isError,
      // Until the first are drawn nothing is known of them, whatever has come.
      isFetching: isFetching || (data === undefined && !isError),
      error: query.error,
      onMore: () => {
        if (isError && !hasNextPage) void query.refetch();
        else if (!isFetching) void fetchNextPage();
      },
    };
    // The query's own object is another one at each drawing.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [data, hasNextPage, isFetching, isError, fetchNextPage, query.error]);
}

/** Everything that matches, for a file. */
export async function allItems<Item>(insightId: string, filters: ItemFilters): Promise<Item[]> {
  const found: Item[] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const page: ItemsPage = await insightsItems(insightId, { ...filters, after, limit: MOST });
    found.push(...(page.results as Item[]));
    after = rankAfter(page);
  }
  return found;
}

const facetsQuery = (insightId: string) =>
  queryOptions({
    queryKey: ['insight-facets', insightId],
    queryFn: ({ signal }) => insightsFacets(insightId, { signal }),
    // Computed anew it is another insight.
    staleTime: Infinity,
  });

export function useFacets(insightId: string): FacetOutput[] {
  return useQuery(facetsQuery(insightId)).data?.facets ?? [];
}
