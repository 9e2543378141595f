/** A profile of the columns of a dataset, as the API gives it. */
import type { ColumnProfileOutput, ProfileOutput } from '@/shared/api/gen/model';

const column = (given: Partial<ColumnProfileOutput>): ColumnProfileOutput => ({
  name: 'sku',
  kind: 'text',
  rows: 1_000,
  nulls: 0,
  distinct: 40,
  distinct_is_estimate: false,
  distinct_error: 0,
  min: null,
  max: null,
  shortest: 5,
  longest: 9,
  mean: null,
  std: null,
  quantiles: null,
  quantile_error: 0,
  top: [{ value: 'SKU-1', rows: 60 }],
  top_short_by: 0,
  histogram: [],
  ...given,
});

export const profile = (given: Partial<ProfileOutput> = {}): ProfileOutput => ({
  dataset_id: '9c1e7c1a-5d53-4b5e-9a55-6f1f5a1f1001',
  loaded_at: '2026-04-01T08:00:02Z',
  rows: 1_000,
  columns: [
    column({}),
    column({
      name: 'quantity',
      kind: 'integer',
      nulls: 25,
      distinct: 6_400,
      distinct_is_estimate: true,
      min: 1,
      max: 90,
      mean: 12.5,
      std: 9,
      shortest: null,
      longest: null,
      quantiles: { p01: 1, p05: 2, p25: 5, p50: 11, p75: 18, p95: 31, p99: 60 },
      top: [],
      histogram: [
        { low: 1, high: 5, rows: 300 },
        { low: 5, high: 90, rows: 675 },
      ],
    }),
  ],
  drift: {
    compared_with: {
      id: '9c1e7c1a-5d53-4b5e-9a55-6f1f5a1f1000',
      name: 'February sales',
      uploaded_at: '2026-03-01T08:00:00Z',
    },
    reason: '',
    stability: [],
    flags: [
      {
        column: 'quantity',
        code: 'null-share',
        severity: 'warning',
        message: '2.5 % of the cells are empty; none were before.',
      },
    ],
  },
  ...given,
});
