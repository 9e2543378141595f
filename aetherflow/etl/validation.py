"""The department's schema, asked until nothing more is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa

# A cell has one fault, and the first of these that applies is the one to tell.
CODES = ("", "null-byte", "type-error", "missing-value", "constraint-error", "row-constraint")
NULL_BYTE, TYPE_ERROR, MISSING_VALUE, CONSTRAINT_ERROR, ROW_CONSTRAINT = range(1, len(CODES))


def find_faults(rows: pd.DataFrame, *, schema: type[pa.DataFrameModel], unreadable: np.ndarray) -> np.ndarray:
    """The fault of every cell, as positions in CODES: rows by columns, and a last column for the row as a whole.

    `rows` is Arrow-backed with a RangeIndex. `unreadable` (rows by columns) marks cells that could not be cast and are
    null in it: their being null is not reported a second time, while the other cells of the row are still checked.
    Rows at fault are taken out and the rest is validated again until it passes, because a check that fails can hide
    another. Raises SchemaErrors when the frame itself, and not a row of it, breaks the schema: that is a defect, not
    a bad file.
    """
    found = no_faults(len(rows), columns=len(rows.columns))
    found[:, :-1][unreadable] = TYPE_ERROR
    left = rows
    while len(left) and (failures := _failures(left, schema)) is not None:
        columns = rows.columns.get_indexer(pd.Index(failures["column"]))
        columns[(failures["schema_context"] == "DataFrameSchema").to_numpy()] = -1
        at = failures["index"].to_numpy(dtype=np.int64), columns
        codes = np.where(failures["check"] == "not_nullable", MISSING_VALUE, CONSTRAINT_ERROR)
        codes[columns == -1] = ROW_CONSTRAINT
        found[at] = np.where(found[at] == 0, codes, found[at])
        left = rows.take(np.flatnonzero(~found.any(axis=1)))
    return found


def no_faults(rows: int, *, columns: int) -> np.ndarray:
    """Column by column in memory: what is asked of each row is worked over all rows of a column at once then."""
    return np.zeros((rows, columns + 1), dtype=np.int8, order="F")


def _failures(rows: pd.DataFrame, schema: type[pa.DataFrameModel]) -> pd.DataFrame | None:
    try:
        schema.validate(rows, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases: pd.DataFrame = errors.failure_cases
        if cases["index"].isna().any():
            raise
        return cases
    return None
