"""Typed rows as COPY's CSV."""

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

# Of fewer rows it is not worth to look for values that repeat, nor where more than one in so many is a new one.
ENOUGH_ROWS = 5_000
ROWS_A_VALUE = 4


class CopyText:
    """Writes one file's batches. A number or a day that many rows share is spelled once for all of them: spelling takes
    four times as long as looking a value up. Which columns have such values shows in the first batches."""

    def __init__(self) -> None:
        self._with_few: dict[str, bool] = {}

    def of(self, rows: pa.Table) -> bytes:
        """An unquoted empty cell is NULL, a quoted one is an empty text."""
        if rows.num_rows >= ENOUGH_ROWS:
            for at, column in enumerate(rows.schema):
                if not pa.types.is_string(column.type) and self._with_few.get(column.name, True):
                    rows = self._spelled(rows, at)
        sink = pa.BufferOutputStream()
        arrow_csv.write_csv(rows, sink, arrow_csv.WriteOptions(include_header=False))
        text: bytes = sink.getvalue().to_pybytes()
        return text

    def _spelled(self, rows: pa.Table, at: int) -> pa.Table:
        name = rows.schema.names[at]
        coded = rows.column(at).combine_chunks().dictionary_encode()
        self._with_few[name] = len(coded.dictionary) * ROWS_A_VALUE <= len(coded)
        if not self._with_few[name]:
            return rows
        return rows.set_column(at, name, pc.take(coded.dictionary.cast(pa.string()), coded.indices))
