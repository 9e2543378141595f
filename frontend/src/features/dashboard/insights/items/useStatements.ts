import { useMutation, useQueryClient, type InfiniteData, type QueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { insightsReviewsPutBulk, insightsSnooze } from '@/shared/api/gen/client';
import type {
  DashboardOutput,
  InsightOutput,
  ItemsPage,
  MatchingInputRequest,
  ReviewOutput,
  SnoozeOutput,
  VerdictOrOpen,
} from '@/shared/api/gen/model';
import type { ItemReview, ItemSnooze, Standing } from '@/shared/insights/types';
import { useUser } from '@/shared/session/useSession';

import { stateOf, whyBack } from './states';
import { itemsKey } from './useItems';

/** As many as the API takes at once. */
export const MOST_AT_ONCE = 5_000;

/** A verdict, or a day to wait for; without a day the items are woken. */
export type Act = { verdict: VerdictOrOpen; note: string } | { until: string | null; note: string };

export interface Said<Item> {
  items: readonly Item[];
  act: Act;
}

/** What was done last: of items as they stood before, or of all that matched. */
export interface Done<Item> extends Said<Item> {
  subjects: string[][];
}

type Changes = ReadonlyMap<string, Required<Standing>>;
type Answer = ReviewOutput | SnoozeOutput;

const keyOf = (subject: readonly string[]): string => JSON.stringify(subject);

const standingOf = ({ status = null, review = null, snooze = null }: Standing): Required<Standing> => ({
  status,
  review,
  snooze,
});

/** How an item stands by what is said of it; of what is not touched as it was. */
function stands(review: ItemReview | null, snooze: ItemSnooze | null): Required<Standing> {
  const verdict = review && review.reopened === '' ? review.verdict : null;
  const waits = snooze !== null && snooze.ended === '';
  const status = waits && (verdict === null || verdict === 'acknowledged') ? 'snoozed' : (verdict ?? 'open');
  return { status, review, snooze };
}

function after(item: Standing, act: Act, by: { name: string; at: string; id: string }): Required<Standing> {
  if ('until' in act) {
    const snooze = act.until && {
      until: act.until,
      note: act.note,
      snoozed_by: by.name,
      snoozed_at: by.at,
      ended: '',
    };
    return stands(item.review ?? null, snooze || null);
  }
  if (act.verdict === 'open') return stands(null, null);
  return stands(
    {
      id: by.id,
      verdict: act.verdict,
      note: act.note,
      reviewed_by: by.name,
      reviewed_at: by.at,
      reopened: '',
    },
    null,
  );
}

const signature = (answer: Answer) =>
  'reviewed_by' in answer
    ? { name: answer.reviewed_by, at: answer.reviewed_at, id: answer.id }
    : { name: answer.snoozed_by, at: answer.snoozed_at, id: answer.id };

/** What another state of some items makes of the counts. */
function counted(counts: Record<string, number>, before: Standing, now: Standing): Record<string, number> {
  const add = (to: Record<string, number>, key: string, by: number) => ({
    ...to,
    [key]: (to[key] ?? 0) + by,
  });
  let next = add(add(counts, stateOf(before), -1), stateOf(now), 1);
  if (whyBack(before) !== '') next = add(next, 'reopened', -1);
  if (whyBack(now) !== '') next = add(next, 'reopened', 1);
  return next;
}

/** Everywhere the page holds these items. */
function put(client: QueryClient, insight: InsightOutput, changes: Changes): void {
  const changeOf = (item: object) =>
    changes.get(keyOf(insight.subject.map((name) => String((item as Record<string, unknown>)[name]))));
  const patch = <Item extends object>(item: Item): Item => ({ ...item, ...changeOf(item) });
  client.setQueriesData<DashboardOutput>({ queryKey: ['dashboard'] }, (board) => {
    if (!board?.insights.some(({ id }) => id === insight.id)) return board;
    const insights = board.insights.map((each) =>
      each.id === insight.id && Array.isArray(each.data.items)
        ? { ...each, data: { ...each.data, items: (each.data.items as object[]).map(patch) } }
        : each,
    );
    return { ...board, insights };
  });
  client.setQueriesData<InfiniteData<ItemsPage>>({ queryKey: itemsKey(insight.id) }, (held) => {
    if (!held) return held;
    let counts: Record<string, number> = held.pages[0]?.counts ?? {};
    for (const item of held.pages.flatMap((page) => page.results)) {
      const now = changeOf(item);
      if (now) counts = counted(counts, item, now);
    }
    return {
      ...held,
      pages: held.pages.map((page) => ({ ...page, counts, results: page.results.map(patch) })),
    };
  });
}

/**
 * Says what people found out of items, or lets them wait. `quick` shows at once and goes back where the API refuses; what
 * comes with a note waits for the answer, so that the form it was typed into stays as it is.
 */
export function useStatements<Item extends Standing & object>(insight: InsightOutput) {
  const client = useQueryClient();
  const user = useUser();
  const [done, setDone] = useState<Done<Item> | null>(null);
  const subjectOf = (item: Item): string[] =>
    insight.subject.map((name) => String((item as Record<string, unknown>)[name]));

  const tell = async (
    what: { subjects: string[][] } | { matching: MatchingInputRequest },
    act: Act,
  ): Promise<Answer[]> => {
    const answer =
      'until' in act
        ? await insightsSnooze(insight.id, { ...what, ...act })
        : await insightsReviewsPutBulk(insight.id, { ...what, ...act });
    return answer.results;
  };
  const send = async ({ items, act }: Said<Item>): Promise<Changes> => {
    const results = await tell({ subjects: items.map(subjectOf) }, act);
    const answers = new Map(results.map((each) => [keyOf(each.subject), signature(each)]));
    return new Map(
      items.map((item) => {
        const key = keyOf(subjectOf(item));
        return [key, after(item, act, answers.get(key) ?? { name: user.full_name, at: '', id: '' })];
      }),
    );
  };
  /** Other pages, and the same list filtered otherwise, may show the same items. */
  const outdated = (here: 'none' | 'active') =>
    Promise.all([
      client.invalidateQueries({ queryKey: ['dashboard'], refetchType: here }),
      client.invalidateQueries({ queryKey: itemsKey(insight.id), refetchType: here }),
    ]);
  const settle = (changes: Changes, said: Said<Item>) => {
    put(client, insight, changes);
    setDone({ ...said, subjects: said.items.map(subjectOf) });
    void outdated('none');
  };
  const putBack = (items: readonly Item[]) =>
    put(client, insight, new Map(items.map((item) => [keyOf(subjectOf(item)), standingOf(item)])));

  const careful = useMutation({ mutationFn: send, onSuccess: settle });
  const quick = useMutation({
    mutationFn: send,
    onMutate: async ({ items, act }) => {
      // An older answer under way would put back what is changed here.
      await client.cancelQueries({ queryKey: ['dashboard'] });
      await client.cancelQueries({ queryKey: itemsKey(insight.id) });
      const by = { name: user.full_name, at: new Date().toISOString(), id: '' };
      put(client, insight, new Map(items.map((item) => [keyOf(subjectOf(item)), after(item, act, by)])));
    },
    onError: (_error, { items }) => putBack(items),
    onSuccess: settle,
  });
  const whole = useMutation({
    mutationFn: ({ matching, act }: { matching: MatchingInputRequest; act: Act }) => tell({ matching }, act),
    onSuccess: async (results, { act }) => {
      setDone({ items: [], act, subjects: results.map(({ subject }) => [...subject]) });
      await outdated('active');
    },
    // Somebody else changed some of them: the page shows how it is now.
    onError: () => outdated('active'),
  });
  const undo = useMutation({
    mutationFn: async ({ subjects, items, act }: Done<Item>) => {
      const [one] = items.length === 1 ? items : [];
      const waited = one?.snooze && one.snooze.ended === '' ? one.snooze : null;
      const said = one?.review && one.review.reopened === '' ? one.review : null;
      if ('until' in act) {
        await tell({ subjects }, { until: waited?.until ?? null, note: waited?.note ?? '' });
      } else {
        await tell({ subjects }, { verdict: said?.verdict ?? 'open', note: said?.note ?? '' });
        if (waited) await tell({ subjects }, { until: waited.until, note: waited.note });
      }
    },
    onSuccess: async (_answer, { items }) => {
      putBack(items);
      setDone(null);
      await outdated(items.length > 0 ? 'none' : 'active');
    },
  });
  return { careful, quick, whole, undo, done, clear: () => setDone(null) };
}

export type Statements<Item extends Standing & object> = ReturnType<typeof useStatements<Item>>;
