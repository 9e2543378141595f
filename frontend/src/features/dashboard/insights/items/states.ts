/** In which states the items are that a reader wants to see; in the address, as text. */
import { Verdict } from '@/shared/api/gen/model';
import type { Standing } from '@/shared/insights/types';

export const STATES = ['open', 'reopened', 'snoozed', ...Object.values(Verdict)] as const;
export type State = (typeof STATES)[number];

export const STATE_WORDS: Record<State, string> = {
  open: 'Open',
  reopened: 'Reopened',
  snoozed: 'Snoozed',
  acknowledged: 'Acknowledged',
  expected: 'Expected',
  confirmed: 'Confirmed',
  fixed: 'Fixed',
};

/** Why it is open again; empty where it never was anything else, or is not open. */
export const whyBack = (item: Standing): string =>
  stateOf(item) === 'open' ? [item.review?.reopened, item.snooze?.ended].filter(Boolean).join(' ') : '';

/** A state this page does not know yet is as good as open: somebody should look. */
export const stateOf = (item: Standing): State => STATES.find((state) => state === item.status) ?? 'open';

/** Of the texts of an address those that are known. */
export const listed = <T extends string>(text: string | undefined, choices: readonly T[]): T[] =>
  choices.filter((choice) => text?.split(',').includes(choice));

/** Without a word the open ones; `any` is all states. */
export function statesIn(text: string | undefined): State[] {
  const states = listed(text, STATES);
  return states.length > 0 || text === 'any' ? states : ['open'];
}

export const asText = (chosen: readonly string[], whenNone?: string): string | undefined =>
  chosen.length > 0 ? chosen.join(',') : whenNone;

export const isIn = (item: Standing, states: readonly State[]): boolean =>
  states.length === 0 ||
  states.includes(stateOf(item)) ||
  (whyBack(item) !== '' && states.includes('reopened'));
