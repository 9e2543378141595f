"""Texts to typed values, without ever failing: what cannot be read is null and marked.

Good cells take one vectorised cast; only those it leaves over go through the spellings people use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.columns import ARROW_TYPES, MOST_INTEGER, Column

Decimal = Literal[".", ","]
DateOrder = Literal["iso", "day-first", "month-first"]

CURRENCY = (
    r"(?:(?:US|C|A|NZ|HK|S|NT|R|MX)\$|[€$£¥₹₩₽₺₴₫₪฿]|zł|Kč|Ft|kr\.?|Fr\.?|Rs\.?|(?i:USD|EUR|GBP|CHF|JPY|CNY|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|UAH"
    r"|AUD|NZD|CAD|MXN|BRL|INR|SGD|HKD|ZAR|AED|SAR|KWD|KRW|ILS|THB))"
)
MINUS_SIGNS = "[\u2212\u2013\u2014\u2010\u2011]"
# What a spreadsheet's users write so that it keeps the zeros of a code.
GUARDED = '^="([^"]*)"$'
# They cannot be seen and make two codes of one. Not the joiners, which some scripts and emoji need.
INVISIBLE = "[\u200b\u2060\ufeff]"
NO_BREAK = "[\u00a0\u2007\u202f]"
# A number too large for float64 is still a number: it must fail its column's range, not look like a typing error.
BEYOND = 1e300

TIME = r"(?:[T ]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?$"
YEAR_FIRST = rf"^(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}}){TIME}"
COMPACT = rf"^(?P<y>[12]\d{{3}})(?P<m>\d{{2}})(?P<d>\d{{2}}){TIME}"
DAY_FIRST = rf"^(?P<d>\d{{1,2}})[-/. ](?P<m>\d{{1,2}})[-/. ](?P<y>\d{{4}}|\d{{2}}){TIME}"
MONTH_FIRST = rf"^(?P<m>\d{{1,2}})[-/. ](?P<d>\d{{1,2}})[-/. ](?P<y>\d{{4}}|\d{{2}}){TIME}"
_NAME = r"(?P<m>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))[a-z]{0,6}"
DAY_NAME = rf"^(?P<d>\d{{1,2}})[-/. ]+{_NAME}[-/., ]+(?P<y>\d{{4}}|\d{{2}}){TIME}"
NAME_DAY = rf"^{_NAME}[-/. ]+(?P<d>\d{{1,2}}),? +(?P<y>\d{{4}}){TIME}"
LAST_SHORT_YEAR = "68"
MONTHS = {
    name: f"{at:02d}"
    for at, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """How numbers and days are written, decided once for a whole file."""

    decimal: Decimal
    date_order: DateOrder


@dataclass(frozen=True, kw_only=True)
class Cast:
    """`values` in the column's Arrow type, null where missing or unreadable; `empty`: no text at all;
    `unreadable`: a text that is no value of this kind. All of the same length."""

    values: pa.Array
    empty: pa.BooleanArray
    unreadable: pa.BooleanArray


def cast(cells: pa.StringArray, column: Column, *, conventions: Conventions) -> Cast:
    """Read the cells of one column. NaN and infinity are unreadable; decimals beyond the column's are rounded."""
    trimmed = pc.utf8_trim_whitespace(cells)
    if column.kind == "text":
        trimmed = _as_seen(trimmed, column)
    present = pc.if_else(pc.is_in(trimmed, value_set=_spellings(column)), None, trimmed)
    if column.kind == "text":
        values = _texts(present, column)
    elif column.kind == "date":
        values = _days(present, order=conventions.date_order)
    elif column.kind == "integer":
        values = _integers(present, decimal=conventions.decimal)
    else:
        values = _decimals(present, column, decimal=conventions.decimal)
    return Cast(
        values=values.cast(ARROW_TYPES[column.kind]),
        empty=pc.equal(trimmed, ""),
        unreadable=pc.and_(pc.is_valid(present), pc.is_null(values)),
    )


def _spellings(column: Column) -> pa.Array:
    return pa.array(sorted({form for token in column.missing for form in (token, token.upper(), token.capitalize())}))


def _as_seen(trimmed: pa.StringArray, column: Column) -> pa.StringArray:
    """Texts that look the same become the same: ="00042", no-break and zero-width spaces, é of one sign or of two."""
    seen = trimmed
    if pc.any(pc.starts_with(seen, '="')).as_py():
        seen = pc.replace_substring_regex(seen, GUARDED, r"\1")
    if not column.multiline and not pc.all(pc.string_is_ascii(seen)).as_py():
        seen = pc.utf8_normalize(pc.replace_substring_regex(seen, INVISIBLE, ""), form="NFC")
        seen = pc.replace_substring_regex(seen, NO_BREAK, " ")
    return trimmed if seen is trimmed else pc.utf8_trim_whitespace(seen)


def _texts(present: pa.StringArray, column: Column) -> pa.StringArray:
    if column.multiline:
        return present
    written = _bytes_of(present)
    if any(run in written for run in (b"  ", b"\n", b"\r", b"\t")):
        present = pc.replace_substring_regex(present, r"\s+", " ")
    if column.case == "upper":
        return pc.utf8_upper(present)
    return pc.utf8_lower(present) if column.case == "lower" else present


