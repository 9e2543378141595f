"""Rows that several tests of the insights begin with."""

import numpy as np
import pandas as pd
import pyarrow as pa


def ints(*values):
    return np.array(values, dtype=np.int64)


def floats(*values):
    return np.array(values, dtype=float)


def texts(*values):
    return pa.array(values, pa.large_string())


def ledger(amounts, **changes):
    """Payments on working days to four vendors, one of each of `amounts`; `changes` are other columns."""
    size = len(amounts)
    rows = {
        "txn_id": [f"T{place:04d}" for place in range(size)],
        "date": (np.datetime64("2026-03-02") + 7 * (np.arange(size) // 5) + np.arange(size) % 5).astype(
            "datetime64[s]"
        ),
        "category": "Office",
        "vendor": [f"Vendor {place % 4}" for place in range(size)],
        "amount": amounts,
        "currency": "EUR",
        "approval_status": "approved",
        "notes": None,
    }
    return pd.DataFrame(rows | changes)


def shops(count=1_200, seed=5, **changes):
    """Many small shops and a few suppliers that are paid again and again, on working days, with their own numbers."""
    rng = np.random.default_rng(seed)
    vendor = rng.integers(0, 80, count)
    level = 4 + (vendor % 7) / 2
    rows = {
        "txn_id": [f"T{place:05d}" for place in range(count)],
        "date": pd.bdate_range("2026-01-05", periods=120)[np.sort(rng.integers(0, 120, count))],
        "department": [f"D{place % 5}" for place in vendor],
        "cost_center": [f"C{place % 11}" for place in vendor],
        "category": [f"K{place % 6}" for place in vendor],
        "vendor": [f"{'ABCDEFGH'[place % 8]}lder Trading House {place}" for place in vendor],
        "amount": np.exp(rng.normal(level, 0.4)).round(2),
        "currency": "EUR",
        "payment_type": "invoice",
        "approval_status": "approved",
        "notes": [f"invoice {number}" for number in rng.permutation(10**6)[:count] + 10**6],
    }
    return pd.DataFrame(rows | changes)
