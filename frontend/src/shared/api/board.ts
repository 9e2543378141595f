import { dashboardsGet, insightsGet } from './gen/client';
import type { DashboardOutput, InsightOutput } from './gen/model';
import { ApiProblem } from './problem';

/** Of these the page asks for the items itself, a screen at a time; of others it takes what the insight holds. */
const ASKED_BY_PAGE: ReadonlySet<string> = new Set(['stockout_risk']);
/** Enough to tell whether there is anything. 5,000 items are megabytes, before the first of them is seen. */
const FIRST_ITEMS = 25;

const isCut = ({ kind, data, items_total: total }: InsightOutput): boolean =>
  !ASKED_BY_PAGE.has(kind) && Array.isArray(data.items) && data.items.length < (total ?? 0);

/** The dashboard with as much of each ranking as its card needs. */
export async function boardOf(
  department: string,
  dataset: string | undefined,
  signal: AbortSignal,
): Promise<DashboardOutput> {
  const ask = async (items?: number): Promise<DashboardOutput> =>
    dashboardsGet(department, { dataset, items }, { signal });
  const board = await ask(FIRST_ITEMS);
  if (!board.insights.some(isCut)) return board;
  try {
    const insights = await Promise.all(
      board.insights.map(async (each) => (isCut(each) ? insightsGet(each.id, undefined, { signal }) : each)),
    );
    return { ...board, insights };
  } catch (error) {
    // Computed anew in between, it has another id.
    if (error instanceof ApiProblem && error.status === 404) return ask();
    throw error;
  }
}
