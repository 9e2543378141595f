import { Skeleton, Stack, VisuallyHidden } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { format } from '@/shared/format/format';

import { Notice } from './Notice';
import { ProblemNotice } from './ProblemNotice';

interface AsyncProps<T> {
  query: Pick<
    UseQueryResult<T>,
    'data' | 'error' | 'isPending' | 'isRefetchError' | 'isPlaceholderData' | 'dataUpdatedAt' | 'refetch'
  >;
  /** What the wait looks like; as tall as what will come, so that nothing jumps. */
  skeleton?: ReactNode;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}

/** The states of everything that is asked for, once: loading, failed, empty, old because refreshing failed, full. */
export function Async<T>({ query, skeleton, isEmpty, empty, children }: AsyncProps<T>) {
  const { data } = query;
  if (data === undefined) {
    if (query.error) return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
    return (
      <div aria-busy="true">
        <VisuallyHidden role="status">Loading</VisuallyHidden>
        {skeleton ?? <Lines />}
      </div>
    );
  }
  return (
    <>
      {query.isRefetchError && (
        <div style={{ marginBottom: 16 }}>
          <Notice tone="warning" title={`As it was at ${format.time(query.dataUpdatedAt)}`}>
            <div>Refreshing failed, so this may be out of date.</div>
            <div style={{ marginTop: 8 }}>
              <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
            </div>
          </Notice>
        </div>
      )}
      <div style={query.isPlaceholderData ? { opacity: 0.6 } : undefined} aria-busy={query.isPlaceholderData}>
        {isEmpty?.(data) ? empty : children(data)}
      </div>
    </>
  );
}

export function Lines({ count = 5, height = 18 }: { count?: number; height?: number }) {
  return (
    <Stack gap="sm">
      {Array.from({ length: count }, (_, place) => (
        <Skeleton key={place} height={height} width={place === count - 1 ? '60%' : '100%'} />
      ))}
    </Stack>
  );
}
