import type { lazyRouteComponent } from '@tanstack/react-router';
import { createElement, Fragment, use, type ComponentType, type ReactNode } from 'react';

import { PageHeader } from './PageHeader';
import { ProblemNotice } from './ProblemNotice';

type Around = ComponentType<{ children: ReactNode }>;

function makeLazy(around: Around, importer: () => Promise<Record<string, unknown>>, name = 'default') {
  const got: { component?: ComponentType<object>; failure?: unknown } = {};
  let loading: Promise<void> | undefined;

  const preload = (): Promise<void> =>
    (loading ??= importer().then(
      (module) => {
        got.component = module[name] as ComponentType<object>;
      },
      (failure: unknown) => {
        got.failure = failure;
      },
    ));

  function Lazy(props: object) {
    if (!got.component && !('failure' in got)) use(preload());
    return got.component
      ? createElement(got.component, props)
      : createElement(around, null, <ProblemNotice error={got.failure} />);
  }
  return Object.assign(Lazy, { preload });
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
