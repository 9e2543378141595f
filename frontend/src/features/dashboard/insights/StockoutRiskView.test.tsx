import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, test, vi } from 'vitest';

import type { InsightOutput } from '@/shared/api/gen/model';
import * as download from '@/shared/api/download';
import type { StockItem } from '@/shared/insights/types';
import { draftKey, forgetDrafts } from '@/shared/session/drafts';
import * as fixtures from '@/test/fixtures';
import { ranking, type Said } from '@/test/items';
import { open } from '@/test/open';
import { answers, refuses, server } from '@/test/server';
import { user } from '@/test/user';

import made from './stockout/replan.fixture.json';

const computed = made.items.map((item) => ({
  product_category: 'Tea',
  supplier_id: `V${item.warehouse_id}`,
  days_of_cover: item.daily_demand > 0 ? item.current_stock / item.daily_demand : null,
  reason: `${item.current_stock} in stock; order ${item.reorder_quantity}.`,
  ...item,
})) as unknown as StockItem[];

const suppliers = [
  {
    supplier_id: 'VW1',
    items: 8,
    at_risk: 3,
    at_risk_share: 0.375,
    lead_time_days: 9,
    lead_time_shortest: 5,
    lead_time_longest: 13,
    lead_time_sd: 1.4,
    without_lead_time: 0,
    safety_stock: 900,
    safety_stock_for_lead_time: 120,
  },
];

const insight = (given: Partial<InsightOutput> = {}): InsightOutput => ({
  ...(fixtures.boards.supply_chain?.insights[0] as InsightOutput),
  parameters: made.parameters,
  items_total: computed.length,
  subject: ['warehouse_id', 'sku'],
  data: {
    horizon_days: 14,
    items: computed,
    suppliers,
    classes: [{ abc: 'A', xyz: 'Y', items: 4, daily_demand: 60.5, at_risk: 2 }],
    dead_stock: {
      days: 90,
      items: 1,
      units: 30,
      largest: [{ warehouse_id: 'W1', sku: 'OLD-1', current_stock: 30, idle_days: 120 }],
    },
  },
  ...given,
});

const KEY = draftKey(fixtures.admin.id, 'order.supply_chain');
const SUBJECT = ['warehouse_id', 'sku'];
const SHOW = '?stockout_risk.show=all';

const show = (
  given: Partial<InsightOutput> = {},
  search = SHOW,
  { all = computed, said = [] }: { all?: object[]; said?: Said[] } = {},
) => {
  server.use(
    answers('/dashboards/supply_chain', { ...fixtures.boards.supply_chain, insights: [insight(given)] }),
    ...ranking({ subject: SUBJECT }, all, 'Olga Operator', said),
  );
  return open(`/dashboard/supply_chain${search}`, { as: fixtures.admin });
};
const table = (name = 'Items and their risk of running out') => screen.findByRole('table', { name });
const order = (sku: string, warehouse: string) =>
  screen.findByRole('textbox', { name: `Order of ${sku}, ${warehouse}` });
const minimum = computed.find(
  (item) => (item.min_order_qty ?? 0) >= 50 && item.reorder_quantity > 0,
) as StockItem;

/** The lines of the order sheet, as it is saved now. */
async function orderSheet(): Promise<string[]> {
  const saved = vi.spyOn(download, 'save').mockReturnValue();
  await user.click(await screen.findByRole('button', { name: 'Order sheet' }));
  await user.click(await screen.findByRole('button', { name: 'CSV' }));
  await waitFor(() => expect(saved).toHaveBeenCalled());
  const [blob, name] = saved.mock.calls.at(-1) ?? [];
  expect(name).toMatch(/^supply_chain-order-\d{4}-\d\d-\d\d\.csv$/);
  saved.mockRestore();
  return (await (blob as Blob).text()).trim().split('\r\n');
}

beforeEach(() => localStorage.clear());

