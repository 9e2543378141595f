"""Rows as COPY's text format, for tables whose types read texts: JSON, UUIDs."""

import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.etl.casting import letters_of

# The backslash first: those of the others are not to be doubled.
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_NULL, _TAB, _END = "\\N", "\t", pa.scalar("\n")
_SPACE, _BACKSLASH = ord(" "), ord("\\")


def copy_text(rows: pa.Table) -> bytes:
    r"""A null is written as \N."""
    *cells, last = (_spelled(rows.column(name).combine_chunks()) for name in rows.column_names)
    last = _joined(last, _END, between="")
    text: bytes = letters_of(_joined(*cells, last, between=_TAB)).tobytes()
    return text


def _spelled(cells: pa.Array) -> pa.StringArray:
    return _escaped(cells) if pa.types.is_string(cells.type) else cells.cast(pa.string())


def _joined(*cells: pa.StringArray, between: str) -> pa.StringArray:
    return pc.binary_join_element_wise(*cells, between, null_handling="replace", null_replacement=_NULL)


def _escaped(cells: pa.StringArray) -> pa.StringArray:
    letters = letters_of(cells)
    if letters.min(initial=_SPACE) < _SPACE or (letters == _BACKSLASH).any():
        for letter, written in _ESCAPES.items():
            cells = pc.replace_substring(cells, letter, written)
    return cells
