"""What is filled in for ledger rows that passed the schema."""

import pandas as pd

UNCATEGORISED = "Uncategorised"

STATUSES = {
    "approve": "approved",
    "ok": "approved",
    "accepted": "approved",
    "declined": "rejected",
    "denied": "rejected",
    "refused": "rejected",
    "reject": "rejected",
    "awaiting approval": "pending",
    "open": "pending",
    "waiting": "pending",
}


def one_category_for_those_without(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without a category are compared with each other instead of being left out of the comparison."""
    return rows.assign(category=rows["category"].fillna(UNCATEGORISED))


def one_word_per_status(rows: pd.DataFrame) -> pd.DataFrame:
    """The common synonyms of approved, pending and rejected; any other word stays as it is."""
    return rows.assign(approval_status=rows["approval_status"].replace(STATUSES))
