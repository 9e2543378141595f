import { safeNext } from '@/shared/router/next';
import { text } from '@/shared/router/search';

export interface AuthSearch {
  next?: string;
  /** From an invitation's link. */
  invitation?: string;
}

export function authSearch(raw: Record<string, unknown>): AuthSearch {
  const next = safeNext(raw.next);
  return { next: next === '/' ? undefined : next, invitation: text(raw, 'invitation') };
}
