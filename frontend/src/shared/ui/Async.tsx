import { Skeleton, Stack, VisuallyHidden } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';

import { format } from '@/shared/format/format';

import { ButtonLink } from './links';
import { Notice } from './Notice';
import { isFinal, ProblemNotice } from './ProblemNotice';
import { useSliced } from './useSliced';

interface AsyncProps<T> {
  query: Pick<
    UseQueryResult<T>,
    'data' | 'error' | 'isPending' | 'isRefetchError' | 'isPlaceholderData' | 'dataUpdatedAt' | 'refetch'
  >;
  /** What the wait looks like; as tall as what will come, so that nothing jumps. */
  skeleton?: ReactNode;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  /** Where to go when what is asked for is not there, or not the reader's; the dashboard otherwise. */
  elsewhere?: ReactNode;
  children: (data: T) => ReactNode;
}

/** The states of everything that is asked for, once: loading, slow, failed, empty, old because refreshing failed, full. */
export function Async<T>({ query, skeleton, isEmpty, empty, elsewhere, children }: AsyncProps<T>) {
  const data = useSliced(query.data);
  const retry = () => void query.refetch();
  if (data === undefined) {
    if (query.error) {
      return (
        <ProblemNotice
          error={query.error}
          onRetry={retry}
          ways={isFinal(query.error) && (elsewhere ?? <ToTheDashboard key="elsewhere" />)}
        />
      );
    }
    return <Loading>{skeleton ?? <Lines />}</Loading>;
  }
  return (
    <>
      {query.isRefetchError && (
        <div style={{ marginBottom: 16 }}>
          <Notice tone="warning" title={`As it was at ${format.time(query.dataUpdatedAt)}`}>
            <div>Refreshing failed, so this may be out of date.</div>
            <div style={{ marginTop: 8 }}>
              <ProblemNotice error={query.error} onRetry={retry} />
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

const ToTheDashboard = () => (
  <ButtonLink to="/" size="xs" variant="default">
    To the dashboard
  </ButtonLink>
);

/** Until people begin to wonder whether anything happens at all. */
const SLOW = 6_000;

export function Loading({ children }: { children: ReactNode }) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div aria-busy="true">
      <VisuallyHidden role="status">Loading</VisuallyHidden>
      {slow && (
        <div style={{ marginBottom: 16 }}>
          <Notice tone="info" title="This takes longer than usual">
            The connection or the platform is slow. It goes on by itself; you need not load the page again.
          </Notice>
        </div>
      )}
      {children}
    </div>
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
