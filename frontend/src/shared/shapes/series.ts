/** A line with its past, its expected future, and how sure that future is. */

export interface SeriesPoint {
  /** ISO day at which the point's period begins. */
  at: string;
  value: number;
}

export interface BandedPoint extends SeriesPoint {
  lower80: number;
  upper80: number;
  lower95: number;
  upper95: number;
}

export interface BandedSeries {
  past: SeriesPoint[];
  future: BandedPoint[];
}

export interface ChartColumns {
  at: string[];
  past: (number | null)[];
  /** Begins at the last known point, so that the dashed line leaves from the solid one. */
  future: (number | null)[];
  /** A band is drawn as an invisible floor and a visible height stacked on it. */
  floor95: (number | null)[];
  height95: (number | null)[];
  floor80: (number | null)[];
  height80: (number | null)[];
}

/** The columns a chart draws: every list is as long as `at`, with null where a line has nothing to say. */
export function chartColumns({ past, future }: BandedSeries): ChartColumns {
  const last = past.at(-1);
  const joint: BandedPoint[] =
    last && future.length > 0
      ? [{ ...last, lower80: last.value, upper80: last.value, lower95: last.value, upper95: last.value }]
      : [];
  const ahead = [...joint, ...future];
  const before = past.length - joint.length;
  const gap = Array.from({ length: before }, () => null);
  const over = (value: (point: BandedPoint) => number): (number | null)[] => [...gap, ...ahead.map(value)];
  return {
    at: [...past.map((point) => point.at), ...future.map((point) => point.at)],
    past: [...past.map((point) => point.value), ...future.map(() => null)],
    future: over((point) => point.value),
    floor95: over((point) => point.lower95),
    height95: over((point) => point.upper95 - point.lower95),
    floor80: over((point) => point.lower80),
    height80: over((point) => point.upper80 - point.lower80),
  };
}

/** The newest `weeks` of the past and the first `ahead` of the future. */
export const stretch = (series: BandedSeries, weeks: number, ahead: number): BandedSeries => ({
  past: series.past.slice(-weeks),
  future: series.future.slice(0, ahead),
});
