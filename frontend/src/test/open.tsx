import { createMemoryHistory } from '@tanstack/react-router';
import { render } from '@testing-library/react';

import { App, makeClient } from '@/app/App';
import { makeRouter } from '@/app/router';
import type { UserOutput } from '@/shared/api/gen/model';
import { adopt, forget } from '@/shared/session/session';

import { ada, signedIn } from './fixtures';

/** The whole page at an address, as a browser of this user shows it; `null` is nobody. */
export function open(address: string, { as = ada }: { as?: UserOutput | null } = {}) {
  if (as) adopt(signedIn(as));
  else forget();
  const client = makeClient();
  client.setDefaultOptions({
    ...client.getDefaultOptions(),
    queries: { ...client.getDefaultOptions().queries, retry: false },
  });
  const router = makeRouter(client, createMemoryHistory({ initialEntries: [address] }));
  return { ...render(<App client={client} router={router} still />), client, router };
}
