import { queryOptions } from '@tanstack/react-query';

import { authSessions } from '@/shared/api/gen/client';

/** The most a page of the list holds. */
const SHOWN = 200;

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => authSessions({ limit: SHOWN }, { signal }),
});
