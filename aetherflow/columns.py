"""The kinds a column can have, and what is derived from a department's schema.

A schema is a pandera model whose fields are made by `text`, `integer`, `number` and `day`. Each of them writes the
pandera checks and the matching `Column` from one call, so the data dictionary, the template, the clean table and the
validation cannot drift apart. All dtypes are Arrow-backed: the same checks on object columns cost ten times as much.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

import pandas as pd
import pandera.pandas as pa
import pyarrow

Text = Annotated[pd.ArrowDtype, pyarrow.string()]
Integer = Annotated[pd.ArrowDtype, pyarrow.int64()]
Number = Annotated[pd.ArrowDtype, pyarrow.float64()]
Day = Annotated[pd.ArrowDtype, pyarrow.date32()]

Kind = Literal["text", "integer", "number", "date"]
ARROW_TYPES: dict[Kind, pyarrow.DataType] = {
    "text": pyarrow.string(),
    "integer": pyarrow.int64(),
    "number": pyarrow.float64(),
    "date": pyarrow.date32(),
}

EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2100, 12, 31)

# Past 15 significant digits a float64 no longer gives back the decimal number that was read.
MOST_DIGITS = 15
# A larger whole number is read as this one, which no column's bounds let in.
MOST_INTEGER = 2**53

MISSING = ("", "-", "--", "\u2013", "\u2014", "na", "n/a", "#n/a", "#nv", "#n/d", "null", "(null)", r"\n", "none")
# In a number these are a calculation gone wrong, and a fault to mend; a text of them stands for nothing.
TEXT_MISSING = (*MISSING, "nan", "NaN", "<na>", "#ref!", "#value!", "#div/0!", "#name?", "#num!", "#null!")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a department's files, as people and the database need to know it.

    `required`: the header must be there. `nullable`: a cell may be empty. `max_digits` and `decimal_places` are the
    p and s of numeric(p, s). `missing` are the spellings read as an empty cell, in upper case and capitalised too.
    `unit` lets a number carry a currency ("money") or a percent sign ("percent"). `case` is the case texts are kept
    in. `multiline` keeps line breaks and all kinds of spaces inside a text as they are. A text that `is_code` names
    something, and is refused where a spreadsheet has made a number of it.
    """

    name: str
    kind: Kind
    required: bool
    nullable: bool
    description: str
    examples: tuple[str, str]
    max_length: int | None = None
    minimum: float | int | None = None
    maximum: float | int | None = None
    nonzero: bool = False
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    max_digits: int | None = None
    decimal_places: int | None = None
    unit: Literal["money", "percent"] | None = None
    case: Literal["upper", "lower"] | None = None
    multiline: bool = False
    is_code: bool = False
    missing: tuple[str, ...] = MISSING

    @property
    def example(self) -> str:
        return self.examples[0]

    @property
    def rule(self) -> str:
        """What a cell may hold, to follow 'must be'."""
        if self.kind == "date":
            return f"a day from {EARLIEST.isoformat()} to {LATEST.isoformat()}"
        if self.kind == "text":
            return self._text_rule()
        zero = ", but not 0" if self.nonzero else ""
        name = "a whole number" if self.kind == "integer" else "a number"
        return f"{name} from {_figure(self.minimum)} to {_figure(self.maximum)}{zero}"

    def _text_rule(self) -> str:
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        length = f"at most {self.max_length:,} characters long"
        return f"written like {self.example} and {length}" if self.pattern else length


def text(
    *,
    description: str,
    examples: tuple[str, str],
    max_length: int,
    nullable: bool = False,
    choices: Sequence[str] = (),
    pattern: str | None = None,
    case: Literal["upper", "lower"] | None = None,
    multiline: bool = False,
    is_code: bool = False,
    missing: tuple[str, ...] = TEXT_MISSING,
) -> Any:
    """A text of at most `max_length` characters; `pattern` is matched against the whole text."""
    checks: dict[str, Any] = {"str_length": {"max_value": max_length}}
    if choices:
        checks["isin"] = list(choices)
    if pattern:
        checks["str_matches"] = rf"^(?:{pattern})$"
    return _field(
        checks,
        description=description,
        nullable=nullable,
        kind="text",
        examples=examples,
        max_length=max_length,
        choices=tuple(choices),
        pattern=pattern,
        case=case,
        multiline=multiline,
        is_code=is_code,
        missing=missing,
    )


def integer(
    *,
    description: str,
    examples: tuple[str, str],
    minimum: int,
    maximum: int,
    nonzero: bool = False,
    nullable: bool = False,
) -> Any:
    """A whole number in [minimum, maximum], both below 2**53 in size."""
    if max(abs(minimum), abs(maximum)) >= MOST_INTEGER:
        raise ValueError(f"The bounds {minimum} and {maximum} leave the range of exact whole numbers, ±2**53.")
    checks: dict[str, Any] = {"in_range": {"min_value": minimum, "max_value": maximum}}
    if nonzero:
        checks["ne"] = 0
    return _field(
        checks,
        description=description,
        nullable=nullable,
        kind="integer",
        examples=examples,
        minimum=minimum,
        maximum=maximum,
        nonzero=nonzero,
    )


def number(
    *,
    description: str,
    examples: tuple[str, str],
    max_digits: int,
    decimal_places: int,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: Literal["money", "percent"] | None = None,
    nullable: bool = False,
) -> Any:
    """A decimal number of numeric(max_digits, decimal_places); further decimals are rounded, half away from zero."""
    if max_digits > MOST_DIGITS:
        raise ValueError(f"{max_digits} digits do not survive a float64; at most {MOST_DIGITS} do.")
    largest = (10**max_digits - 1) / 10**decimal_places
    low = -largest if minimum is None else minimum
    high = largest if maximum is None else maximum
    return _field(
        {"in_range": {"min_value": low, "max_value": high}},
        description=description,
        nullable=nullable,
        kind="number",
        examples=examples,
        minimum=low,
        maximum=high,
        max_digits=max_digits,
        decimal_places=decimal_places,
        unit=unit,
    )


def day(*, description: str, examples: tuple[str, str], nullable: bool = False) -> Any:
    """A calendar day from 1900 to 2100: a year outside is a slip of the pen, and would stretch every chart."""
    return _field(
        {"ge": EARLIEST, "le": LATEST}, description=description, nullable=nullable, kind="date", examples=examples
    )


def columns_of(rows: type[pa.DataFrameModel]) -> tuple[Column, ...]:
    """The columns a schema declares, in its order. Raises TypeError for a field not made by this module."""
    found = []
    for name, field in rows.to_schema().columns.items():
        declared = (field.metadata or {}).get("column")
        if declared is None:
            raise TypeError(f"{rows.__name__}.{name} must be declared with text(), integer(), number() or day().")
        found.append(
            Column(
                name=name,
                required=field.required,
                nullable=field.nullable,
                description=field.description,
                **declared,
            )
        )
    return tuple(found)


@lru_cache(maxsize=4096)
def label_key(label: str) -> str:
    """What two spellings of a header have in common: case, spaces, underscores, hyphens, dots and a BOM aside."""
    folded = unicodedata.normalize("NFKC", label).casefold()
    return re.sub(r"[\s_\-.\u200b\ufeff]+", "", folded)


def _field(checks: dict[str, Any], *, description: str, nullable: bool, **declared: object) -> Any:
    return pa.Field(**checks, description=description, nullable=nullable, metadata={"column": declared})


def _figure(bound: float | None) -> str:
    return "any" if bound is None else f"{bound:,.15g}"
