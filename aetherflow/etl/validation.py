"""The department's schema, and which cells do not keep it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

# A cell has one fault, and the first of these that applies is the one to tell.
CODES = ("", "null-byte", "type-error", "missing-value", "constraint-error", "row-constraint")
NULL_BYTE, TYPE_ERROR, MISSING_VALUE, CONSTRAINT_ERROR, ROW_CONSTRAINT = range(1, len(CODES))
_NOWHERE = np.zeros(0, dtype=np.int64)


def find_faults(rows: pd.DataFrame, *, schema: type[pa.DataFrameModel], unreadable: np.ndarray) -> np.ndarray:
    """The fault of every cell, as positions in CODES: rows by columns, and a last column for the row as a whole.

    `rows` is Arrow-backed with a RangeIndex and has the schema's columns. `unreadable` (rows by columns) marks cells
    that could not be cast and are null in it: their being null is not reported a second time, while the other cells of
    the row are still checked. Rows without a fault pass the schema. Raises SchemaError when the frame itself, and not a
    row of it, breaks the schema: that is a defect, not a bad file.
    """
    found = no_faults(len(rows), columns=len(rows.columns))
    found[:, :-1][unreadable] = TYPE_ERROR
    _keeps_shape(schema, tuple(rows.dtypes.items()))  # type: ignore[arg-type]  # a class can be hashed
    contract = schema.to_schema()
    blames_none = False
    for at, (name, column) in enumerate(contract.columns.items()):
        cells = rows[name]
        if not column.nullable and cells.array.isna().any():
            _mark(found[:, at], np.flatnonzero(cells.isna()), MISSING_VALUE)
        for check in column.checks:
            failing = _failing(check, cells)
            blames_none |= failing is None
            _mark(found[:, at], failing, CONSTRAINT_ERROR)
    for check in contract.checks:
        failing = _failing(check, rows)
        blames_none |= failing is None
        _mark(found[:, -1], failing, ROW_CONSTRAINT)
    if blames_none and not found.any():
        schema.validate(rows)
    return found


@cache
def _keeps_shape(schema: type[pa.DataFrameModel], types: tuple[tuple[str, Any], ...]) -> None:
    """Names, order and types of columns: what holds of a frame without rows holds of all that have them. The schema's
    own way through a frame costs as much as its checks do, and its report of 600 cells five times that."""
    schema.validate(pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in types}))


def _failing(check: pa.Check, cells: pd.Series | pd.DataFrame) -> np.ndarray | None:
    """Places of what fails it; None where it fails and does not say which."""
    result = check(cells)
    answer = result.check_output
    if result.check_passed:
        return _NOWHERE
    if not isinstance(answer, pd.Series):
        return None
    # Cells that are null are left out of the answer: it is not for a check to say whether they may be.
    failing: np.ndarray = answer.index.to_numpy()[~answer.to_numpy(dtype=bool)]
    return failing


def _mark(faults: np.ndarray, places: np.ndarray | None, code: int) -> None:
    """The first fault found of a cell stays."""
    if places is not None and len(places):
        faults[places[faults[places] == 0]] = code


def no_faults(rows: int, *, columns: int) -> np.ndarray:
    """Column by column in memory: what is asked of each row is worked over all rows of a column at once then."""
    return np.zeros((rows, columns + 1), dtype=np.int8, order="F")