def _bytes_of(cells: pa.StringArray) -> bytes:
    """All cells one behind the other: to look for something rare in them takes a tenth of a look into each."""
    _, offsets, written = cells.buffers()
    if written is None:
        return b""
    bounds = np.frombuffer(offsets, dtype=np.int32)
    return written[int(bounds[cells.offset]) : int(bounds[cells.offset + len(cells)])].to_pybytes()


def _decimals(present: pa.StringArray, column: Column, *, decimal: Decimal) -> pa.Array:
    values = _numbers(pl.Series(present), decimal=decimal, unit=column.unit)
    rounded = pc.round(values.to_arrow(), ndigits=column.decimal_places, round_mode="half_towards_infinity")
    return pc.if_else(pc.less(pc.abs(rounded), BEYOND), rounded, values.to_arrow())


def _integers(present: pa.StringArray, *, decimal: Decimal) -> pa.Array:
    texts = pl.Series(present)
    values = texts.cast(pl.Int64, strict=False)
    left = (values.is_null() & texts.is_not_null()).arg_true()
    if len(left):
        numbers = _numbers(texts.gather(left), decimal=decimal, unit=None)
        whole = numbers.set(numbers != numbers.round(0), None)
        values = values.scatter(left, whole.clip(-MOST_INTEGER, MOST_INTEGER).cast(pl.Int64))
    # pandera puts the failing cells of all columns into one, where a larger integer than a float can hold is an error.
    return values.clip(-MOST_INTEGER, MOST_INTEGER).to_arrow()


def _numbers(texts: pl.Series, *, decimal: Decimal, unit: str | None) -> pl.Series:
    """Float64, null where the text is no number."""
    plain = texts
    if decimal == ",":
        # 1.234 is a thousand here: the quick cast would read it as one and a bit.
        plain = texts.set(texts.str.contains(".", literal=True), None).str.replace(",", ".", literal=True)
    values = plain.cast(pl.Float64, strict=False)
    values = values.set(~values.is_finite(), None).clip(-BEYOND, BEYOND)
    left = (values.is_null() & texts.is_not_null()).arg_true()
    if len(left):
        values = values.scatter(left, _spelled_numbers(texts.gather(left), decimal=decimal, unit=unit))
    return values


def _spelled_numbers(texts: pl.Series, *, decimal: Decimal, unit: str | None) -> pl.Series:
    """1,234.50 · € 45.90 · (12.00) · 12- · 12.- · 1 234,50 · 15 % as Float64; null for anything else."""
    point, comma = (r"\.", ",") if decimal == "." else (",", r"\.")
    texts = texts.str.replace_all(MINUS_SIGNS, "-")
    if unit == "percent":
        texts = texts.str.replace(r"\s*%$", "")
    if unit == "money":
        # A dash in place of the cents is none of a minus: 80,- and Fr. 1'200.-
        texts = _without_currency(texts).str.replace(rf"(\d){point}\s?-{{1,2}}$", "$1")
    texts = texts.str.replace(r"^\(\s*([^()+-].*?)\s*\)$", "-$1").str.replace(r"^(\d.*?)\s*-$", "-$1")
    if unit == "money":
        texts = _without_currency(texts)
    grouped = "|".join(
        rf"\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}" for mark in (comma, "[ \u00a0\u202f]", "['\u2019]")
    )
    number = rf"^[+-]?(?:(?:\d+|{grouped})(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d{{1,3}})?$"
    texts = texts.set(~texts.str.contains(number), None)
    texts = texts.str.replace_all(rf"{comma}|[ \u00a0\u202f'\u2019]", "").str.replace(",", ".", literal=True)
    return texts.cast(pl.Float64, strict=False).clip(-BEYOND, BEYOND)


def _without_currency(texts: pl.Series) -> pl.Series:
    return texts.str.replace(rf"^([+-]?)\s*{CURRENCY}\s*([+-]?)", "$1$2").str.replace(rf"([\d)-])\s*{CURRENCY}$", "$1")


def _days(present: pa.StringArray, *, order: DateOrder) -> pa.Array:
    """Each different text is read once: a million cells hold a few hundred days."""
    coded = pc.dictionary_encode(present)
    days = read_days(pl.Series(coded.dictionary, dtype=pl.String), order=order)
    return days.to_arrow().take(coded.indices)


def read_days(texts: pl.Series, *, order: DateOrder) -> pl.Series:
    """Dates, null where a text is none or is impossible in the order. A time of day is dropped, and its zone.

    A year of two digits is one from 1969 to 2068, as POSIX reads it.
    """
    days = pl.Series([None] * len(texts), dtype=pl.Date)
    numeric = MONTH_FIRST if order == "month-first" else DAY_FIRST
    for pattern in (YEAR_FIRST, numeric, COMPACT, DAY_NAME, NAME_DAY):
        left = (days.is_null() & texts.is_not_null()).arg_true()
        if not len(left):
            break
        days = days.scatter(left, _read_as(pattern, texts.gather(left)))
    return days


def _read_as(pattern: str, texts: pl.Series) -> pl.Series:
    parts = texts.str.extract_groups(pattern).struct.unnest()
    century = pl.when(pl.col("y") > LAST_SHORT_YEAR).then(pl.lit("19")).otherwise(pl.lit("20"))
    year = pl.when(pl.col("y").str.len_bytes() == 2).then(century + pl.col("y")).otherwise(pl.col("y"))
    month = pl.col("m").str.to_lowercase().replace(MONTHS)
    return parts.select(
        pl.concat_str([year, month, "d"], separator="-").str.to_date("%Y-%m-%d", strict=False)
    ).to_series()
