"""Texts that many rows share: such a column is dictionary-encoded, and whoever comes behind looks at each text once."""

from __future__ import annotations

import pyarrow as pa

# Of fewer rows it is not worth the looking, nor where more than one text in so many is a new one.
ENOUGH_ROWS = 5_000
ROWS_A_TEXT = 10


class RepeatingTexts:
    """Knows, of one file, which columns have such texts: it shows in the batches."""

    def __init__(self) -> None:
        self._others: set[str] = set()

    def encoded(self, rows: pa.Table) -> pa.Table:
        """`rows` of plain texts, with those columns dictionary-encoded. A null is an index that is null."""
        if rows.num_rows < ENOUGH_ROWS:
            return rows
        for at, name in enumerate(rows.column_names):
            cells = rows.column(at)
            if not pa.types.is_string(cells.type) or name in self._others:
                continue
            found = cells.combine_chunks().dictionary_encode()
            if len(found.dictionary) * ROWS_A_TEXT > len(found):
                self._others.add(name)
            else:
                rows = rows.set_column(at, name, found)
        return rows


def plain(cells: pa.Array) -> pa.Array:
    """Of texts, encoded or not, the texts."""
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
