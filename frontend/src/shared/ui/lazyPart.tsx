import type { lazyRouteComponent } from '@tanstack/react-router';
import { createElement, Fragment, lazy, type ComponentType, type ReactNode } from 'react';

import { PageHeader } from './PageHeader';
import { ProblemNotice } from './ProblemNotice';

type Around = ComponentType<{ children: ReactNode }>;

interface Loaded {
  default: ComponentType<object>;
}

function makeLazy(around: Around, importer: () => Promise<Record<string, unknown>>, name = 'default') {
  let loading: Promise<Loaded> | undefined;
  let loaded: Loaded | undefined;

  // A failure is kept as what is drawn of it: React would throw it, and the boundary above would take more with it.
  const preload = (): Promise<Loaded> =>
    (loading ??= importer()
      .then(
        (module) => ({ default: module[name] as ComponentType<object> }),
        (failure: unknown) => ({
          default: () => createElement(around, null, <ProblemNotice error={failure} />),
        }),
      )
      .then((it) => (loaded = it)));

  // What is here already is drawn at once, before the router looks for the place on the page that an address names.
  const atOnce = (it: Loaded) => ({ then: (take: (it: Loaded) => void) => take(it) }) as Promise<Loaded>;
  return Object.assign(
    lazy(() => (loaded ? atOnce(loaded) : preload())),
    { preload },
  );
}

/**
 * A component whose code is fetched when it is needed. Where the code does not come (no network, or a release has
 * replaced it since the page was opened) the rest of the page stays, and a notice stands in its place. Browsers keep
 * such a failure as long as the document lives, so only loading the page again helps. The router's own component would
 * do so unasked, over what was typed, and without a network the browser's error page would be all that is left.
 */
export const lazyPart = makeLazy.bind(null, Fragment) as unknown as typeof lazyRouteComponent;

/** As above, for all that stands under the frame: a page has a heading, whatever happens. */
export const lazyPage = makeLazy.bind(null, ({ children }) => (
  <>
    <PageHeader title="This page could not be loaded" />
    {children}
  </>
)) as unknown as typeof lazyRouteComponent;
