"""A file that completes another one: the list of its rejects, mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.columns import label_key
from aetherflow.etl.casting import DateOrder, Decimal, Scale

# What a list of rejects holds beside the columns of the file.
ANNOTATIONS = ("error_code", "error")
_KEYS = frozenset(label_key(label) for label in ANNOTATIONS)

NUL_SHOWN = "\u2400"
# A spreadsheet would run what begins like this, so a list of rejects has an apostrophe before it; behind spaces too,
# and inside of a cell where one that separates by another sign, or does not see the quotation marks, would begin
# another cell.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
FORMULA = f" *[{_SIGNS}\t\r]"
FORMULA_INSIDE = f" *[{_SIGNS}]"
BEGINNING = "[;|\t\r\n]"
_GUARDED = rf"^'('*{FORMULA})"
_GUARDED_INSIDE = rf"({BEGINNING})'('*{FORMULA_INSIDE})"


@dataclass(frozen=True, kw_only=True)
class Correction:
    """How the file that is completed was read; None where nothing in it settled that. `percentages`: of which columns
    it was settled whether they hold percentages or shares of 1."""

    decimal: Decimal | None = None
    date_order: DateOrder | None = None
    percentages: Mapping[str, Scale] = field(default_factory=dict)

    @classmethod
    def of(cls, reading: Mapping[str, object]) -> Self:
        """From the reading as JSON; empty for a file that was refused before it was understood."""
        settled = {
            name: reading[name]
            for name in ("decimal", "date_order", "percentages")
            if not reading.get(f"{name}_assumed", True)
        }
        if settled.get("date_order") == "iso":
            del settled["date_order"]
        return cls(**settled)  # type: ignore[arg-type]  # what a Reading wrote


def is_annotation(label: str) -> bool:
    return label_key(label) in _KEYS


def without_annotations(header: Sequence[str]) -> list[int]:
    """The places of the file's own columns, where it is a list of rejects; of all of them, where it is not."""
    if not {label_key(label) for label in header} >= _KEYS:
        return list(range(len(header)))
    return [at for at, label in enumerate(header) if not is_annotation(label)]


def as_in_the_file(cells: pa.RecordBatch) -> pa.RecordBatch:
    """The cells of a list of rejects as they were before they were made fit to be stored and safe to be opened."""
    return pa.RecordBatch.from_arrays([_as_it_was(column) for column in cells.columns], names=cells.schema.names)


def _as_it_was(column: pa.StringArray) -> pa.StringArray:
    if pc.any(pc.match_substring(column, NUL_SHOWN)).as_py():
        column = pc.replace_substring(column, NUL_SHOWN, "\x00")
    if pc.any(pc.match_substring(column, "'")).as_py():
        column = pc.replace_substring_regex(column, _GUARDED, r"\1")
        column = pc.replace_substring_regex(column, _GUARDED_INSIDE, r"\1\2")
    return column
