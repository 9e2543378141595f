import { queryOptions } from '@tanstack/react-query';

import { systemStatus } from '@/shared/api/gen/client';

export const EVERY_SECONDS = 10;

export const statusQuery = queryOptions({
  queryKey: ['system-status'],
  queryFn: ({ signal }) => systemStatus({ signal }),
  refetchInterval: EVERY_SECONDS * 1_000,
});
