"""Inventory snapshots as a warehouse system writes them: any size, always the same bytes for the same arguments."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from aetherflow.registry import department
from bench.data.file import DataFile, some, spoilt

SEED = 20260701
FIRST_DAY = date(2025, 1, 6)
WAREHOUSES = 25
# Products a warehouse counts at each snapshot; a larger file has more weeks.
PRODUCTS = 2_000
CATEGORIES = ("Grocery", "Household", "Electronics", "Clothing", "Toys", "Sports", "Beauty", "Pets")
WEEKS = 26
PART = WAREHOUSES * PRODUCTS * 4
BAD_CELLS = {
    "current_stock": "plenty",
    "daily_demand_avg": "-1",
    "snapshot_date": "2026-02-31",
    "sku": None,
    "min_order_qty": "2.5",
}


def write_inventory(path: Path, *, rows: int, series: int = 0, bad_share: float = 0.0) -> DataFile:
    """Write weekly snapshots of 25 warehouses of 2,000 products each, until there are so many rows. Products of
    different `series` differ. Every twentieth lead time is empty, every hundredth demand has a space around it."""
    rng = np.random.default_rng([SEED, series, rows])
    bad = some(rng, rows, share=bad_share)
    with path.open("wb") as out:
        for start in range(0, rows, PART):
            here = np.arange(start, min(start + PART, rows))
            _part(rng, here, series=series, bad=bad[here]).write_csv(out, include_header=start == 0)
    return DataFile(path=path, rows=rows, bad=int(bad.sum()))


def write_snapshots(path: Path, *, rows: int, series: int = 0) -> DataFile:
    """Write 26 weekly snapshots of as many products as fill `rows`, rounded down. Stock falls by demand that comes in
    lots and rises when an order comes in; the reported demand is the average of the last four weeks."""
    rng = np.random.default_rng([SEED, series, rows, WEEKS])
    products = rows // WEEKS
    daily = rng.gamma(0.8, 6.0, size=products) + 0.02
    lead = rng.choice([3, 5, 7, 14, 21, 28], size=products)
    moq = rng.choice([1, 6, 12, 24, 48], size=products)
    # Lots: the variance of a week's demand is ten times its mean.
    sold = rng.negative_binomial(np.maximum(daily * 7 / 9, 1e-3)[:, None], 0.1, size=(products, WEEKS + 4))
    stock = np.round(daily * (lead + 14) * rng.uniform(0.3, 2.0, products))
    at = np.arange(products)
    with path.open("wb") as out:
        for week in range(WEEKS):
            stock = np.maximum(stock - sold[:, week + 4], 0)
            wanted = np.ceil(daily * (lead + 14) * 1.3)
            stock += np.where(stock < daily * lead, np.maximum(wanted, moq), 0) * (
                rng.random(products) < 7 / (lead + 7)
            )
            pl.DataFrame(
                {
                    "snapshot_date": np.full(products, str(FIRST_DAY + timedelta(weeks=week))),
                    "warehouse_id": np.char.add("WH-", (at % WAREHOUSES).astype(str)),
                    "sku": np.char.add(f"SKU-{series}-", at.astype(str)),
                    "product_category": np.array(CATEGORIES)[at % len(CATEGORIES)],
                    "current_stock": stock.astype(np.int64),
                    "daily_demand_avg": np.round(sold[:, week + 1 : week + 5].mean(axis=1) / 7, 3),
                    "lead_time_days": lead,
                    "reorder_point": np.round(daily * lead * 1.3).astype(np.int64),
                    "min_order_qty": moq,
                    "supplier_id": np.char.add("SUP-", (at % 60).astype(str)),
                }
            ).write_csv(out, include_header=week == 0)
    return DataFile(path=path, rows=products * WEEKS, bad=0)


def _part(rng: np.random.Generator, at: np.ndarray, *, series: int, bad: np.ndarray) -> pl.DataFrame:
    week, of_week = np.divmod(at, WAREHOUSES * PRODUCTS)
    warehouse, product = np.divmod(of_week, PRODUCTS)
    demand = rng.gamma(1.2, 6.0, size=len(at))
    lead = rng.choice([3, 5, 7, 14, 21, 28], size=len(at))
    texts = pl.DataFrame(
        {
            "week": week,
            "warehouse": warehouse,
            "product": product,
            "product_category": np.array(CATEGORIES)[product % len(CATEGORIES)],
            "stock": rng.negative_binomial(2, 0.01, size=len(at)),
            "demand": demand,
            "lead": lead,
            "reorder": np.round(demand * lead * 1.3).astype(np.int64),
            "moq": rng.choice([1, 6, 12, 24, 48], size=len(at)),
        }
    ).select(
        (pl.lit(FIRST_DAY) + pl.duration(weeks="week")).dt.to_string("%Y-%m-%d").alias("snapshot_date"),
        pl.format("WH-{}", pl.col("warehouse").cast(pl.String).str.zfill(2)).alias("warehouse_id"),
        pl.format("SKU-{}-{}", pl.lit(series), pl.col("product").cast(pl.String).str.zfill(5)).alias("sku"),
        "product_category",
        pl.col("stock").cast(pl.String).alias("current_stock"),
        pl.col("demand").round(3).cast(pl.String).alias("daily_demand_avg"),
        pl.col("lead").cast(pl.String).alias("lead_time_days"),
        pl.col("reorder").cast(pl.String).alias("reorder_point"),
        pl.col("moq").cast(pl.String).alias("min_order_qty"),
        pl.format("SUP-{}", (pl.col("product") % 60).cast(pl.String).str.zfill(2)).alias("supplier_id"),
    )
    empty, spaced = (pl.lit(pl.Series(rng.random(len(at)) < share)) for share in (0.05, 0.01))
    texts = texts.with_columns(
        pl.when(empty).then(None).otherwise(pl.col("lead_time_days")).alias("lead_time_days"),
        pl.when(spaced)
        .then(pl.format(" {} ", "daily_demand_avg"))
        .otherwise(pl.col("daily_demand_avg"))
        .alias("daily_demand_avg"),
    )
    assert texts.columns == [column.name for column in department("supply_chain").columns]
    return spoilt(texts, bad, kinds=BAD_CELLS)
