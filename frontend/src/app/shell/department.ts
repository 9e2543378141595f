import { useQuery } from '@tanstack/react-query';
import { useParams, useRouterState, useSearch } from '@tanstack/react-router';

import { datasetQuery, jobQuery } from '@/shared/api/queries';
import { useUser } from '@/shared/session/useSession';

const KEY = 'aetherflow-department';
/** Pixels of the switcher, which comes after the header around it. */
export const SWITCHER_WIDTH = 178;

function remembered(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null; // Storage can be shut off; the first department is as good a start.
  }
}

/** For the ways that name no department. Of the tab alone: two tabs may look at two departments. */
export function remember(department: string): void {
  try {
    sessionStorage.setItem(KEY, department);
  } catch {
    // As above.
  }
}

/** The department one would go to: one's own, or the one an admin looked at last. */
export function homeDepartment(user: { department: string | null; departments: readonly string[] }): string {
  const last = remembered();
  if (last && user.departments.includes(last)) return last;
  return user.department ?? user.departments[0] ?? '';
}

export interface Chosen {
  /** For links: always one of the user's. */
  department: string;
  /** What the page shows: null where it shows all of them, or none. */
  shown: string | null;
  departments: readonly string[];
  /** The page can show all departments at once, or is about none. */
  isAcross: boolean;
}

const ACROSS = new Set(['/jobs', '/data', '/account', '/system']);

/** The department the page is about: from its address, or of the job or dataset in it. */
export function useDepartment(): Chosen {
  const user = useUser();
  const params = useParams({ strict: false });
  const search = useSearch({ strict: false });
  const path = useRouterState({ select: (state) => state.location.pathname });
  // The page asks for it; here it is only looked at.
  const job = useQuery({ ...jobQuery(params.job ?? ''), enabled: false }).data;
  const dataset = useQuery({ ...datasetQuery(params.dataset ?? ''), enabled: false }).data;
  const asked = params.department ?? search.department ?? job?.department ?? dataset?.department;
  const home = homeDepartment(user);
  const shown =
    asked ?? (path.startsWith('/upload') ? (user.department ?? user.departments[0] ?? home) : null);
  return {
    department: asked && user.departments.includes(asked) ? asked : home,
    shown,
    departments: user.departments,
    isAcross: ACROSS.has(path),
  };
}
