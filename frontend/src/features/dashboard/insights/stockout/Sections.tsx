import { Tabs } from '@mantine/core';
import { useState } from 'react';

import { format, plural, UNKNOWN } from '@/shared/format/format';
import type { DeadStock, StockClass, StockSupplier } from '@/shared/insights/types';
import { DataTable, type Column } from '@/shared/shapes/DataTable';
import { ExploreTable } from '@/shared/shapes/ExploreTable';
import type { TextState } from '@/shared/shapes/tableState';
import { EmptyState } from '@/shared/ui/EmptyState';

import classes from './stockout.module.css';

interface SectionsProps {
  suppliers: StockSupplier[] | undefined;
  stockClasses: StockClass[] | undefined;
  dead: DeadStock | undefined;
}

/** What is so of all items together: those who deliver, the classes, the stock that lies still. */
export function Sections({ suppliers, stockClasses, dead }: SectionsProps) {
  if (!suppliers || !stockClasses || !dead) return null;
  return (
    <Tabs defaultValue="suppliers" keepMounted={false} className={classes.sections}>
      <Tabs.List mb="md">
        <Tabs.Tab value="suppliers">Suppliers ({format.integer(suppliers.length)})</Tabs.Tab>
        <Tabs.Tab value="classes">ABC and XYZ</Tabs.Tab>
        <Tabs.Tab value="dead">Dead stock ({format.integer(dead.items)})</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="suppliers">
        <Suppliers suppliers={suppliers} />
      </Tabs.Panel>
      <Tabs.Panel value="classes">
        <Classes stockClasses={stockClasses} />
      </Tabs.Panel>
      <Tabs.Panel value="dead">
        <Dead dead={dead} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Suppliers({ suppliers }: { suppliers: StockSupplier[] }) {
  const [state, setState] = useState<TextState>({});
  if (suppliers.length === 0) {
    return <EmptyState icon="building" title="No row of the snapshots names a supplier" />;
  }
  return (
    <ExploreTable
      caption="Suppliers"
      columns={SUPPLIERS}
      rows={suppliers}
      rowKey={(each) => each.supplier_id}
      text={(each) => each.supplier_id}
      values={SUPPLIER_VALUES}
      state={state}
      onState={(change) => setState((before) => ({ ...before, ...change }))}
    />
  );
}

const SUPPLIER_VALUES = {
  supplier: (each: StockSupplier) => each.supplier_id,
  items: (each: StockSupplier) => each.items,
  risk: (each: StockSupplier) => each.at_risk,
  lead: (each: StockSupplier) => each.lead_time_days,
  sd: (each: StockSupplier) => each.lead_time_sd,
  safety: (each: StockSupplier) => each.safety_stock,
  cost: (each: StockSupplier) => each.safety_stock_for_lead_time,
};

const range = (each: StockSupplier): string =>
  each.lead_time_shortest === null || each.lead_time_shortest === each.lead_time_longest
    ? ''
    : ` (${format.number(each.lead_time_shortest, 1)}–${format.number(each.lead_time_longest, 1)})`;

const SUPPLIERS: Column<StockSupplier>[] = [
  { key: 'supplier', header: 'Supplier', names: true, render: (each) => each.supplier_id },
  { key: 'items', header: 'Items', align: 'right', render: (each) => format.integer(each.items) },
  {
    key: 'risk',
    header: 'At risk',
    align: 'right',
    render: (each) => `${format.integer(each.at_risk)} (${format.percent(each.at_risk_share)})`,
  },
  {
    key: 'lead',
    header: 'Lead time, days',
    align: 'right',
    render: (each) => format.number(each.lead_time_days, 1) + range(each),
  },
  {
    key: 'sd',
    header: 'It varies by',
    align: 'right',
    render: (each) => (each.lead_time_sd === null ? UNKNOWN : `±${format.number(each.lead_time_sd, 1)}`),
  },
  {
    key: 'safety',
    header: 'Safety stock',
    align: 'right',
    render: (each) => format.integer(each.safety_stock),
  },
  {
    key: 'cost',
    header: 'of it for variation',
    align: 'right',
    render: (each) => format.integer(each.safety_stock_for_lead_time),
  },
];

const VOLUMES = [
  ['A', 'makes up 80 % of the units'],
  ['B', 'up to 95 %'],
  ['C', 'the rest'],
] as const;
const STEADINESS = [
  ['X', 'steady'],
  ['Y', 'changing'],
  ['Z', 'erratic'],
] as const;

function Classes({ stockClasses }: { stockClasses: StockClass[] }) {
  const at = (abc: string, xyz: string) => stockClasses.find((each) => each.abc === abc && each.xyz === xyz);
  return (
    <>
      <p className={classes.lead}>
        Items by how many units are asked for (A to C) and how steadily from week to week (X to Z).
      </p>
      <DataTable
        caption="Items by volume and steadiness"
        columns={[
          {
            key: 'abc',
            header: 'Volume',
            names: true,
            render: ([abc, meaning]) => (
              <>
                {abc} <span className={classes.hint}>{meaning}</span>
              </>
            ),
          },
          ...STEADINESS.map(([xyz, meaning]): Column<(typeof VOLUMES)[number]> => ({
            key: xyz,
            header: `${xyz}, ${meaning}`,
            align: 'right',
            render: ([abc]) => {
              const found = at(abc, xyz);
              return found ? (
                <>
                  <div>{plural(found.items, 'item', 'items')}</div>
                  <div className={classes.hint}>
                    {format.integer(found.at_risk)} at risk · {format.number(found.daily_demand, 1)} a day
                  </div>
                </>
              ) : (
                UNKNOWN
              );
            },
          })),
        ]}
        rows={VOLUMES}
        rowKey={([abc]) => abc}
      />
    </>
  );
}

function Dead({ dead }: { dead: DeadStock }) {
  if (dead.items === 0) {
    return (
      <EmptyState icon="check" title="No dead stock">
        Everything in stock was asked for within the last {format.integer(dead.days)} days.
      </EmptyState>
    );
  }
  return (
    <>
      <p className={classes.lead}>
        {plural(dead.items, 'item has', 'items have')} not moved for {format.integer(dead.days)} days or more:{' '}
        {plural(dead.units, 'unit', 'units')}.
        {dead.items > dead.largest.length && ` The ${format.integer(dead.largest.length)} largest:`}
      </p>
      <DataTable
        caption="Dead stock"
        columns={[
          { key: 'sku', header: 'Item', names: true, render: (each) => each.sku },
          { key: 'warehouse', header: 'Warehouse', render: (each) => each.warehouse_id || UNKNOWN },
          {
            key: 'stock',
            header: 'On hand',
            align: 'right',
            render: (each) => format.number(each.current_stock),
          },
          {
            key: 'idle',
            header: 'Days without demand',
            align: 'right',
            render: (each) => format.integer(each.idle_days),
          },
        ]}
        rows={dead.largest}
        rowKey={(each) => JSON.stringify([each.warehouse_id, each.sku])}
      />
    </>
  );
}
