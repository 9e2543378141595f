"""Texts to typed values, without ever failing: what cannot be read is null and marked.

Good cells take one vectorised cast; only those it leaves over go through the spellings people use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.columns import ARROW_TYPES, MOST_INTEGER, Column

Decimal = Literal[".", ","]
DateOrder = Literal["iso", "day-first", "month-first", "year-first"]
Scale = Literal["percent", "share"]

CURRENCY = (
    r"(?:(?:US|C|A|NZ|HK|S|NT|R|MX)\$|[€$£¥₹₩₽₺₴₫₪฿]|zł|Kč|Ft|kr\.?|Fr\.?|Rs\.?|(?i:USD|EUR|GBP|CHF|JPY|CNY|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|UAH"
    r"|AUD|NZD|CAD|MXN|BRL|INR|SGD|HKD|ZAR|AED|SAR|KWD|KRW|ILS|THB))"
)
MINUS_SIGNS = "[\u2212\u2013\u2014\u2010\u2011]"
# What a spreadsheet's users write so that it keeps the zeros of a code.
GUARDED = '^="([^"]*)"$'
# 4.00638E+12 is what it makes of a bar code: the digits behind are lost, and many codes become one.
MADE_A_NUMBER = r"^[+-]?\d(?:[.,]\d+)?[eE]\+\d{2,3}$"
# They cannot be seen and make two codes of one. Not the joiners, which some scripts and emoji need.
INVISIBLE = "[\u200b\u2060\ufeff]"
NO_BREAK = "[\u00a0\u2007\u202f]"
# What stands between the groups of digits, or between a number and its sign.
SPACES = " \u00a0\u202f"
# A number too large for float64 is still a number: it must fail its column's range, not look like a typing error.
BEYOND = 1e300
PERCENT = 100

# Bytes: the first that is neither a space nor a control sign, and the first of signs beyond ASCII.
FIRST_VISIBLE, FIRST_BEYOND_ASCII = 0x21, 0x80
PLUS, EQUALS = ord("+"), ord("=")
SPACE = ord(" ")

TIME = r"(?:[T ]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?$"
YEAR_FIRST = rf"^(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}}){TIME}"
COMPACT = rf"^(?P<y>[12]\d{{3}})(?P<m>\d{{2}})(?P<d>\d{{2}}){TIME}"
DAY_FIRST = rf"^(?P<d>\d{{1,2}})[-/. ](?P<m>\d{{1,2}})[-/. ](?P<y>\d{{4}}|\d{{2}}){TIME}"
MONTH_FIRST = rf"^(?P<m>\d{{1,2}})[-/. ](?P<d>\d{{1,2}})[-/. ](?P<y>\d{{4}}|\d{{2}}){TIME}"
# 26-03-31; a year of four digits is read wherever it stands in front, whatever the order.
SHORT_YEAR_FIRST = rf"^(?P<y>\d{{2}})[-/. ](?P<m>\d{{1,2}})[-/. ](?P<d>\d{{1,2}}){TIME}"
NUMERIC = {"month-first": MONTH_FIRST, "year-first": SHORT_YEAR_FIRST}
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
    """How numbers and days are written, decided once for a whole file. `shares` names the columns of percentages that
    are written as shares of 1: 0.15 for 15 %."""

    decimal: Decimal
    date_order: DateOrder
    shares: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Cast:
    """`values` in the column's Arrow type, null where missing or unreadable; `unreadable`: a text that is no value of
    this kind. Both of the same length."""

    values: pa.Array
    unreadable: np.ndarray


def cast(cells: pa.StringArray, column: Column, *, conventions: Conventions) -> Cast:
    """Read the cells of one column. NaN and infinity are unreadable; decimals beyond the column's are rounded."""
    match column.kind:
        case "text":
            values, unreadable = _as_texts(cells, column), np.zeros(len(cells), dtype=bool)
        case "date":
            values, unreadable = _as_days(cells, column, order=conventions.date_order)
        case _:
            is_share = column.name in conventions.shares
            values, unreadable = _as_numbers(cells, column, decimal=conventions.decimal, is_share=is_share)
    return Cast(values=values.cast(ARROW_TYPES[column.kind]), unreadable=unreadable)


