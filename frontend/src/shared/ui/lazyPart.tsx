import type { lazyRouteComponent } from '@tanstack/react-router';
import { createElement, use, useReducer, type ComponentType } from 'react';

import { ProblemNotice } from './ProblemNotice';

function makeLazy(importer: () => Promise<Record<string, unknown>>, name = 'default') {
  const got: { component?: ComponentType<object>; failure?: unknown } = {};
  let loading: Promise<void> | undefined;

  const load = (): Promise<void> =>
    (loading ??= importer().then(
      (module) => {
        got.component = module[name] as ComponentType<object>;
      },
      (failure: unknown) => {
        got.failure = failure;
      },
    ));
  const forget = () => {
    delete got.failure;
    loading = undefined;
  };

  function Lazy(props: object) {
    const [, look] = useReducer((count: number) => count + 1, 0);
    if (!got.component && !('failure' in got)) use(load());
    if (got.component) return createElement(got.component, props);
    const again = () => {
      loading = undefined;
      void load().then(look);
    };
    return <ProblemNotice error={got.failure} onRetry={again} />;
  }
  // What failed before it was needed is asked for once more when it is.
  const preload = async () => {
    await load();
    if (!got.component) forget();
  };
  return Object.assign(Lazy, { preload });
}

/**
 * A component whose code is fetched when it is needed. Where the code does not come (no network, or a release has
 * replaced it since the page was opened) the rest of the page stays, and the notice in its place tries again: the lazy
 * components of React and of the router keep a failure for good, or load the page anew over what was typed.
 */
export const lazyPart = makeLazy as unknown as typeof lazyRouteComponent;
