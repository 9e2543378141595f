import { redirect } from '@tanstack/react-router';

import { safeNext } from '@/shared/router/next';
import { restore } from '@/shared/session/session';

/** Behind the door: without a session the way leads to the log-in, which remembers where one wanted to go. */
export async function requireSession({ location }: { location: { href: string } }): Promise<void> {
  const session = await restore();
  if (session.status !== 'anonymous') return;
  const next = safeNext(location.href);
  throw redirect({ to: '/login', search: { next: next === '/' ? undefined : next } });
}

/** In front of the door: who is logged in has no business there. */
export async function requireNoSession({ search }: { search: { next?: string } }): Promise<void> {
  const session = await restore();
  if (session.status === 'active') throw redirect({ href: safeNext(search.next) });
}
