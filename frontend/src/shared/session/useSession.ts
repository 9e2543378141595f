import { useSyncExternalStore } from 'react';

import type { UserOutput } from '@/shared/api/gen/model';

import { currentSession, subscribe, type SessionState } from './session';

export const useSession = (): SessionState => useSyncExternalStore(subscribe, currentSession);

/** The user of a page that only logged-in users reach; a page under an ended session still shows its user. */
export function useUser(): UserOutput {
  const session = useSession();
  if (session.status === 'active' || session.status === 'ended') return session.user;
  throw new Error('This page needs a user.');
}
