/** What an insight gives to the head of the dashboard: the numbers to begin with, and what needs a person. */
import type { InsightOutput } from '@/shared/api/gen/model';
import { format } from '@/shared/format/format';
import type { NumberCard } from '@/shared/shapes/NumberCards';
import type { TextState } from '@/shared/shapes/tableState';

export interface Kpi extends Omit<NumberCard, 'help'> {
  /** The figure's name in the help; the card has the insight's kind. */
  figure?: string;
}

/** Where a click leads: the rows of an insight's card, a job, the rejected lines of an upload, or all jobs. */
export type Target =
  | { to: 'insight'; kind: string; state: TextState }
  | { to: 'job'; job: string }
  | { to: 'rejects'; dataset: string }
  | { to: 'upload' };

export interface Attention {
  key: string;
  tone: 'bad' | 'warning' | 'info';
  title: string;
  detail?: string;
  /** What the link says it does. */
  action: string;
  target: Target;
}

export interface Overview {
  kpis: Kpi[];
  attention: Attention[];
}

/** "3 more than at “March”"; nothing where it is not compared. */
export function changeOf(
  insight: InsightOutput,
  figure: string,
  write: (value: number) => string = format.integer,
): string | undefined {
  const now = insight.figures[figure];
  const before = insight.since?.figures[figure];
  if (insight.since === null || now === undefined || before === undefined) return undefined;
  const upload = `at “${insight.since.dataset_name}”`;
  if (now === before) return `as many as ${upload}`;
  return `${write(Math.abs(now - before))} ${now > before ? 'more' : 'fewer'} than ${upload}`;
}

/** "+4%", for a change against what was before. */
export const signedPercent = (share: number, digits = 0): string =>
  `${share > 0 ? '+' : ''}${format.percent(share, digits)}`;
