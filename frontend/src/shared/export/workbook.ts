import { insightsItems } from '@/shared/api/gen/client';
import type { DashboardOutput, InsightOutput } from '@/shared/api/gen/model';
import { humanise } from '@/shared/format/format';

import { saveWorkbook } from './files';
import { sheetOf, type ExportColumn, type Sheet } from './sheet';
import { sheetsOf } from './sheets';

/** The most the API gives at a time. */
const PAGE = 1_000;

const ABOUT: ExportColumn<InsightOutput>[] = [
  { header: 'Insight', value: ({ kind }) => humanise(kind) },
  { header: 'Computed at', value: ({ computed_at }) => computed_at },
  { header: 'Says', value: ({ summary }) => summary },
  { header: 'Method', value: ({ method }) => method },
  { header: 'Rows', value: ({ basis }) => (typeof basis.rows === 'number' ? basis.rows : null) },
  { header: 'Checksum', value: ({ sha256 }) => sha256 },
];

/** The whole ranking: what came with the dashboard is only its head. */
async function itemsOf({ id, data, items_total: total }: InsightOutput): Promise<object[]> {
  const items = Array.isArray(data.items) ? [...(data.items as object[])] : [];
  while (items.length < (total ?? 0)) {
    const { results } = await insightsItems(id, { limit: PAGE, offset: items.length });
    if (results.length === 0) break;
    items.push(...results);
  }
  return items;
}

/** A sheet about the numbers, then those of each insight. */
export async function dashboardSheets({ insights }: Pick<DashboardOutput, 'insights'>): Promise<Sheet[]> {
  const sheets = [sheetOf('About', ABOUT, insights)];
  for (const insight of insights) sheets.push(...sheetsOf(insight, await itemsOf(insight)));
  return sheets;
}

/** The whole dashboard as a workbook, handed to the browser. Rejects with ApiProblem where the rest of a ranking cannot
 * be had. */
export async function exportDashboardWorkbook(
  dashboard: Pick<DashboardOutput, 'department' | 'insights'>,
): Promise<void> {
  await saveWorkbook(await dashboardSheets(dashboard), [dashboard.department, 'dashboard']);
}
