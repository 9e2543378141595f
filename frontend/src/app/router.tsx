import { noop, type QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  redirect,
  type AsyncRouteComponent,
  type RouterHistory,
} from '@tanstack/react-router';

import { sessionsQuery } from '@/features/account/sessions';
import { authSearch } from '@/features/auth/search';
import { DashboardPage } from '@/features/dashboard/DashboardPage';
import { dashboardSearch } from '@/features/dashboard/search';
import { datasetSearch, datasetsSearch } from '@/features/data/search';
import { jobsSearch } from '@/features/jobs/search';
import { statusQuery } from '@/features/system/status';
import { uploadSearch } from '@/features/upload/search';
import { configQuery, dashboardQuery, datasetQuery, jobQuery } from '@/shared/api/queries';
import { currentSession } from '@/shared/session/session';
import { lazyPage } from '@/shared/ui/lazyPart';

import { requireNoSession, requireSession } from './guards';
import { Broken, NotFound, Root } from './pages';
import { homeDepartment } from './shell/department';
import { Shell } from './shell/Shell';

interface Context {
  client: QueryClient;
}

const root = createRootRouteWithContext<Context>()({
  component: Root,
  errorComponent: Broken,
  notFoundComponent: NotFound,
});

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: authSearch,
  beforeLoad: requireNoSession,
  loader: ({ context }) => void context.client.query(configQuery).catch(noop),
  component: lazyPage(() => import('@/features/auth/LoginPage'), 'LoginPage'),
});

const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  validateSearch: authSearch,
  beforeLoad: requireNoSession,
  component: lazyPage(() => import('@/features/auth/RegisterPage'), 'RegisterPage'),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  beforeLoad: requireSession,
  loader: ({ context }) => void context.client.query(configQuery).catch(noop),
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  beforeLoad: () => {
    const session = currentSession();
    if (session.status !== 'active' && session.status !== 'ended') return;
    throw redirect({ to: '/dashboard/$department', params: { department: homeDepartment(session.user) } });
  },
});

const dashboard = createRoute({
  getParentRoute: () => inside,
  path: '/dashboard/$department',
  validateSearch: dashboardSearch,
  loaderDeps: ({ search }) => ({ dataset: search.dataset }),
  // Asked for while the page's own code is on its way.
  loader: ({ context, params, deps }) =>
    void context.client.query(dashboardQuery(params.department, deps.dataset)).catch(noop),
  component: DashboardPage,
});

const upload = createRoute({
  getParentRoute: () => inside,
  path: '/upload',
  validateSearch: uploadSearch,
  component: lazyPage(() => import('@/features/upload/UploadPage'), 'UploadPage'),
});

const jobs = createRoute({
  getParentRoute: () => inside,
  path: '/jobs',
  validateSearch: jobsSearch,
  component: lazyPage(() => import('@/features/jobs/JobsPage'), 'JobsPage'),
});

const job = createRoute({
  getParentRoute: () => inside,
  path: '/jobs/$job',
  loader: ({ context, params }) => void context.client.query(jobQuery(params.job)).catch(noop),
  component: lazyPage(() => import('@/features/jobs/JobPage'), 'JobPage'),
});

const data = createRoute({
  getParentRoute: () => inside,
  path: '/data',
  validateSearch: datasetsSearch,
  component: lazyPage(() => import('@/features/data/DataPage'), 'DataPage'),
});

const dataset = createRoute({
  getParentRoute: () => inside,
  path: '/data/$dataset',
  validateSearch: datasetSearch,
  loader: ({ context, params }) => void context.client.query(datasetQuery(params.dataset)).catch(noop),
  component: lazyPage(() => import('@/features/data/DatasetPage'), 'DatasetPage'),
});

const account = createRoute({
  getParentRoute: () => inside,
  path: '/account',
  loader: ({ context }) => void context.client.query(sessionsQuery).catch(noop),
  component: lazyPage(() => import('@/features/account/AccountPage'), 'AccountPage'),
});

const system = createRoute({
  getParentRoute: () => inside,
  path: '/system',
  loader: ({ context }) => {
    const session = currentSession();
    // Of a member nothing is asked: it would be refused.
    if (session.status !== 'active' || session.user.role !== 'admin') return;
    void context.client.query(statusQuery).catch(noop);
  },
  component: lazyPage(() => import('@/features/system/SystemPage'), 'SystemPage'),
});

const routeTree = root.addChildren([
  login,
  register,
  inside.addChildren([home, dashboard, upload, jobs, job, data, dataset, account, system]),
]);

export const makeRouter = (client: QueryClient, history?: RouterHistory) =>
  createRouter({
    routeTree,
    history,
    context: { client },
    defaultPreload: 'intent',
    scrollRestoration: true,
    trailingSlash: 'never',
  });

/** The code of the page that the address names. */
export async function preloadPage(router: ReturnType<typeof makeRouter>): Promise<void> {
  const [routes] = router.getMatchedRoutes(router.latestLocation.pathname);
  for (const { options } of routes) {
    await (options.component as Partial<AsyncRouteComponent<object>> | undefined)?.preload?.();
  }
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
