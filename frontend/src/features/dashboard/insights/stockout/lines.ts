import { day, type ExportColumn } from '@/shared/export/sheet';
import type { StockItem } from '@/shared/insights/types';
import type { SortValue, TextState } from '@/shared/shapes/tableState';
import { SEVERITY_RANK } from '@/shared/ui/Badges';

import { stateOf, statesIn, type State } from '../items/states';
import type { ItemFilters } from '../items/useItems';
import { isOpen, replan, type Basis, type Replanned, type WhatIf } from './replan';
import { itemKey, type Draft } from './useDraft';

/** An item as it stands on the planner's list. */
export interface Line {
  key: string;
  item: StockItem;
  /** As computed, or as they would be under the what-if. */
  figures: Omit<Replanned, 'lead_time_days'> & { lead_time_days?: number };
  isWhatIf: boolean;
  /** What will be ordered: the planner's own figure, else the suggested one. */
  quantity: number;
  edited: boolean;
  /** It is left out of the order. */
  waits: boolean;
}

export function linesOf(
  items: readonly StockItem[],
  quantities: Draft['quantities'],
  asked: { basis: Basis; whatIf: WhatIf } | null,
): Line[] {
  return items.map((item) => {
    const key = itemKey(item);
    const isWhatIf = asked !== null && isOpen(item);
    const figures = isWhatIf ? replan(item, asked.basis, asked.whatIf) : item;
    const own = quantities[key];
    return {
      key,
      item,
      figures,
      isWhatIf,
      quantity: own ?? figures.reorder_quantity,
      edited: own !== undefined,
      waits: stateOf(item) === 'snoozed',
    };
  });
}

/** The keys in the address of what the items are narrowed by. */
export const FACETS = {
  warehouse_id: 'warehouse',
  product_category: 'category',
  supplier_id: 'supplier',
} as const;

export const STATES: readonly State[] = ['open', 'reopened', 'snoozed'];

/** What the API is asked for. Under a what-if other items may be at risk, so none is left out for its own risk. */
export const filtersOf = (state: TextState, { atRisk }: { atRisk: boolean }): ItemFilters => ({
  state: statesIn(state.state),
  ...(atRisk && { severity: ['critical', 'high'] }),
  ...narrowedBy(state),
});

/** The facets and the search alone. */
export const narrowedBy = (state: TextState): ItemFilters => ({
  ...Object.fromEntries(
    Object.entries(FACETS).flatMap(([name, key]) => (state[key] === undefined ? [] : [[name, [state[key]]]])),
  ),
  ...(state.q?.trim() && { q: state.q.trim() }),
});

export const VALUES: Record<string, (line: Line) => SortValue> = {
  item: ({ item }) => item.sku,
  risk: ({ figures }) => SEVERITY_RANK[figures.severity],
  probability: ({ figures }) => figures.stockout_probability,
  stock: ({ item }) => item.current_stock,
  demand: ({ figures }) => figures.daily_demand,
  cover: ({ figures }) => figures.days_of_cover,
  lead: ({ figures }) => figures.lead_time_days,
  safety: ({ figures }) => figures.safety_stock,
  order: ({ quantity }) => quantity,
};

export const ITEM_COLUMNS: ExportColumn<Line>[] = [
  { header: 'Warehouse', value: ({ item }) => item.warehouse_id },
  { header: 'SKU', value: ({ item }) => item.sku },
  { header: 'Category', value: ({ item }) => item.product_category },
  { header: 'Supplier', value: ({ item }) => item.supplier_id },
  { header: 'Severity', value: ({ figures }) => figures.severity },
  { header: 'Stock-out probability', value: ({ figures }) => figures.stockout_probability },
  { header: 'On hand', value: ({ item }) => item.current_stock },
  { header: 'Daily demand', value: ({ figures }) => figures.daily_demand },
  { header: 'Days of cover', value: ({ figures }) => figures.days_of_cover },
  { header: 'Lead time (days)', value: ({ figures }) => figures.lead_time_days ?? null },
  { header: 'Safety stock', value: ({ figures }) => figures.safety_stock },
  { header: 'Reorder point', value: ({ figures }) => figures.reorder_point },
  { header: 'Suggested order', value: ({ figures }) => figures.reorder_quantity },
  { header: 'Order', value: ({ quantity }) => quantity },
  { header: 'Edited by hand', value: ({ edited }) => edited },
  { header: 'Minimum order', value: ({ item }) => item.min_order_qty ?? null },
  { header: 'ABC', value: ({ item }) => item.abc ?? null },
  { header: 'XYZ', value: ({ item }) => item.xyz ?? null },
  { header: 'No longer reported', value: ({ item }) => item.no_longer_reported ?? null },
  { header: 'Not before', value: ({ item, waits }) => (waits ? day(item.snooze?.until) : null) },
  { header: 'Why', value: ({ item }) => item.reason },
  { header: 'What-if', value: ({ isWhatIf }) => isWhatIf },
];

const ORDER_HEADERS = [
  'Supplier',
  'Warehouse',
  'SKU',
  'Category',
  'Order',
  'Edited by hand',
  'Suggested order',
  'Minimum order',
  'On hand',
  'Lead time (days)',
  'What-if',
];

export const ORDER_COLUMNS: ExportColumn<Line>[] = ORDER_HEADERS.flatMap(
  (header) => ITEM_COLUMNS.find((column) => column.header === header) ?? [],
);

const words = new Intl.Collator(undefined, { numeric: true });

/** What goes to the suppliers: lines with a quantity, those that are snoozed left out, one supplier after the other. */
export const orderOf = (lines: readonly Line[]): Line[] =>
  lines
    .filter(({ quantity, waits }) => quantity > 0 && !waits)
    .toSorted(
      ({ item: a }, { item: b }) =>
        words.compare(a.supplier_id ?? '\uFFFF', b.supplier_id ?? '\uFFFF') ||
        words.compare(a.warehouse_id, b.warehouse_id) ||
        words.compare(a.sku, b.sku),
    );

const within = (text: string | undefined, least: number, most: number): number | undefined => {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) && value >= least && value <= most ? value : undefined;
};

export const LEVELS = { least: 50, most: 99.9 } as const;
export const LEADS = { least: -14, most: 30 } as const;
export const DEMANDS = { least: -50, most: 100 } as const;

/** What the address asks to imagine; null where it asks for nothing else than what is. */
export function whatIfFrom(state: TextState, basis: Basis): WhatIf | null {
  const level = within(state.level, LEVELS.least, LEVELS.most);
  const lead = within(state.lead, LEADS.least, LEADS.most);
  const demand = within(state.demand, DEMANDS.least, DEMANDS.most);
  const whatIf = {
    level: level === undefined ? basis.level : level / 100,
    leadShift: lead ?? 0,
    demandFactor: 1 + (demand ?? 0) / 100,
  };
  const isSame = whatIf.level === basis.level && whatIf.leadShift === 0 && whatIf.demandFactor === 1;
  return isSame ? null : whatIf;
}
