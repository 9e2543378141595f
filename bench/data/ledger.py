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
