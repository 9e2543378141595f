import type { Verdict } from '@/shared/api/gen/model';

/** What somebody began to say; kept by the queue, so that a closed item or a failed request loses none of it. */
export interface Draft {
  verdict?: Verdict;
  note?: string;
}

export const NO_DRAFT: Draft = {};
