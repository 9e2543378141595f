import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { ApiProblem, waitFor } from '@/shared/api/problem';

import { nonce } from './nonce';
import type { makeRouter } from './router';
import { theme, variables } from './theme';
import { Toasts } from './Toasts';

const ONCE_MORE = new Set(['network', 'unavailable', 'too-many-requests']);
/** In ms: who is asked to wait longer than this is told so, instead of being left to watch the page wait. */
const SILENT_WAIT = 5_000;

export const makeClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // A refusal stays a refusal; only what may pass by itself is tried again.
        retry: (failures, error) =>
          failures < 1 &&
          error instanceof ApiProblem &&
          ONCE_MORE.has(error.code) &&
          waitFor(error) <= SILENT_WAIT,
        retryDelay: (_failures, error) => waitFor(error) || 1_000,
        // Without a network a request fails and says so; held back in silence it would look like a wait without end.
        networkMode: 'always',
        refetchOnReconnect: true,
      },
      mutations: { networkMode: 'always' },
    },
  });

/** The key is read by public/color-scheme.js too, before this code has loaded. */
const schemes = localStorageColorSchemeManager({ key: 'aetherflow-color-scheme' });

function Providers({
  client,
  still,
  children,
}: {
  client: QueryClient;
  still: boolean;
  children: ReactNode;
}) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      colorSchemeManager={schemes}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
      env={still ? 'test' : 'default'}
    >
      <QueryClientProvider client={client}>
        <Toasts />
        {children}
      </QueryClientProvider>
    </MantineProvider>
  );
}

interface AppProps {
  client: QueryClient;
  router: ReturnType<typeof makeRouter>;
  /** Without transitions, so that what opens is there at once. */
  still?: boolean;
}

export function App({ client, router, still = false }: AppProps) {
  return (
    <Providers client={client} still={still}>
      <RouterProvider router={router} />
    </Providers>
  );
}
