"""Rows that several tests of the insights begin with."""

import numpy as np
import pandas as pd


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
