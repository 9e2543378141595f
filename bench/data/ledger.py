"""Ledgers as an accounting system exports them: any size, always the same bytes for the same arguments."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from aetherflow.registry import department
from bench.data.file import DataFile, money, some, spoilt

SEED = 20260702
FIRST_DAY = date(2024, 1, 1)
DAYS = 900
VENDORS = 4_000
CATEGORIES = ("Travel", "Office supplies", "Software", "Facilities", "Marketing", "Training", "Logistics", "Legal")
DEPARTMENTS = ("Marketing", "Facilities", "IT", "People", "Operations", "Sales")
PART = 200_000
BAD_CELLS = {"amount": "see invoice", "currency": "EURO", "date": "2026-02-31", "txn_id": None}


def write_ledger(path: Path, *, rows: int, series: int = 0, bad_share: float = 0.0) -> DataFile:
    """Write a ledger over 900 days. Transactions of different `series` differ. One amount in fifty has a currency sign
    or parentheses, one vendor in fifty is empty, every third row has a note."""
    rng = np.random.default_rng([SEED, series, rows])
    bad = some(rng, rows, share=bad_share)
    with path.open("wb") as out:
        for start in range(0, rows, PART):
            here = np.arange(start, min(start + PART, rows))
            _part(rng, here, series=series, days=here * DAYS // rows, bad=bad[here]).write_csv(
                out, include_header=start == 0
            )
    return DataFile(path=path, rows=rows, bad=int(bad.sum()))


def write_repeating_ledger(path: Path, *, rows: int, series: int = 0) -> DataFile:
    """Write a ledger as real ones are: a few vendors get most payments, each in one or two categories, a third of the
    rows repeats a vendor's usual sum, weekends are rare, and nearly all is approved."""
    rng = np.random.default_rng([SEED, series, rows, VENDORS])
    vendors = max(20, rows // 50)
    vendor = np.minimum((vendors * rng.random(rows) ** 3).astype(np.int64), vendors - 1)
    level = rng.normal(5.5, 1.3, vendors)
    usual = np.round(np.exp(level) * 100)
    cents = np.round(np.exp(level[vendor] + rng.normal(0, 0.8, rows)) * 100)
    cents = np.maximum(np.where(rng.random(rows) < 0.33, usual[vendor], cents), 1).astype(np.int64)
    category = (vendor + (rng.random(rows) < 0.1)) % 60
    days = np.sort(rng.integers(0, DAYS, rows))
    # Two days in seven are a weekend; nine in ten of its payments are booked on the Friday before.
    weekday = days % 7
    days = np.where((weekday > 4) & (rng.random(rows) < 0.9), days - (weekday - 4), days)
    with path.open("wb") as out:
        for start in range(0, rows, PART):
            here = slice(start, min(start + PART, rows))
            at = np.arange(rows)[here]
            pl.DataFrame({"at": at, "days": days[here], "vendor": vendor[here], "cents": cents[here]}).select(
                pl.format("TX-{}-{}", pl.lit(series), pl.col("at").cast(pl.String).str.zfill(8)).alias("txn_id"),
                (pl.lit(FIRST_DAY) + pl.duration(days="days")).dt.to_string("%Y-%m-%d").alias("date"),
                pl.Series("department", np.array(DEPARTMENTS)[vendor[here] % len(DEPARTMENTS)]),
                pl.format("CC-{}", pl.col("vendor") % 200).alias("cost_center"),
                pl.format("Category {}", pl.Series(category[here])).alias("category"),
                pl.format("Vendor {} Ltd", "vendor").alias("vendor"),
                money("cents").alias("amount"),
                pl.lit("GBP").alias("currency"),
                pl.lit("invoice").alias("payment_type"),
                pl.Series("approval_status", np.where(rng.random(len(at)) < 0.01, "pending", "approved")),
                pl.format("ref {}", pl.col("at") * 7 + 1_000_000).alias("notes"),
            ).write_csv(out, include_header=start == 0)
    return DataFile(path=path, rows=rows, bad=0)


def _part(rng: np.random.Generator, at: np.ndarray, *, series: int, days: np.ndarray, bad: np.ndarray) -> pl.DataFrame:
    rows = len(at)
    vendor = (VENDORS * rng.random(rows) ** 2).astype(np.int64)
    cents = np.round(np.exp(rng.normal(5.0, 1.4, rows)) * 100).astype(np.int64)
    texts = pl.DataFrame(
        {
            "at": at,
            "days": days,
            "department": np.array(DEPARTMENTS)[rng.integers(0, len(DEPARTMENTS), rows)],
            "cost_center": rng.integers(100, 140, rows),
            "category": np.array(CATEGORIES)[vendor % len(CATEGORIES)],
            "vendor": vendor,
            "cents": cents,
            "currency": np.array(["EUR", "EUR", "EUR", "GBP"])[rng.integers(0, 4, rows)],
            "payment_type": np.array(["invoice", "card", "transfer"])[rng.integers(0, 3, rows)],
            "approval_status": np.array(["approved", "approved", "pending"])[rng.integers(0, 3, rows)],
        }
    ).select(
        pl.format("TX-{}-{}", pl.lit(series), pl.col("at").cast(pl.String).str.zfill(8)).alias("txn_id"),
        (pl.lit(FIRST_DAY) + pl.duration(days="days")).dt.to_string("%Y-%m-%d").alias("date"),
        "department",
        pl.format("CC-{}", "cost_center").alias("cost_center"),
        "category",
        pl.format("Vendor {} Ltd", "vendor").alias("vendor"),
        money("cents").alias("amount"),
        "currency",
        "payment_type",
        "approval_status",
        pl.when(pl.col("at") % 3 == 0).then(pl.format("invoice {} of the quarter", "at")).alias("notes"),
    )
    signed, credit, nobody = (pl.lit(pl.Series(rng.random(rows) < 0.02)) for _ in range(3))
    texts = texts.with_columns(
        pl.when(signed)
        .then(pl.format("€ {}", "amount"))
        .when(credit)
        .then(pl.format("({})", "amount"))
        .otherwise(pl.col("amount"))
        .alias("amount"),
        pl.when(nobody).then(None).otherwise(pl.col("vendor")).alias("vendor"),
    )
    assert texts.columns == [column.name for column in department("finance").columns]
    return spoilt(texts, bad, kinds=BAD_CELLS)
