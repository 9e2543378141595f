"""Parquet: typed columns, read a few thousand rows at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from aetherflow.etl.dialect import refuse_too_many_columns, tidy_label
from aetherflow.etl.formats.damage import damage_is
from aetherflow.etl.formats.limits import Limits
from aetherflow.etl.formats.table import Form
from aetherflow.etl.formats.typed import day_texts, moment_texts, number_texts
from aetherflow.etl.reader import BATCH_BYTES, Texts
from aetherflow.etl.rejects import FileRefused

ROWS = 10_000
FORM = Form(format="parquet")


@dataclass(frozen=True, kw_only=True)
class ParquetTable:
    """A TextTable. A row has the number it would have under a header; `left_out` are columns that hold no single values
    and are read as empty."""

    path: Path
    filename: str
    names: list[str]
    rows_at_most: int
    left_out: frozenset[int]
    limits: Limits
    header_line: int = 1
    has_nul: bool = True
    is_typed: bool = True
    form: Form = FORM

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(map(tidy_label, self.names))

    @property
    def bytes_total(self) -> int:
        return self.path.stat().st_size

    def texts(self, *, decimal: str, block: int) -> Generator[Texts]:
        with _what_is_damaged(self.filename):
            yield from self._texts(decimal=decimal, most=max(block, BATCH_BYTES))

    def _texts(self, *, decimal: str, most: int) -> Iterator[Texts]:
        names = [str(at) for at in range(len(self.names))]
        done = expanded = 0
        for batch in self._batches():
            columns = [
                pa.repeat("", len(batch)) if at in self.left_out else batch.column(name)
                for at, name in enumerate(self.names)
            ]
            for start, count in _pieces(columns, most=most):
                cells = [pc.fill_null(_texts(column.slice(start, count), decimal=decimal), "") for column in columns]
                part = pa.RecordBatch.from_arrays(cells, names=names)
                part.validate(full=True)  # nobody has looked yet whether the texts are UTF-8
                expanded += part.nbytes
                self.limits.check(expanded)
                lines = np.arange(done + 2, done + 2 + count)
                done += count
                yield Texts(cells=part, lines=lines, ragged=[], bytes_read=self.bytes_total * done // self.rows_at_most)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """Texts as codes of a dictionary: a page of a few bytes can stand for a long text in every row."""
        with pa.OSFile(str(self.path)) as source:
            schema = pq.read_schema(source)
            texts = [field.name for field in schema if _is_text(field.type)]
            file = pq.ParquetFile(source, read_dictionary=texts, pre_buffer=False, buffer_size=1 << 20)
            wanted = [name for at, name in enumerate(self.names) if at not in self.left_out]
            yield from file.iter_batches(batch_size=ROWS, columns=wanted, use_threads=False)


def open_parquet(path: Path, *, filename: str, known: Callable[[str], bool], limits: Limits) -> ParquetTable:
    """Raises FileRefused: source-error, too-many-columns, too-large-expanded, and type-error where a column the
    department knows holds lists, structures or bytes."""
    with _what_is_damaged(filename), pq.ParquetFile(path) as file:
        schema, metadata = file.schema_arrow, file.metadata
        rows = metadata.num_rows
        limits.check(
            max(
                rows * max(len(schema), 1),
                sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)),
            )
        )
    refuse_too_many_columns(len(schema), line=1)
    if repeated := [name for name, count in Counter(schema.names).items() if count > 1]:
        raise FileRefused(
            f"{filename} has the column {repeated[0]!r} twice.",
            code="duplicate-label",
            hint="Keep one of the columns, or rename the other.",
            line=1,
            column=repeated[0],
        )
    left_out = frozenset(
        at for at, field in enumerate(schema) if not _is_single(field.type, known=known(tidy_label(field.name)))
    )
    for field in (schema.field(at) for at in sorted(left_out)):
        if known(tidy_label(field.name)):
            raise FileRefused(
                f"The column {field.name!r} of {filename} holds {field.type}, not one value a row.",
                code="type-error",
                hint="Write it as a column of texts, numbers or dates.",
                line=1,
                column=tidy_label(field.name),
            )
    return ParquetTable(
        path=path, filename=filename, names=schema.names, rows_at_most=rows, left_out=left_out, limits=limits
    )


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_bytes(kind)


def _is_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _is_single(kind: pa.DataType, *, known: bool) -> bool:
    """Some writers store a text as bytes; bytes under a label nobody knows may be anything."""
    if pa.types.is_dictionary(kind):
        return _is_single(kind.value_type, known=known)
    if pa.types.is_nested(kind) or pa.types.is_fixed_size_binary(kind):
        return False
    return known or not _is_bytes(kind)


def _pieces(columns: list[pa.Array], *, most: int) -> Iterator[tuple[int, int]]:
    """(start, count) of rows whose texts have at most about `most` bytes together."""
    rows = len(columns[0])
    weight = np.zeros(rows, dtype=np.int64)
    for column in columns:
        if pa.types.is_dictionary(column.type):
            lengths = pc.fill_null(pc.binary_length(column.dictionary).take(column.indices), 0)
            weight += lengths.to_numpy(zero_copy_only=False)
    part = np.cumsum(weight) // most
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    return zip(starts.tolist(), np.diff(starts, append=rows).tolist(), strict=True)


def _texts(column: pa.Array, *, decimal: str) -> pa.StringArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary, decimal=decimal).take(column.indices)
    if pa.types.is_float64(kind):
        return number_texts(column, decimal=decimal)
    if pa.types.is_date(kind):
        return day_texts(column.cast(pa.date32()))
    if pa.types.is_timestamp(kind):
        return moment_texts(_local(column))
    texts = column.cast(pa.string())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        # A float32 has fewer digits than its float64: its own shortest text is the number that was meant.
        return pc.replace_substring(texts, ".", decimal)
    return texts


def _local(column: pa.TimestampArray) -> pa.TimestampArray:
    """A day is the day on the clock of the zone it was written with."""
    return pc.local_timestamp(column) if column.type.tz else column


def _what_is_damaged(filename: str) -> AbstractContextManager[None]:
    damaged = FileRefused(
        f"{filename} cannot be read as a Parquet file: it is damaged, incomplete or uses a feature not supported.",
        code="source-error",
        hint="Write the file again and upload that; if it stays, upload the data as CSV.",
    )
    return damage_is(damaged, pa.ArrowException, UnicodeDecodeError)