def codes_made_numbers(codes: pa.StringArray) -> np.ndarray:
    """Places of codes that a spreadsheet has made numbers of."""
    if not (letters_of(codes) == PLUS).any():
        return np.zeros(0, dtype=np.int64)
    made = pc.fill_null(pc.match_substring_regex(codes, MADE_A_NUMBER), fill_value=False)
    places: np.ndarray = np.flatnonzero(made.to_numpy(zero_copy_only=False))
    return places


def _without_missing(trimmed: pa.StringArray, column: Column) -> pa.StringArray:
    if _shortest(trimmed) > _longest_spelling(column.missing):
        return trimmed
    missing = pc.is_in(trimmed, value_set=_spellings(column.missing))
    return pc.if_else(missing, None, trimmed) if pc.any(missing).as_py() else trimmed


@cache
def _spellings(missing: tuple[str, ...]) -> pa.Array:
    return pa.array(sorted({form for token in missing for form in (token, token.upper(), token.capitalize())}))


@cache
def _longest_spelling(missing: tuple[str, ...]) -> int:
    return pc.max(pc.binary_length(_spellings(missing))).as_py() or 0


def _as_texts(cells: pa.StringArray, column: Column) -> pa.StringArray:
    written = letters_of(cells)
    # One look at all bytes takes a tenth of what a look into each cell takes.
    is_ascii = written.max(initial=0) < FIRST_BEYOND_ASCII
    has_spaces = not is_ascii or written.min(initial=FIRST_VISIBLE) < FIRST_VISIBLE
    trimmed = pc.utf8_trim_whitespace(cells) if has_spaces else cells
    present = _without_missing(_as_seen(trimmed, column, is_ascii=is_ascii), column)
    if column.multiline:
        return present
    if has_spaces and _has_runs_of_spaces(letters_of(present)):
        present = pc.replace_substring_regex(present, r"\s+", " ")
    if column.case == "upper":
        return pc.ascii_upper(present) if is_ascii else pc.utf8_upper(present)
    if column.case == "lower":
        return pc.ascii_lower(present) if is_ascii else pc.utf8_lower(present)
    return present


def _as_seen(trimmed: pa.StringArray, column: Column, *, is_ascii: bool) -> pa.StringArray:
    """Texts that look the same become the same: ="00042", no-break and zero-width spaces, é of one sign or of two."""
    seen = trimmed
    if (letters_of(seen) == EQUALS).any():
        seen = pc.replace_substring_regex(seen, GUARDED, r"\1")
    if not column.multiline and not is_ascii:
        seen = pc.utf8_normalize(pc.replace_substring_regex(seen, INVISIBLE, ""), form="NFC")
        seen = pc.replace_substring_regex(seen, NO_BREAK, " ")
    return trimmed if seen is trimmed else pc.utf8_trim_whitespace(seen)


def letters_of(cells: pa.StringArray) -> np.ndarray:
    """The bytes of all cells, one behind the other, without a copy."""
    _, offsets, written = cells.buffers()
    if written is None:
        return np.zeros(0, dtype=np.uint8)
    bounds = np.frombuffer(offsets, dtype=np.int32)
    return np.frombuffer(written, dtype=np.uint8)[bounds[cells.offset] : bounds[cells.offset + len(cells)]]


def _has_runs_of_spaces(letters: np.ndarray) -> bool:
    """Two in a row, or a control sign, which may be a line end or a tab; seldom in two cells where each has one."""
    if letters.min(initial=SPACE) < SPACE:
        return True
    spaces = letters == SPACE
    return bool((spaces[1:] & spaces[:-1]).any())


def _shortest(cells: pa.StringArray) -> int:
    """Bytes of the shortest cell, a null being as short as can be; 0 of none."""
    if not len(cells) or cells.null_count:
        return 0
    bounds = np.frombuffer(cells.buffers()[1], dtype=np.int32)[cells.offset : cells.offset + len(cells) + 1]
    return int((bounds[1:] - bounds[:-1]).min())


