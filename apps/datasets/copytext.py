"""Typed rows as COPY's text format, which costs the server a fifth less than CSV does: it looks for no quotes."""

import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.etl.casting import letters_of

# The backslash first: those of the others are not to be doubled.
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
# Of fewer rows it is not worth to look for values that repeat, nor where more than one in so many is a new one.
ENOUGH_ROWS = 5_000
ROWS_A_VALUE = 4
_NULL, _TAB, _END = "\\N", "\t", pa.scalar("\n")
_SPACE, _BACKSLASH = ord(" "), ord("\\")


class CopyText:
    """Writes one file's batches. A number or a day that many rows share is spelled once for all of them: spelling takes
    four times as long as looking a value up. Which columns have such values shows in the first batches."""

    def __init__(self) -> None:
        self._with_few: dict[str, bool] = {}

    def of(self, rows: pa.Table) -> bytes:
        r"""A null is written as \N."""
        *cells, last = (self._spelled(name, rows.column(name).combine_chunks()) for name in rows.column_names)
        last = _joined(last, _END, between="")
        text: bytes = letters_of(_joined(*cells, last, between=_TAB)).tobytes()
        return text

    def _spelled(self, name: str, cells: pa.Array) -> pa.StringArray:
        if pa.types.is_string(cells.type):
            return _escaped(cells)
        if len(cells) >= ENOUGH_ROWS and self._with_few.get(name, True):
            coded = cells.dictionary_encode()
            self._with_few[name] = len(coded.dictionary) * ROWS_A_VALUE <= len(coded)
            if self._with_few[name]:
                return pc.take(coded.dictionary.cast(pa.string()), coded.indices)
        return cells.cast(pa.string())


def _joined(*cells: pa.StringArray, between: str) -> pa.StringArray:
    return pc.binary_join_element_wise(*cells, between, null_handling="replace", null_replacement=_NULL)


def _escaped(cells: pa.StringArray) -> pa.StringArray:
    letters = letters_of(cells)
    if letters.min(initial=_SPACE) < _SPACE or (letters == _BACKSLASH).any():
        for letter, written in _ESCAPES.items():
            cells = pc.replace_substring(cells, letter, written)
    return cells
