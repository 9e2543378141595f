"""What is filled in for ledger rows that passed the schema."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

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
_SYNONYMS, _MEANT = pa.array(STATUSES.keys()), pa.array(STATUSES.values())


def one_category_for_those_without(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without a category are compared with each other instead of being left out of the comparison."""
    return rows.assign(category=rows["category"].fillna(UNCATEGORISED))


def one_word_per_status(rows: pd.DataFrame) -> pd.DataFrame:
    """The common synonyms of approved, pending and rejected; any other word stays as it is."""
    # `Series.replace` goes through all rows once for each of the words.
    found = pa.chunked_array(rows["approval_status"].array.__arrow_array__())
    known = pc.index_in(found, value_set=_SYNONYMS)
    if known.null_count == len(known):
        return rows
    return rows.assign(approval_status=pd.arrays.ArrowExtensionArray(pc.coalesce(_MEANT.take(known), found)))
