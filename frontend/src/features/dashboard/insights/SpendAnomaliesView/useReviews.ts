import { useMutation, useQueryClient, type InfiniteData, type QueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { insightsReviewsPutBulk } from '@/shared/api/gen/client';
import type { DashboardOutput, ItemsPage, ReviewOutput, VerdictOrOpen } from '@/shared/api/gen/model';
import type { ItemReview, SpendItem } from '@/shared/insights/types';
import { useUser } from '@/shared/session/useSession';

import { itemsKey } from '../useAllItems';

/** As many as the API takes at once. */
export const MOST_AT_ONCE = 500;

export interface Said {
  items: readonly SpendItem[];
  verdict: VerdictOrOpen;
  note: string;
}

type Standing = Pick<SpendItem, 'status' | 'review'>;
type Changes = ReadonlyMap<string, Standing>;

const standingOf = ({ status, review = null }: SpendItem): Standing => ({ status, review });

const stands = (review: ItemReview | null): Standing => ({ status: review?.verdict ?? 'open', review });

const fromAnswer = ({ id, verdict, note, reviewed_by, reviewed_at }: ReviewOutput): ItemReview => ({
  id,
  verdict,
  note,
  reviewed_by,
  reviewed_at,
  reopened: '',
});

/** Everywhere the page holds these items. */
function put(client: QueryClient, insightId: string, changes: Changes): void {
  const patch = <Item extends object>(item: Item): Item => {
    const change = 'txn_id' in item ? changes.get(String(item.txn_id)) : undefined;
    return change ? { ...item, ...change } : item;
  };
  client.setQueriesData<DashboardOutput>({ queryKey: ['dashboard'] }, (board) => {
    if (!board?.insights.some((insight) => insight.id === insightId)) return board;
    const insights = board.insights.map((insight) =>
      insight.id === insightId && Array.isArray(insight.data.items)
        ? { ...insight, data: { ...insight.data, items: (insight.data.items as SpendItem[]).map(patch) } }
        : insight,
    );
    return { ...board, insights };
  });
  client.setQueryData<InfiniteData<ItemsPage>>(
    itemsKey(insightId),
    (more) =>
      more && { ...more, pages: more.pages.map((page) => ({ ...page, results: page.results.map(patch) })) },
  );
}

/**
 * Says what people found out. `quick` shows at once and goes back where the API refuses; what comes with a note waits
 * for the answer, so that the form it was typed into stays as it is.
 */
export function useReviews(insightId: string) {
  const client = useQueryClient();
  const user = useUser();
  // What was done last, with the items as they stood before, so that it can be undone.
  const [done, setDone] = useState<Said | null>(null);

  const send = async ({ items, verdict, note }: Said): Promise<Changes> => {
    const subjects = items.map((item) => [item.txn_id]);
    const { results } = await insightsReviewsPutBulk(insightId, { subjects, verdict, note });
    const said = new Map(results.map((review) => [review.subject[0] ?? '', fromAnswer(review)]));
    return new Map(items.map(({ txn_id }) => [txn_id, stands(said.get(txn_id) ?? null)]));
  };
  const settle = (changes: Changes, said: Said) => {
    put(client, insightId, changes);
    setDone(said);
    // Other pages may show the same payments.
    void client.invalidateQueries({ queryKey: ['dashboard'], refetchType: 'none' });
  };

  const careful = useMutation({ mutationFn: send, onSuccess: settle });
  const quick = useMutation({
    mutationFn: send,
    onMutate: async ({ items, verdict, note }) => {
      // An older answer under way would put back what is changed here.
      await client.cancelQueries({ queryKey: ['dashboard'] });
      const at = new Date().toISOString();
      const review: ItemReview | null =
        verdict === 'open'
          ? null
          : { id: '', verdict, note, reviewed_by: user.full_name, reviewed_at: at, reopened: '' };
      put(client, insightId, new Map(items.map(({ txn_id }) => [txn_id, stands(review)])));
    },
    onError: (_error, { items }) => {
      put(client, insightId, new Map(items.map((item) => [item.txn_id, standingOf(item)])));
    },
    onSuccess: settle,
  });
  const undo = useMutation({
    mutationFn: async ({ items }: Said): Promise<Changes> => {
      const [one] = items;
      const earlier = items.length === 1 && one?.review && one.review.reopened === '' ? one.review : null;
      return send({ items, verdict: earlier?.verdict ?? 'open', note: earlier?.note ?? '' });
    },
    onSuccess: (changes) => {
      put(client, insightId, changes);
      setDone(null);
    },
  });
  return { careful, quick, undo, done };
}

export type Reviews = ReturnType<typeof useReviews>;
