"""Typed values as the texts a person would have typed for them.

A number of a workbook has no decimal sign until somebody writes it down, and must not tell how the texts beside it are
meant. So it is written with UNDECIDED for the survey, which is evidence for nothing, and afterwards with the sign the
whole file is read with.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.etl.casting import letters_of

# A noncharacter of Unicode, set aside for use inside programs: no text has it.
UNDECIDED = "\ufdd0"
# As many digits as Excel keeps. What a float64 has beyond them is noise of a calculation: 0.30000000000000004
DIGITS = 15
# From here on not every whole number is a float64.
EXACT = 2**53


def number_texts(values: pa.DoubleArray, *, decimal: str) -> pa.StringArray:
    """3 for 3.0, 12.5 for 12.500000000000002 and nan for NaN; null stays null."""
    return _each_once(values, lambda distinct: _numbers(distinct, decimal=decimal))


def day_texts(values: pa.Date32Array) -> pa.StringArray:
    """2026-03-31"""
    return _each_once(values, lambda distinct: pc.cast(distinct, pa.string()))


def moment_texts(values: pa.TimestampArray) -> pa.StringArray:
    """2026-03-31, with a time of day only where there is one: 2026-03-31 14:30:00. Fractions of a second are cut."""

    def spell(distinct: pa.TimestampArray) -> pa.StringArray:
        seconds = pc.cast(pc.floor_temporal(distinct, unit="second"), pa.timestamp("s"))
        texts = pc.cast(seconds, pa.string())
        return pc.replace_substring_regex(texts, r" 00:00:00$", "")

    return _each_once(values, spell)


def with_decimal(texts: pa.StringArray, decimal: str) -> pa.StringArray:
    """Texts whose numbers were UNDECIDED, with the sign that was decided on."""
    # Few columns hold numbers, and one sign in all bytes is looked for in a fraction of the time.
    if decimal == UNDECIDED or not (letters_of(texts) == UNDECIDED.encode()[0]).any():
        return texts
    return pc.replace_substring(texts, UNDECIDED, decimal)


def decided(cells: pa.RecordBatch, decimal: str) -> pa.RecordBatch:
    """All columns with_decimal."""
    columns = [with_decimal(column, decimal) for column in cells.columns]
    return pa.RecordBatch.from_arrays(columns, names=cells.schema.names)


def _each_once(values: pa.Array, spell: Callable[[pa.Array], pa.StringArray]) -> pa.StringArray:
    """A column of prices holds a few hundred different ones."""
    coded = values.dictionary_encode()
    return spell(coded.dictionary).take(coded.indices)


def _numbers(values: pa.DoubleArray, *, decimal: str) -> pa.StringArray:
    whole = pc.and_(pc.equal(values, pc.trunc(values)), pc.less(pc.abs(values), EXACT))
    if pc.all(whole).as_py():
        return pc.cast(pc.cast(values, pa.int64()), pa.string())
    # Minus zero is zero.
    values = pc.add(values, 0.0)
    texts = pc.cast(values, pa.string())
    unlike = pc.or_(pc.greater(pc.binary_length(texts), DIGITS + 1), pc.match_substring(texts, "e"))
    if pc.any(unlike).as_py():
        texts = pc.replace_with_mask(
            texts, unlike, pa.array(map(_number, values.filter(unlike).to_pylist()), pa.string())
        )
    return pc.replace_substring(texts, ".", decimal)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < EXACT else f"{value:.{DIGITS}g}"
