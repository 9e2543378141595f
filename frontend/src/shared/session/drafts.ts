/** What a person typed for themselves, kept on this device until they log out: nobody who sits here next is to see it. */
const PREFIX = 'aetherflow.draft.';
/** Drafts that earlier releases left behind. */
const OLD = ['aetherflow.orders.', 'aetherflow.snoozed.'];

export const draftKey = (user: string, name: string): string => `${PREFIX}${user}.${name}`;

export function forgetDrafts(): void {
  for (const key of Object.keys(localStorage)) {
    if ([PREFIX, ...OLD].some((start) => key.startsWith(start))) localStorage.removeItem(key);
  }
}
