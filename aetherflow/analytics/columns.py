"""Columns of a frame as NumPy arrays, whatever dtype they came in (Arrow-backed, nullable, object), and
numbers back as JSON-ready values."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
Labels = npt.NDArray[np.object_]

# Beyond this a double no longer tells two neighbouring cents apart, and sums of squares leave its range.
LARGEST = 1e13


def numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Column `name` as float64; missing, unreadable, infinite or beyond ±1e13 is NaN."""
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        column = pd.to_numeric(column.astype(object), errors="coerce")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) <= LARGEST, values, np.nan)


def days(frame: pd.DataFrame, name: str) -> Days:
    """Column `name` as datetime64[D]; missing or unreadable is NaT. A time of day is cut off."""
    column = frame[name]
    if isinstance(column.dtype, pd.ArrowDtype) and pa.types.is_date(column.dtype.pyarrow_dtype):
        arrow = pa.chunked_array(column.array.__arrow_array__())
        return np.asarray(arrow.cast(pa.date32()).to_numpy(zero_copy_only=False), dtype="datetime64[D]")
    parsed = pd.to_datetime(column, errors="coerce")
    return np.asarray(parsed.to_numpy(dtype="datetime64[s]", na_value=np.datetime64("NaT")), dtype="datetime64[D]")


def labelled(frame: pd.DataFrame, name: str) -> tuple[Ints, Labels]:
    """Column `name` as (codes, labels): `labels[code]` is the trimmed text, -1 and blank text are missing.

    Labels come sorted, so the codes do not depend on the order of the rows.
    """
    codes, found = pd.factorize(frame[name])
    texts = [str(value).strip() for value in found]
    labels = sorted({text for text in texts if text})
    place = {text: position for position, text in enumerate(labels)}
    recode = np.array([*(place.get(text, -1) for text in texts), -1], dtype=np.int64)
    return recode[codes], np.array(labels, dtype=object)


def number(value: float, *, digits: int = 2) -> float:
    """A finite value rounded for JSON. Raises ValueError on NaN or infinity: those are bugs, not answers."""
    rounded = round(float(value), digits)
    if not math.isfinite(rounded):
        raise ValueError(f"not a finite number: {value!r}")
    return rounded + 0.0  # -0.0 reads as a mistake


def optional(value: float, *, digits: int = 2) -> float | None:
    """As `number`, but what is not known (NaN, infinity) is None."""
    return number(value, digits=digits) if math.isfinite(value) else None