describe('the list of what to order', () => {
  test('takes a planner’s quantity, says what was suggested, and gives that back', async () => {
    show();
    const field = await order(minimum.sku, minimum.warehouse_id);
    expect(field).toHaveValue(String(minimum.reorder_quantity));
    await user.clear(field);
    await user.type(field, '5000{Enter}');
    expect(field).toHaveValue('5000');
    expect(screen.getByText(`suggested ${minimum.reorder_quantity.toLocaleString()}`)).toBeVisible();
    await user.click(screen.getByRole('button', { name: /back to the suggested/ }));
    expect(field).toHaveValue(String(minimum.reorder_quantity));
  });

  test('does not take less than the minimum order, and says so', async () => {
    show();
    const field = await order(minimum.sku, minimum.warehouse_id);
    await user.clear(field);
    await user.type(field, '7{Enter}');
    expect(field).toBeInvalid();
    expect(screen.getByText(/^Minimum order [\d,]+, or 0$/)).toBeVisible();
    expect(localStorage.getItem(KEY) ?? '{}').not.toContain(minimum.sku);
    await user.type(field, '{Escape}');
    expect(field).toHaveValue(String(minimum.reorder_quantity));
  });

  test('forgets what was typed beside the suggestions of another computation', async () => {
    localStorage.setItem(
      KEY,
      JSON.stringify({
        insight: 'an older one',
        quantities: { [JSON.stringify([minimum.warehouse_id, minimum.sku])]: 5000 },
      }),
    );
    show();
    expect(await order(minimum.sku, minimum.warehouse_id)).toHaveValue(String(minimum.reorder_quantity));
  });

  test('says whose the edits are and where, gives all back at once, and forgets them at the log-out', async () => {
    show();
    const field = await order(minimum.sku, minimum.warehouse_id);
    await user.clear(field);
    await user.type(field, '5000{Enter}');
    expect(await screen.findByText('1 edit, not saved to the data')).toBeVisible();
    expect(localStorage.getItem(KEY)).toContain('5000');
    await user.click(screen.getByRole('button', { name: 'Back to the suggested' }));
    expect(field).toHaveValue(String(minimum.reorder_quantity));
    expect(screen.queryByText(/not saved to the data/)).not.toBeInTheDocument();

    localStorage.setItem('aetherflow.snoozed.sales', '{}');
    localStorage.setItem('aetherflow-color-scheme', 'dark');
    forgetDrafts();
    expect(Object.keys(localStorage)).toEqual(['aetherflow-color-scheme']);
  });

  test('lets an item wait, counts it, and leaves it out of the order until it is woken', async () => {
    const said: Said[] = [];
    show({}, SHOW, { said });
    const name = `${minimum.sku}, ${minimum.warehouse_id}`;
    await user.click(await screen.findByRole('button', { name: `Snooze: ${name}` }));
    await user.click(
      within(await screen.findByRole('form', { name: 'Snooze' })).getByRole('button', { name: 'Snooze' }),
    );
    expect(await screen.findByText(/^Snoozed, not before .* by Olga Operator/)).toBeVisible();
    expect(said).toHaveLength(1);
    expect(await orderSheet()).not.toContainEqual(expect.stringContaining(`,${minimum.sku},`));
    await user.click(screen.getByRole('checkbox', { name: 'Snoozed (1)' }));
    await user.click(screen.getByRole('checkbox', { name: `Open (${computed.length - 1})` }));
    expect(await screen.findByText('1 item')).toBeVisible();
    await user.click(screen.getByRole('button', { name: `Wake up: ${name}` }));
    expect(await screen.findByText(`${name}: woken`)).toBeVisible();
    expect(screen.getByRole('checkbox', { name: `Open (${computed.length})` })).toBeVisible();
  });

  test('tells why, with the figures', async () => {
    show();
    await user.click(
      await screen.findByRole('button', { name: `Why: ${minimum.sku}, ${minimum.warehouse_id}` }),
    );
    const why = await screen.findByRole('dialog', { name: /^Why/ });
    expect(within(why).getByText(minimum.reason)).toBeVisible();
    expect(within(why).getByText('Reorder point')).toBeVisible();
  });

  test('says of an item that is no longer reported since when', async () => {
    const delisted = { ...minimum, no_longer_reported: true, snapshot_date: '2026-01-05' };
    show({}, SHOW, { all: [delisted] });
    expect(await screen.findByText('Not reported since Jan 5, 2026')).toBeVisible();
  });

  test('is filtered by warehouse, and the address says so', async () => {
    const { router } = show();
    await user.selectOptions(await screen.findByRole('combobox', { name: 'Warehouse' }), 'W9');
    await waitFor(async () => expect(within(await table()).getAllByRole('row')).toHaveLength(7));
    expect(router.state.location.search).toMatchObject({ 'stockout_risk.warehouse': 'W9' });
  });

  test('goes to the suppliers as a file: what has a quantity, supplier by supplier', async () => {
    show();
    const [header, ...lines] = await orderSheet();
    expect(header).toContain('Supplier,Warehouse,SKU,Category,Order,Edited by hand');
    expect(lines).toHaveLength(computed.filter((item) => item.reorder_quantity > 0).length);
    const by = lines.map((line) => line.split(',')[0]);
    expect(by).toEqual(by.toSorted());
  });
});

