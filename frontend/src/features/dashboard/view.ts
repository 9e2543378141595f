import type { ComponentType } from 'react';

import type { InsightOutput } from '@/shared/api/gen/model';
import type { TextState } from '@/shared/shapes/tableState';

import type { Overview } from './overview/entries';

export interface InsightViewProps {
  insight: InsightOutput;
  department: string;
  state: TextState;
  onState: (change: TextState) => void;
}

/** How an insight of one kind is drawn, out of the shapes: numbers, a series with its band, a ranking, a table. */
export interface InsightView {
  title: string;
  View: ComponentType<InsightViewProps>;
  /** Of the drawing, about: the room that is kept for it while its code is on the way. */
  height: number;
  /** What it gives to the head of the dashboard; without one it gives nothing. */
  overview?: (insight: InsightOutput) => Overview;
}

/** The list under `key` of a free-form payload. An insight that breaks its contract is an error, not an empty card. */
export function listIn<T>(data: Record<string, unknown>, key: string): T[] {
  const value = data[key];
  if (!Array.isArray(value)) throw new Error(`The insight has no list "${key}".`);
  return value as T[];
}