def _as_numbers(
    cells: pa.StringArray, column: Column, *, decimal: Decimal, is_share: bool
) -> tuple[pa.Array, np.ndarray]:
    """Most cells are numbers as they stand; what the quick cast leaves over is looked at more closely.

    Where the column `is_share`, the values are percentages all the same, and so is a cell with a percent sign.
    """
    texts, is_whole = pl.Series(cells), column.kind == "integer"
    values = texts.cast(pl.Int64, strict=False) if is_whole else _plain_numbers(texts, decimal=decimal)
    if is_share:
        values = values * PERCENT
    unreadable = np.zeros(len(cells), dtype=bool)
    if values.null_count():
        left = values.is_null().arg_true()
        trimmed = pc.utf8_trim_whitespace(cells.take(left.to_arrow()))
        present = pl.Series(_without_missing(trimmed, column), dtype=pl.String)
        found = _numbers(present, decimal=decimal, unit=column.unit)
        if is_share:
            found = found.zip_with(present.str.ends_with("%"), found * PERCENT)
        if is_whole:
            found = _within(found.set(found != found.round(0), None), MOST_INTEGER).cast(pl.Int64)
        values = values.scatter(left, found)
        unreadable[left.to_numpy()] = (found.is_null() & present.is_not_null()).to_numpy()
    if is_whole:
        # pandera puts the failing cells of all columns into one, where a larger integer than a float can hold is an
        # error.
        return _within(values, MOST_INTEGER).to_arrow(), unreadable
    return _rounded(values.to_arrow(), places=column.decimal_places), unreadable


def _rounded(values: pa.DoubleArray, *, places: int | None) -> pa.DoubleArray:
    rounded = pc.round(values, ndigits=places, round_mode="half_towards_infinity")
    bounds = pc.min_max(rounded).as_py()
    if bounds["min"] is None or (bounds["min"] > -BEYOND and bounds["max"] < BEYOND):
        return rounded
    return pc.if_else(pc.less(pc.abs(rounded), BEYOND), rounded, values)


def _numbers(texts: pl.Series, *, decimal: Decimal, unit: str | None) -> pl.Series:
    """Float64, null where the text is no number."""
    values = _plain_numbers(texts, decimal=decimal)
    left = (values.is_null() & texts.is_not_null()).arg_true()
    if len(left):
        values = values.scatter(left, _spelled_numbers(texts.gather(left), decimal=decimal, unit=unit))
    return values


def _plain_numbers(texts: pl.Series, *, decimal: Decimal) -> pl.Series:
    """Float64 of what is a number as it stands, else null; of nothing that only looks like one."""
    if decimal == ",":
        # 1.234 is a thousand here: the cast would read it as one and a bit.
        texts = texts.set(texts.str.contains(".", literal=True), None).str.replace(",", ".", literal=True)
    values = texts.cast(pl.Float64, strict=False)
    finite = values.is_finite()
    if not finite.all():
        values = values.set(~finite, None)
    return _within(values, BEYOND)


def _within(values: pl.Series, bound: float) -> pl.Series:
    """What is larger in size is cut to the bound. Seldom anything is, and to ask takes a fifth of the time."""
    least, most = values.min(), values.max()
    is_within = least is None or (-bound <= least and most <= bound)  # type: ignore[operator]  # numbers, both
    return values if is_within else values.clip(-bound, bound)


def _spelled_numbers(texts: pl.Series, *, decimal: Decimal, unit: str | None) -> pl.Series:
    """1,234.50 · € 45.90 · (12.00) · 12- · 12.- · 1 234,50 · 15 % as Float64; null for anything else."""
    values = texts.alias("text").to_frame().select(_usual_number(decimal, unit)).to_series()
    left = values.is_null().arg_true()
    if len(left):
        rest = texts.gather(left).alias("text").to_frame()
        values = values.scatter(left, rest.select(_spelled_number(decimal, unit)).to_series())
    return values


@cache
def _usual_number(decimal: Decimal, unit: str | None) -> pl.Expr:
    """Of the column `text`, where it is spelled as most are: $1,234.50 · (45.90) · -1.234,50 € · 15 %. It is what
    `_spelled_number` makes of them too, in a tenth of its time."""
    point, mark = (".", ",") if decimal == "." else (",", ".")
    sign = {"money": "[€$£¥]", "percent": "%"}.get(unit or "", "")
    before = f"(?:{sign}[{SPACES}]?)?" if unit == "money" else ""
    behind = f"(?:[{SPACES}]?{sign})?" if sign else ""
    number = rf"(?:\d+|\d{{1,3}}(?:[{mark}]\d{{3}})+)(?:[{point}]\d+)?"
    text = pl.col("text")
    is_negative, is_whole = text.str.contains("^[(-]"), text.str.starts_with("(") == text.str.ends_with(")")
    digits = text.str.strip_chars(f"()-€$£¥%{SPACES}").str.replace_all(mark, "", literal=True)
    size = digits.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False).clip(0, BEYOND)
    is_usual = text.str.contains(rf"^[(-]?{before}{number}{behind}\)?$") & is_whole
    return pl.when(is_usual).then(pl.when(is_negative).then(-size).otherwise(size))


