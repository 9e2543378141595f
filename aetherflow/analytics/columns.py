"""Columns of a frame as NumPy arrays, whatever dtype they came in (Arrow-backed, nullable, object), and
numbers back as JSON-ready values."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
Labels = npt.NDArray[np.object_]
# A million texts, each once, are 20 MB in Arrow and 70 as Python's.
Texts: TypeAlias = pa.LargeStringArray

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


def encoded(frame: pd.DataFrame, name: str) -> tuple[Ints, Texts]:
    """Column `name` as (codes, texts): every text once, as it stands there, in no particular order; -1 is missing."""
    column = frame[name]
    if isinstance(column.dtype, pd.ArrowDtype) and pa.types.is_dictionary(column.dtype.pyarrow_dtype):
        return _used(pa.chunked_array(column.array.__arrow_array__()))
    codes, found = pd.factorize(column)
    if isinstance(found.dtype, pd.ArrowDtype) and pa.types.is_string(found.dtype.pyarrow_dtype):
        texts = pa.array(found.array).cast(pa.large_string())
    else:
        texts = pa.array([str(value) for value in found], pa.large_string())
    return codes, texts


def _used(column: pa.ChunkedArray) -> tuple[Ints, Texts]:
    """The codes as they are, of rows that were chosen from more without the texts that none of them has."""
    whole = column.unify_dictionaries().combine_chunks()
    codes = whole.indices.fill_null(-1).to_numpy().astype(np.int64)
    texts = whole.dictionary.cast(pa.large_string())
    seen = np.bincount(codes + 1, minlength=len(texts) + 1)[1:] > 0
    if seen.all():
        return codes, texts
    return np.append(np.cumsum(seen) - 1, -1)[codes], texts.filter(pa.array(seen))


def distinct(frame: pd.DataFrame, name: str) -> tuple[Ints, Texts]:
    """Column `name` as (codes, texts): `texts[code]` is the trimmed text, -1 and blank text are missing.

    Texts come sorted, so the codes do not depend on the order of the rows.
    """
    codes, found = encoded(frame, name)
    trimmed = pc.utf8_trim_whitespace(found)
    texts = in_order(trimmed)
    return places(trimmed, texts)[codes], texts


def labelled(frame: pd.DataFrame, name: str) -> tuple[Ints, Labels]:
    """As `distinct`, the texts as Python's: for columns of few."""
    codes, texts = distinct(frame, name)
    return codes, np.array(texts.to_pylist(), dtype=object)


def in_order(texts: Texts) -> Texts:
    """Each text once, sorted, the empty one left out."""
    once = texts.unique()
    once = once.filter(pc.greater(pc.binary_length(once), 0))
    return once.take(pc.sort_indices(once))


def places(texts: Texts, among: Texts) -> Ints:
    """Of each text its place among others, -1 for none and, at the end, for a missing text (code -1)."""
    found = pc.index_in(texts, value_set=among).fill_null(-1).to_numpy(zero_copy_only=False)
    return np.append(found, -1).astype(np.int64)


def number(value: float, *, digits: int = 2) -> float:
    """A finite value rounded for JSON. Raises ValueError on NaN or infinity: those are bugs, not answers."""
    rounded = round(float(value), digits)
    if not math.isfinite(rounded):
        raise ValueError(f"not a finite number: {value!r}")
    return rounded + 0.0  # -0.0 reads as a mistake


def optional(value: float, *, digits: int = 2) -> float | None:
    """As `number`, but what is not known (NaN, infinity) is None."""
    return number(value, digits=digits) if math.isfinite(value) else None
