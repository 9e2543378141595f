"""A fault of a cell in words for the person whose file it is in."""

from __future__ import annotations

import inspect
import re

import pandera.pandas as pa

from aetherflow.columns import Column
from aetherflow.etl.casting import MADE_A_NUMBER, Conventions, DateOrder

SHOWN = 80
_IN_WORDS: dict[DateOrder, str] = {
    "day-first": "day before the month",
    "month-first": "month before the day",
    "year-first": "year first and the day last",
}


def shown(value: str) -> str:
    """A cell short enough for a sentence."""
    return repr(value if len(value) <= SHOWN else f"{value[:SHOWN]}…")


def type_error(value: str, *, column: Column, label: str, conventions: Conventions) -> tuple[str, str]:
    """Message and hint for a cell that is no value of its column's kind."""
    what = {"integer": "a whole number", "number": "a number", "date": "a date"}[column.kind]
    if column.kind == "date":
        return f"{shown(value)} in {label!r} is not {what}.", _date_hint(column, conventions)
    hint = f"Write it in digits, such as {column.example}."
    if conventions.decimal == ",":
        hint += " This file is read with a decimal comma, the point separating thousands."
    elif "," in value:
        hint += " This file is read with a decimal point, the comma separating thousands."
    return f"{shown(value)} in {label!r} is not {what}.", hint


def missing_value(*, column: Column, label: str) -> tuple[str, str]:
    return f"{label!r} is empty.", f"Fill it in: {column.description}"


def constraint_error(value: str, *, column: Column, label: str, conventions: Conventions) -> tuple[str, str]:
    if column.is_code and re.search(MADE_A_NUMBER, value):
        return (
            f"{shown(value)} in {label!r} is a number that a spreadsheet has made of a code; the code itself is lost.",
            "Format the column as text in the spreadsheet, fill in the codes again, and export it anew.",
        )
    hint = f"Correct it. {column.description}"
    if column.name in conventions.shares:
        hint += " This file's are read as shares of 1, such as 0.15 for 15 %. With a percent sign 15 is meant as it is."
    if column.max_length is not None and len(value) > column.max_length:
        return f"The text in {label!r} has {len(value):,} characters; it must be {column.rule}.", hint
    return f"{shown(value)} in {label!r} is not allowed; it must be {column.rule}.", hint


def ragged_code(cells: int, *, columns: int) -> str:
    return "extra-cell" if cells > columns else "missing-cell"


def ragged(cells: int, *, columns: int, breaks: bool) -> tuple[str, str]:
    """Message and hint for a row of another width than the header."""
    hint = (
        "Put a cell that contains the delimiter in quotation marks, or remove the extra cells."
        if cells > columns
        else "Add the missing cells; an empty cell still needs its delimiter."
    )
    if breaks:
        hint = "The row runs over several lines: perhaps a quotation mark is not closed."
    noun = "cell" if cells == 1 else "cells"
    return (
        f"The row has {cells:,} {noun}; the header has {columns:,} columns.",
        hint,
    )


def more(faults: int) -> str:
    """To follow the message of the last fault that is itemised of a line."""
    return f" {faults:,} more {'fault' if faults == 1 else 'faults'} of this line are counted and not listed."


def null_byte(label: str) -> tuple[str, str]:
    return f"{label!r} contains a NUL byte.", "Export the file again; NUL bytes are a sign of a damaged file."


def row_error(rows: type[pa.DataFrameModel]) -> tuple[str, str]:
    """For a check over several columns, which a schema explains in its own docstring."""
    return "The values of the row do not go together.", f"Compare them with each other. {inspect.getdoc(rows) or ''}"


def repeated(*, key: str, line: int) -> tuple[str, str]:
    return (
        f"The row repeats {key} of line {line:,}.",
        "The first row was loaded. Remove the repeat, or correct the key if it is another row.",
    )


def _date_hint(column: Column, conventions: Conventions) -> str:
    if conventions.date_order == "iso":
        return f"Write it as year-month-day, such as {column.example}."
    order = _IN_WORDS[conventions.date_order]
    return f"This file is read with the {order}; writing dates as {column.example} avoids the question."
