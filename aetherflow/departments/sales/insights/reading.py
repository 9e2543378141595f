"""The usable sales as arrays, from rows or from what the database has added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aetherflow.analytics import columns
from aetherflow.analytics.columns import Days, Floats, Ints
from aetherflow.analytics.strays import Strays, strays
from aetherflow.insight import Factor, Rollup

COLUMNS = ("date", "product_category", "sku", "quantity", "unit_price", "discount_pct")
_PRICE, _PAID_SHARE = Factor(column="unit_price"), Factor(column="discount_pct", missing=0, off_hundred=True)
_UNITS = Factor(column="quantity")
ROLLUP = Rollup(
    day="date",
    by=("product_category", "sku"),
    above_zero="quantity",
    sums={"units": (_UNITS,), "gross": (_UNITS, _PRICE), "paid": (_UNITS, _PRICE, _PAID_SHARE)},
)


@dataclass(frozen=True, kw_only=True)
class Sales:
    """Arrays of one length, one entry for each usable row, or for `rows` of them of one product, week and kind (sale or
    refund).

    `first` and `last` are its days, of one week. `categories` are codes into `names`, `skus` codes of `sku_count`
    products (-1: none given). `gross` is money before the discount, `paid` after it. `unusable` is how many rows were
    left out because they lack a date, a quantity or a price, `strays` tells of those that were because of their dates.
    """

    first: Days
    last: Days
    rows: Ints
    categories: Ints
    names: list[str]
    skus: Ints
    sku_count: int
    units: Floats
    gross: Floats
    paid: Floats
    unusable: int
    strays: Strays


def read(rows: pd.DataFrame) -> Sales:
    """Rows, or what ROLLUP has made of them, with a date, a quantity and a price; a missing discount is none, a missing
    category is "(no category)"."""
    categories, found = columns.labelled(rows, "product_category")
    skus, sku_names = columns.labelled(rows, "sku")
    first, last, count, units, gross, paid = _rolled_up(rows) if "rows" in rows.columns else _plain(rows)
    usable = ~np.isnat(first) & (np.abs(np.nan_to_num(paid, nan=np.inf)) <= columns.LARGEST)
    unusable = int(count[~usable].sum())
    dated = strays(first[usable], until=last[usable], counts=count[usable])
    usable[usable] = dated.kept
    names = [str(name) for name in found]
    if (categories[usable] < 0).any():
        categories, names = np.where(categories < 0, len(names), categories), [*names, "(no category)"]
    return Sales(
        first=first[usable],
        last=last[usable],
        rows=count[usable],
        categories=categories[usable],
        names=names,
        skus=skus[usable],
        sku_count=len(sku_names),
        units=units[usable],
        gross=gross[usable],
        paid=paid[usable],
        unusable=unusable,
        strays=dated,
    )


def _plain(rows: pd.DataFrame) -> tuple[Days, Days, Ints, Floats, Floats, Floats]:
    days = columns.days(rows, "date")
    units, price = columns.numbers(rows, "quantity"), columns.numbers(rows, "unit_price")
    kept = 1 - np.nan_to_num(columns.numbers(rows, "discount_pct"), nan=0.0) / 100
    return days, days, np.ones(len(rows), dtype=np.int64), units, units * price, units * price * kept


def _rolled_up(rows: pd.DataFrame) -> tuple[Days, Days, Ints, Floats, Floats, Floats]:
    units, gross, paid = (columns.numbers(rows, name) for name in ROLLUP.sums)
    count = columns.numbers(rows, "rows").astype(np.int64)
    return columns.days(rows, "first"), columns.days(rows, "last"), count, units, gross, paid
