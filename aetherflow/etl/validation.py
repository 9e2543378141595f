"""The department's schema, and which cells do not keep it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow as arrow
import pyarrow.compute as pc

# A cell has one fault, and the first of these that applies is the one to tell.
CODES = ("", "null-byte", "type-error", "missing-value", "constraint-error", "row-constraint")
# pandera's own checks of which the extremes tell whether all cells pass.
_BETWEEN = {"in_range", "greater_than_or_equal_to", "less_than_or_equal_to"}
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
    _keeps_shape(schema, tuple(rows.dtypes.items()))  # type: ignore[arg-type]  # a class can be hashed
    contract = schema.to_schema()
    columns = [(at, rows[name], column) for at, (name, column) in enumerate(contract.columns.items())]
    for at, cells, column in columns:
        if not column.nullable and cells.array.isna().any():
            _mark(found[:, at], np.flatnonzero(cells.isna()), MISSING_VALUE)
    to_ask = [
        *(
            (at, CONSTRAINT_ERROR, check, cells)
            for at, cells, column in columns
            for check in column.checks
            if not _surely_passes(check, cells)
        ),
        *((-1, ROW_CONSTRAINT, check, rows) for check in contract.checks),
    ]
    blames_none = False
    for at, code, check, cells in to_ask:
        result = check(cells)
        if result.check_passed:
            continue
        if isinstance(result.check_output, pd.Series):
            _mark(found[:, at], _failing(result.check_output), code)
        else:
            blames_none = True
    if blames_none and not found.any():
        schema.validate(rows)
    return found


@cache
def _keeps_shape(schema: type[pa.DataFrameModel], types: tuple[tuple[str, Any], ...]) -> None:
    """Names, order and types of columns: what holds of a frame without rows holds of all that have them. The schema's
    own way through a frame costs as much as its checks do, and its report of 600 cells five times that."""
    schema.validate(pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in types}))


def _surely_passes(check: pa.Check, cells: pd.Series) -> bool:
    """By the column's extremes alone: to find them takes a tenth of the time that to ask about each cell takes."""
    bounds = {name: bound for name, bound in check.statistics.items() if bound is not None}
    if not check.ignore_na or not bounds:
        return False
    values = arrow.chunked_array(cells.array.__arrow_array__())
    if check.name == "str_length" and bounds.keys() == {"max_value"}:
        longest = pc.max(pc.binary_length(values)).as_py()
        return longest is None or longest <= bounds["max_value"]
    if check.name not in _BETWEEN:
        return False
    ends = pc.min_max(values).as_py()
    if ends["min"] is None:
        return True
    inside = bounds.get("min_value", ends["min"]) <= ends["min"] and ends["max"] <= bounds.get("max_value", ends["max"])
    return bool(inside) and bounds.get("include_min", True) and bounds.get("include_max", True)


def _failing(answer: pd.Series) -> np.ndarray:
    """Places of what fails a check. Cells that are null are left out of its answer: it is not for a check to say
    whether they may be."""
    failing: np.ndarray = answer.index.to_numpy()[~answer.to_numpy(dtype=bool)]
    return failing


def _mark(faults: np.ndarray, places: np.ndarray, code: int) -> None:
    """The first fault found of a cell stays."""
    faults[places[faults[places] == 0]] = code


def no_faults(rows: int, *, columns: int) -> np.ndarray:
    """Column by column in memory: what is asked of each row is worked over all rows of a column at once then."""
    return np.zeros((rows, columns + 1), dtype=np.int8, order="F")
