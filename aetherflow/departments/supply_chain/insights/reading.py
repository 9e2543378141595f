"""The department's snapshots as one entry per warehouse and SKU."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from aetherflow.analytics import columns, demand, lead_times
from aetherflow.analytics.columns import Bools, Floats, Ints
from aetherflow.analytics.demand import Position
from aetherflow.analytics.lead_times import LeadTimes
from aetherflow.analytics.reporting import Reporting, reporting
from aetherflow.analytics.strays import Strays, strays


@dataclass(frozen=True, kw_only=True)
class Items:
    """The newest snapshot of every warehouse and SKU, and what all its snapshots teach; one array entry per item. Of
    an item that is no longer reported (`ended`) nothing is expected, and it lies still until the newest snapshot of
    all."""

    warehouse: list[str]
    sku: list[str]
    category: list[str | None]
    supplier: list[str | None]
    snapshot: list[str]
    stock: Floats
    position: Position
    ended: Bools
    behind: Ints
    lead: LeadTimes
    minimum: Floats
    planned: Floats
    left_out: int
    strays: Strays

    @property
    def daily(self) -> Floats:
        """Expected units per day."""
        return self.position.demand.mean

    @property
    def known(self) -> Bools:
        return self.position.known


def read(rows: pd.DataFrame, *, horizon: int, level: float) -> Items | None:
    """None where no row has a date, a SKU and a stock figure."""
    days = columns.days(rows, "snapshot_date")
    stock = columns.numbers(rows, "current_stock")
    warehouses, warehouse_names = columns.labelled(rows, "warehouse_id")
    skus, sku_names = columns.labelled(rows, "sku")
    usable = np.flatnonzero(~np.isnat(days) & np.isfinite(stock) & (skus >= 0))
    if not len(usable):
        return None
    left_out = len(rows) - len(usable)
    dated = strays(days[usable])
    usable = usable[dated.kept]
    key = (warehouses[usable] + 1) * len(sku_names) + skus[usable]
    _, codes = np.unique(key, return_inverse=True)
    codes = codes.astype(np.int64)
    position = demand.positions(
        items=codes,
        days=days[usable],
        stock=stock[usable],
        reported=columns.numbers(rows, "daily_demand_avg")[usable],
        horizon=horizon,
        level=level,
    )
    newest = usable[position.row]
    reported = reporting(items=codes, days=days[usable], places=warehouses[newest] + 1)
    latest = rows.iloc[newest]
    suppliers, supplier_names = columns.labelled(latest, "supplier_id")
    leads = columns.numbers(rows, "lead_time_days")[usable]
    return Items(
        warehouse=[str(warehouse_names[code]) if code >= 0 else "" for code in warehouses[newest]],
        sku=[str(sku_names[code]) for code in skus[newest]],
        category=_texts(*columns.labelled(latest, "product_category")),
        supplier=_texts(suppliers, supplier_names),
        snapshot=days[newest].astype(str).tolist(),
        stock=stock[newest],
        position=_until_now(position, reported),
        ended=reported.ended,
        behind=reported.behind,
        lead=lead_times.lead_times(
            items=codes, order=np.lexsort((leads, days[usable])), leads=leads, supplier=suppliers
        ),
        minimum=np.nan_to_num(columns.numbers(latest, "min_order_qty"), nan=0.0),
        planned=columns.numbers(latest, "reorder_point"),
        left_out=left_out,
        strays=dated,
    )


def _until_now(position: Position, reported: Reporting) -> Position:
    """Stock that was empty when an item was last reported, years ago, is no reason to order it."""
    expected = position.demand
    return replace(
        position,
        demand=replace(expected, daily=np.where(reported.ended, 0.0, expected.daily)),
        idle=position.idle + np.where(reported.ended, reported.behind, 0),
    )


def _texts(codes: Ints, names: columns.Labels) -> list[str | None]:
    return [str(names[code]) if code >= 0 else None for code in codes]