describe('what-if', () => {
  test('changes the figures at once, says that they are imagined, and is reset', async () => {
    const { router } = show(
      {},
      '?stockout_risk.show=all&stockout_risk.level=99&stockout_risk.lead=5&stockout_risk.demand=30',
    );
    const asked = made.cases[1];
    expect(await table('What-if: items and their risk of running out')).toBeVisible();
    const place = computed.indexOf(minimum);
    expect(await order(minimum.sku, minimum.warehouse_id)).toHaveValue(String(asked?.quantity[place]));
    expect(screen.getByText(/Nothing is stored/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Back to what is' }));
    expect(await table()).toBeVisible();
    expect(await order(minimum.sku, minimum.warehouse_id)).toHaveValue(String(minimum.reorder_quantity));
    expect(router.state.location.search).not.toHaveProperty('stockout_risk.level');
  });

  test('is moved by the keyboard', async () => {
    const { router } = show();
    await user.click(await screen.findByText('What if?'));
    (await screen.findByRole('slider', { name: 'Lead time' })).focus();
    await user.keyboard('{ArrowRight}');
    await waitFor(() => expect(router.state.location.search).toMatchObject({ 'stockout_risk.lead': '1' }));
    expect(await screen.findByText('+1 day')).toBeVisible();
  });

  test('is not offered where the items do not carry their demand', async () => {
    show({ parameters: {} });
    await table();
    expect(screen.queryByText('What if?')).not.toBeInTheDocument();
  });
});

describe('more than came at first', () => {
  const many = Array.from({ length: 400 }, (_, place) => ({ ...computed[place % 20], sku: `S${place}` }));

  test('is said, and loaded when asked for', async () => {
    show({ items_total: 400 }, SHOW, { all: many });
    expect(await screen.findByText(/^250 of 400 items are here/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Load more' }));
    expect(await screen.findByText('400 items')).toBeVisible();
  });

  test('comes whole where the list is sorted otherwise', async () => {
    show({ items_total: 400 }, `${SHOW}&stockout_risk.sort=-stock`, { all: many });
    expect(await screen.findByText('400 items')).toBeVisible();
  });

  test('is saved whole', async () => {
    show({ items_total: 400 }, SHOW, { all: many });
    await table();
    const due = many.filter((item) => (item.reorder_quantity ?? 0) > 0);
    expect(await orderSheet()).toHaveLength(due.length + 1);
  });

  test('says why it could not be loaded', async () => {
    show();
    server.use(refuses('/insights/:insight/items', 404, 'not-found', 'There is no such insight.'));
    expect(await screen.findByText('There is no such insight.')).toBeVisible();
  });
});

test('suppliers, classes and dead stock stand below the list', async () => {
  show();
  expect(
    within(await table('Suppliers')).getByRole('row', { name: /VW1 8 3 \(38%\) 9 \(5–13\) ±1.4/ }),
  ).toBeVisible();
  await user.click(screen.getByRole('tab', { name: 'ABC and XYZ' }));
  expect(within(await table('Items by volume and steadiness')).getByText('4 items')).toBeVisible();
  await user.click(screen.getByRole('tab', { name: 'Dead stock (1)' }));
  expect(within(await table('Dead stock')).getByRole('rowheader', { name: 'OLD-1' })).toBeVisible();
});
