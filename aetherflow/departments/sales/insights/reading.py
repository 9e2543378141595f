"""The usable sales rows as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aetherflow.analytics import columns
from aetherflow.analytics.columns import Days, Floats, Ints
from aetherflow.analytics.strays import Strays, strays

COLUMNS = ("date", "product_category", "sku", "quantity", "unit_price", "discount_pct")


@dataclass(frozen=True, kw_only=True)
class Sales:
    """Arrays of one length, one entry per usable row.

    `categories` are codes into `names`, `skus` codes of `sku_count` products (-1: none given). `quantity` in units,
    `price` in money per unit before the discount, `kept` the share of the price that is paid (1 - discount). `revenue`
    is their product. `unusable` is how many rows were left out because they lack one of these, `strays` tells of those
    that were because of their dates.
    """

    days: Days
    categories: Ints
    names: list[str]
    skus: Ints
    sku_count: int
    quantity: Floats
    price: Floats
    kept: Floats
    unusable: int
    strays: Strays

    @property
    def revenue(self) -> Floats:
        return self.quantity * self.price * self.kept


def read(rows: pd.DataFrame) -> Sales:
    """Rows with a date, a quantity and a price; a missing discount is none, a missing category is "(no category)"."""
    days = columns.days(rows, "date")
    categories, found = columns.labelled(rows, "product_category")
    skus, sku_names = columns.labelled(rows, "sku")
    quantity, price = columns.numbers(rows, "quantity"), columns.numbers(rows, "unit_price")
    kept = 1 - np.nan_to_num(columns.numbers(rows, "discount_pct"), nan=0.0) / 100
    usable = ~np.isnat(days) & (np.abs(np.nan_to_num(quantity * price * kept, nan=np.inf)) <= columns.LARGEST)
    unusable = len(rows) - int(usable.sum())
    dated = strays(days[usable])
    usable[usable] = dated.kept
    names = [str(name) for name in found]
    if (categories[usable] < 0).any():
        categories, names = np.where(categories < 0, len(names), categories), [*names, "(no category)"]
    # Of ten million rows a copy of each column is 80 MB.
    whole = slice(None) if usable.all() else usable
    return Sales(
        days=days[whole],
        categories=categories[whole],
        names=names,
        skus=skus[whole],
        sku_count=len(sku_names),
        quantity=quantity[whole],
        price=price[whole],
        kept=kept[whole],
        unusable=unusable,
        strays=dated,
    )
