import { describe, expect, test } from 'vitest';

import type { StockItem } from '@/shared/insights/types';

import { basisOf, isOpen, replan, type OpenItem, type Replanned, type WhatIf } from './replan';
import made from './replan.fixture.json';

/*
 * The fixture holds the items of one insight of aetherflow.departments.supply_chain, 24 with a known past of 30
 * weeks and six without (no demand, an empty shelf, hundreds of thousands of units a day), and what
 * aetherflow.analytics.inventory (stockout_probability, safety_stock, demand_quantile, order_quantity) makes of
 * their `demand_views` under five service levels, shifts of the lead time and factors of demand.
 */
const items = made.items as unknown as StockItem[];
const open = items.filter(isOpen);
const basis = basisOf({ parameters: made.parameters });

const under = (whatIf: WhatIf): Replanned[] => {
  if (!basis) throw new Error('The fixture has no parameters.');
  return open.map((item) => replan(item, basis, whatIf));
};

describe('the arithmetic of the platform, in the page', () => {
  test('has everything it takes', () => {
    expect(open).toHaveLength(items.length);
    expect(basis).toMatchObject({ level: 0.95, horizonDays: 14, reviewDays: 7 });
  });

  test.each(made.cases)(
    'comes to the same at $level, $leadShift days more, demand × $demandFactor',
    (each) => {
      const got = under(each);
      expect(got.map((item) => item.safety_stock)).toEqual(each.safety);
      expect(got.map((item) => item.reorder_point)).toEqual(each.reorderPoint);
      expect(got.map((item) => item.reorder_quantity)).toEqual(each.quantity);
      got.forEach((item, place) => {
        expect(item.stockout_probability).toBeCloseTo(each.probability[place] ?? NaN, 8);
      });
    },
  );

  test('changes nothing where nothing is asked', () => {
    const same = under({ level: basis?.level ?? NaN, leadShift: 0, demandFactor: 1 });
    for (const key of ['safety_stock', 'reorder_point', 'reorder_quantity', 'severity', 'at_risk'] as const) {
      expect(same.map((item) => item[key])).toEqual(items.map((item) => item[key]));
    }
  });

  test('keeps the minimum order', () => {
    const least = { ...(open[0] as OpenItem), current_stock: 0, min_order_qty: 1_000_000 };
    expect(basis && replan(least, basis, { level: 0.95, leadShift: 0, demandFactor: 1 })).toMatchObject({
      reorder_quantity: 1_000_000,
    });
  });

  test('is not offered where the items do not carry their demand', () => {
    const older = { ...(open[0] as StockItem), demand_views: undefined };
    expect(isOpen(older)).toBe(false);
    expect(basisOf({ parameters: { service_level: 0.95 } })).toBeNull();
  });
});
