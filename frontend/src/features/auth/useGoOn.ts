import { useQueryClient } from '@tanstack/react-query';
import { useLayoutEffect, useRef } from 'react';

import { useSession } from '@/shared/session/useSession';
import { loadAnew } from '@/shared/ui/reload';

/** What comes back to life asks for everything anew; what has become somebody else's begins from nothing. */
export function useGoOn(): void {
  const session = useSession();
  const client = useQueryClient();
  const before = useRef(session);
  useLayoutEffect(() => {
    const { current: last } = before;
    before.current = session;
    if (session.status !== 'active' || (last.status !== 'active' && last.status !== 'ended')) return;
    if (last.user.id !== session.user.id) loadAnew('/');
    else if (last.status === 'ended') void client.invalidateQueries();
  }, [session, client]);
}
