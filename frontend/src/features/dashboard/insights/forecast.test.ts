import { describe, expect, test } from 'vitest';

import { formatsFor } from '@/shared/format/format';
import { forecast } from '@/test/fixtures';
import { forecast2 } from '@/test/revenueFixtures';

import { linesOf, qualityInWords } from './forecast';

const english = formatsFor('en-GB');

describe('the lines to choose from', () => {
  test('are the department and its categories', () => {
    const [whole, first] = linesOf(forecast2, forecast2.categories);
    expect(whole).toMatchObject({
      category: null,
      drivers: forecast2.drivers,
      elasticity: forecast2.elasticity,
    });
    expect(first).toBe(forecast2.categories[0]);
  });

  test('are the categories alone where the method told no total yet', () => {
    expect(linesOf(forecast, forecast.categories)).toEqual(forecast.categories);
  });
});

describe('quality in words', () => {
  const quality = { metric: 'wape', model: 0.087, baseline: 0.142 };

  test('says how far off, and beside what', () => {
    expect(qualityInWords(quality, 8, english)).toBe(
      'In 8 tests on the past, the forecast was off by 9% on average, ' +
        'repeating an earlier week’s figure (the naive forecast) by 14%.',
    );
  });

  test('warns where the simplest forecast is no worse', () => {
    expect(qualityInWords({ ...quality, baseline: 0.08 }, 8, english)).toContain('take it with care');
  });

  test.each([[null], [undefined], [{ ...quality, model: null }]])(
    'says so where there is none: %j',
    (none) => {
      expect(qualityInWords(none, 8, english)).toContain('too short');
    },
  );
});