@cache
def _spelled_number(decimal: Decimal, unit: str | None) -> pl.Expr:
    """Of the column `text`. One expression, because polars takes as long to begin one as to work a thousand texts."""
    point, comma = (r"\.", ",") if decimal == "." else (",", r"\.")
    text = pl.col("text").str.replace_all(MINUS_SIGNS, "-")
    if unit == "percent":
        text = text.str.replace(r"\s*%$", "")
    if unit == "money":
        # A dash in place of the cents is none of a minus: 80,- and Fr. 1'200.-
        text = _without_currency(text).str.replace(rf"(\d){point}\s?-{{1,2}}$", "$1")
    text = text.str.replace(r"^\(\s*([^()+-].*?)\s*\)$", "-$1").str.replace(r"^(\d.*?)\s*-$", "-$1")
    if unit == "money":
        text = _without_currency(text)
    grouped = "|".join(rf"\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}" for mark in (comma, f"[{SPACES}]", "['\u2019]"))
    number = rf"^[+-]?(?:(?:\d+|{grouped})(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d{{1,3}})?$"
    digits = text.str.replace_all(rf"{comma}|[{SPACES}'\u2019]", "").str.replace(",", ".", literal=True)
    return pl.when(text.str.contains(number)).then(digits).cast(pl.Float64, strict=False).clip(-BEYOND, BEYOND)


def _without_currency(text: pl.Expr) -> pl.Expr:
    return text.str.replace(rf"^([+-]?)\s*{CURRENCY}\s*([+-]?)", "$1$2").str.replace(rf"([\d)-])\s*{CURRENCY}$", "$1")


def _as_days(cells: pa.StringArray, column: Column, *, order: DateOrder) -> tuple[pa.Array, np.ndarray]:
    """Each different text is read once: a million cells hold a few hundred days."""
    coded = pc.dictionary_encode(cells)
    present = _without_missing(pc.utf8_trim_whitespace(coded.dictionary), column)
    days = read_days(pl.Series(present, dtype=pl.String), order=order).to_arrow()
    unreadable = pc.and_(pc.is_valid(present), pc.is_null(days)).to_numpy(zero_copy_only=False)
    return days.take(coded.indices), unreadable[coded.indices.to_numpy()]


def read_days(texts: pl.Series, *, order: DateOrder) -> pl.Series:
    """Dates, null where a text is none or is impossible in the order. A time of day is dropped, and its zone.

    A year of two digits is one from 1969 to 2068, as POSIX reads it.
    """
    days = pl.Series([None] * len(texts), dtype=pl.Date)
    for pattern in (YEAR_FIRST, NUMERIC.get(order, DAY_FIRST), COMPACT, DAY_NAME, NAME_DAY):
        left = (days.is_null() & texts.is_not_null()).arg_true()
        if not len(left):
            break
        days = days.scatter(left, _read_as(pattern, texts.gather(left)))
    return days


def _read_as(pattern: str, texts: pl.Series) -> pl.Series:
    return texts.str.extract_groups(pattern).struct.unnest().select(_DAY).to_series()


def _day() -> pl.Expr:
    """Of columns `y`, `m` and `d` of texts."""
    century = pl.when(pl.col("y") > LAST_SHORT_YEAR).then(pl.lit("19")).otherwise(pl.lit("20"))
    year = pl.when(pl.col("y").str.len_bytes() == 2).then(century + pl.col("y")).otherwise(pl.col("y"))
    month = pl.col("m").str.to_lowercase().replace(MONTHS)
    return pl.concat_str([year, month, "d"], separator="-").str.to_date("%Y-%m-%d", strict=False)


_DAY = _day()
