import { describe, expect, test } from 'vitest';

import { formatsFor } from '@/shared/format/format';
import { forecast } from '@/test/fixtures';

import { nextWeek, qualityInWords } from './forecast';

const english = formatsFor('en-GB');
const point = (week_start: string, revenue: number) => ({ week_start, revenue });
const ahead = (week_start: string, revenue: number) => ({
  ...point(week_start, revenue),
  lower80: 0,
  upper80: 0,
  lower95: 0,
  upper95: 0,
});

describe('next week', () => {
  test('is compared with the newest week of the same categories', () => {
    const next = nextWeek([
      { category: 'A', history: [point('w1', 50), point('w2', 60)], forecast: [ahead('w3', 70)] },
      { category: 'B', history: [point('w1', 5)], forecast: [ahead('w3', 6)] },
      { category: 'too short', history: [point('w2', 1000)], forecast: [], note: 'Not enough history.' },
    ]);
    expect(next).toEqual({ weekStart: 'w3', expected: 76, latest: 60 });
  });

  test('is not known where no category has a forecast', () => {
    expect(nextWeek([{ category: 'A', history: [point('w1', 1)], forecast: [] }])).toEqual({
      weekStart: null,
      expected: null,
      latest: null,
    });
  });

  test('sums what the ranking shows', () => {
    const shown = forecast.top_categories.reduce((sum, item) => sum + item.next_week_revenue, 0);
    expect(nextWeek(forecast.categories).expected).toBeGreaterThan(shown);
  });
});

describe('quality in words', () => {
  const quality = { metric: 'wape', model: 0.087, baseline: 0.142, folds: 8 };

  test('says how far off, and beside what', () => {
    expect(qualityInWords(quality, english)).toBe(
      'In 8 tests on the past, the forecast was off by 9% on average. ' +
        'Repeating the same season’s figure would have been off by 14%.',
    );
  });

  test('warns where the simplest forecast is no worse', () => {
    expect(qualityInWords({ ...quality, baseline: 0.08 }, english)).toContain('take it with care');
  });

  test.each([[null], [{}], [{ ...quality, model: null }]])('says so where there is none: %j', (none) => {
    expect(qualityInWords(none, english)).toContain('too short');
  });
});
