"""The department's schema, and which cells do not keep it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa

# A cell has one fault, and the first of these that applies is the one to tell.
CODES = ("", "null-byte", "type-error", "missing-value", "constraint-error", "row-constraint")
NULL_BYTE, TYPE_ERROR, MISSING_VALUE, CONSTRAINT_ERROR, ROW_CONSTRAINT = range(1, len(CODES))


def find_faults(rows: pd.DataFrame, *, schema: type[pa.DataFrameModel], unreadable: np.ndarray) -> np.ndarray:
    """The fault of every cell, as positions in CODES: rows by columns, and a last column for the row as a whole.

    `rows` is Arrow-backed with a RangeIndex and has the schema's columns. `unreadable` (rows by columns) marks cells
    that could not be cast and are null in it: their being null is not reported a second time, while the other cells of
    the row are still checked. Rows without a fault pass the schema. Raises SchemaError when the frame itself, and not a
    row of it, breaks the schema: that is a defect, not a bad file.
    """
    found = no_faults(len(rows), columns=len(rows.columns))
    found[:, :-1][unreadable] = TYPE_ERROR
    if unreadable.any() or not _passes(rows, schema):
        # The schema's report of 600 cells takes five times as long as asking each of its checks which these are. What
        # it says of a frame without rows, of types and order, goes for one with rows.
        schema.validate(rows.head(0))
        contract = schema.to_schema()
        for at, (name, column) in enumerate(contract.columns.items()):
            if not column.nullable:
                _mark(found[:, at], np.flatnonzero(rows[name].isna()), MISSING_VALUE)
            for check in column.checks:
                _mark(found[:, at], _failing(check, rows[name]), CONSTRAINT_ERROR)
        for check in contract.checks:
            _mark(found[:, -1], _failing(check, rows), ROW_CONSTRAINT)
        if not found.any():
            schema.validate(rows)
    return found


def _passes(rows: pd.DataFrame, schema: type[pa.DataFrameModel]) -> bool:
    try:
        schema.validate(rows)
    except pa.errors.SchemaError:
        return False
    return True


def _failing(check: pa.Check, cells: pd.Series | pd.DataFrame) -> np.ndarray:
    """Places of what fails it; none where its answer is one for all rows."""
    answer = check(cells).check_output
    if not isinstance(answer, pd.Series):
        return np.zeros(0, dtype=np.int64)
    # Cells that are null are left out of the answer: it is not for a check to say whether they may be.
    failing: np.ndarray = answer.index.to_numpy()[~answer.to_numpy(dtype=bool)]
    return failing


def _mark(faults: np.ndarray, places: np.ndarray, code: int) -> None:
    """The first fault found of a cell stays."""
    faults[places[faults[places] == 0]] = code


def no_faults(rows: int, *, columns: int) -> np.ndarray:
    """Column by column in memory: what is asked of each row is worked over all rows of a column at once then."""
    return np.zeros((rows, columns + 1), dtype=np.int8, order="F")
