"""The line a file runs through: bytes, texts, values, checked rows, clean rows and what was set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.columns import ARROW_TYPES
from aetherflow.department import Department
from aetherflow.etl.casting import Conventions, cast
from aetherflow.etl.conventions import Evidence
from aetherflow.etl.corrections import Correction, as_in_the_file, is_annotation
from aetherflow.etl.dialect import Dialect, find_dialect
from aetherflow.etl.duplicates import SeenKeys
from aetherflow.etl.encodings import LONGEST_LINE, Text, Utf8Stream, examine
from aetherflow.etl.headers import Labels, Mapping, match_header
from aetherflow.etl.listing import Listing, Repeats
from aetherflow.etl.mapping import Memory, nothing_remembered
from aetherflow.etl.options import NOTHING_SAID, ReadOptions
from aetherflow.etl.reader import BLOCK, Texts, in_larger_batches, read_texts
from aetherflow.etl.reading import Reading
from aetherflow.etl.rejects import Counts, FaultKind, FileRefused, counted_by_code
from aetherflow.etl.validation import NULL_BYTE, find_faults

LISTING_LIMIT = 100_000


@dataclass(frozen=True, kw_only=True)
class Batch:
    """`rows`: `line` and the department's columns in the schema's order, typed and clean, only rows to load.

    `rejects` itemises faults in the order of lines, up to the file's listing limit and MOST_PER_LINE of a line;
    `faults` counts all of them.
    `bytes_read` is how far the file has been read, for a progress bar.
    """

    rows: pa.Table
    rejects: Listing
    counts: Counts
    faults: Counter[FaultKind]
    bytes_read: int

    @property
    def by_code(self) -> Counter[str]:
        return counted_by_code(self.faults)


def open_file(
    path: Path,
    *,
    filename: str,
    department: Department,
    options: ReadOptions = NOTHING_SAID,
    memory: Memory = nothing_remembered,
    correction: Correction | None = None,
    listing_limit: int = LISTING_LIMIT,
    batch_rows: int = 60_000,
    block: int = BLOCK,
) -> SourceFile:
    """Examine a file on the local disk, twice over and in bounded memory, before any row is handed out.

    `options` override what would be found. `memory` is asked for the header's mapping where `options` give none.
    `correction` where the file completes another one. `batch_rows` is about how many rows a batch has, `block` how many
    bytes are parsed at a time. Raises FileRefused for everything that makes the whole file unusable.
    """
    text = examine(path, filename=filename, encoding=options.encoding)
    labels = Labels(department, mapping=options.mapping)
    dialect = find_dialect(
        _sample(path, text), filename=filename, known=labels.__contains__, delimiter=options.delimiter
    )
    mapping = match_header(
        dialect.header, department=department, line=dialect.header_line, mapping=options.mapping, memory=memory
    )
    evidence = Evidence()
    if correction is not None:
        evidence = Evidence(usual_decimal=correction.decimal, usual_order=correction.date_order)
    row_count = _survey(
        path,
        evidence=evidence,
        text=text,
        dialect=dialect,
        mapping=mapping,
        department=department,
        filename=filename,
        block=block,
    )
    reading = Reading(
        encoding=text.encoding,
        delimiter=dialect.delimiter,
        decimal=evidence.conventions.decimal,
        decimal_assumed=evidence.decimal_assumed,
        date_order=evidence.conventions.date_order,
        date_order_assumed=evidence.date_order_assumed,
        header_line=dialect.header_line,
        header=list(dialect.header),
        mapping={mapping.labels[name]: name for name in mapping.positions},
        mapping_from=mapping.source,
        mapping_by=mapping.memory.by if mapping.memory else None,
        mapping_at=mapping.memory.at.isoformat() if mapping.memory else None,
        left_out=mapping.left_out,
        unknown_columns=[label for label in mapping.unknown if correction is None or not is_annotation(label)],
        unlabelled_columns=mapping.unlabelled,
        suggestions=mapping.suggestions,
        missing_optional=mapping.missing_optional,
    )
    return SourceFile(
        path=path,
        department=department,
        text=text,
        dialect=dialect,
        mapping=mapping,
        conventions=evidence.conventions,
        reading=reading,
        row_count=row_count,
        is_correction=correction is not None,
        listing_limit=listing_limit,
        batch_rows=batch_rows,
        block=block,
    )


@dataclass(kw_only=True)
class SourceFile:
    """A file that can be read; it has `row_count` rows, good or bad.

    `batches()` may be called again and starts from the beginning each time.
    """

    path: Path
    department: Department
    text: Text
    dialect: Dialect
    mapping: Mapping
    conventions: Conventions
    reading: Reading
    row_count: int
    is_correction: bool
    listing_limit: int
    batch_rows: int
    block: int
    _open: list[Generator[Texts]] = field(default_factory=list)

    @property
    def bytes_total(self) -> int:
        return self.path.stat().st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what an iteration left half-way holds open."""
        while self._open:
            self._open.pop().close()

    def batches(self) -> Iterator[Batch]:
        """The rows of the file, in its order. Raises nothing about the file: open_file has read it to its end."""
        texts = read_texts(self.path, text=self.text, dialect=self.dialect, block=self.block)
        self._open.append(texts)
        seen, room = SeenKeys(), self.listing_limit
        for batch in in_larger_batches(texts, rows=self.batch_rows):
            done = _BatchWork(self, batch, room=room).run(seen)
            room = 0 if done.rejects.is_cut else room - len(done.rejects)
            if done.counts.read:
                yield done


class _BatchWork:
    """One batch from texts to clean rows."""

    def __init__(self, source: SourceFile, texts: Texts, *, room: int) -> None:
        self.department = source.department
        self.mapping = source.mapping
        self.conventions = source.conventions
        self.header = source.dialect.header
        self.has_nul = source.text.has_nul or source.is_correction
        self.bytes_read = texts.bytes_read
        self.ragged = [row for row in texts.ragged if not row.is_blank]
        self.cells, self.lines = _without_blank_rows(texts)
        if source.is_correction:
            self.cells = as_in_the_file(self.cells)
        self.room = room

    def run(self, seen: SeenKeys) -> Batch:
        typed, found = self._judge()
        bad: np.ndarray = found.max(axis=1) > 0
        rows, repeats = self._clean(typed, ~bad, seen)
        rejects = Listing(
            department=self.department,
            mapping=self.mapping,
            header=self.header,
            conventions=self.conventions,
            cells=self.cells,
            lines=self.lines,
            found=found,
            ragged=self.ragged,
            repeats=repeats,
            room=self.room,
        )
        return Batch(
            rows=rows,
            rejects=rejects,
            counts=Counts(
                read=len(self.lines) + len(self.ragged),
                loaded=rows.num_rows,
                rejected=int(bad.sum()) + len(self.ragged),
                duplicate=len(repeats.rows),
            ),
            faults=rejects.counted(),
            bytes_read=self.bytes_read,
        )

    def _judge(self) -> tuple[pa.Table, np.ndarray]:
        """The typed rows, and the fault of each cell: rows by columns of the file, and one for the row itself."""
        columns = self.department.columns
        places = [self.mapping.positions.get(column.name) for column in columns]
        casts = [
            None if at is None else cast(self.cells.column(at), column, conventions=self.conventions)
            for column, at in zip(columns, places, strict=True)
        ]
        rows = self.cells.num_rows
        typed = pa.table(
            {
                column.name: pa.nulls(rows, ARROW_TYPES[column.kind]) if done is None else done.values
                for column, done in zip(columns, casts, strict=True)
            }
        )
        unreadable = np.column_stack(
            [np.zeros(rows, dtype=bool) if done is None else _mask(done.unreadable) for done in casts]
        )
        by_schema = find_faults(_frame(typed), schema=self.department.rows, unreadable=unreadable)
        found = np.zeros((rows, len(self.header) + 1), dtype=np.int8)
        for place, faulty in zip([*places, -1], by_schema.T, strict=True):
            if place is not None:
                found[:, place] = faulty
        if self.has_nul:
            for at, cells in enumerate(self.cells.columns):
                found[_mask(pc.match_substring(cells, "\x00")), at] = NULL_BYTE
        return typed, found

    def _clean(self, typed: pa.Table, good: np.ndarray, seen: SeenKeys) -> tuple[pa.Table, Repeats]:
        """The rows to load, and those left out as repeats of an earlier row of the file."""
        frame = _frame(typed if good.all() else typed.filter(pa.array(good)))
        for step in self.department.clean:
            frame = step(frame)
        names = [column.name for column in self.department.columns]
        schema = pa.schema([(column.name, ARROW_TYPES[column.kind]) for column in self.department.columns])
        clean = pa.Table.from_pandas(frame[names], schema=schema, preserve_index=False)
        lines = self.lines[good]
        earlier = seen.repeats(clean.select(self.department.natural_key), lines)
        again = np.flatnonzero(earlier)
        repeats = Repeats(
            rows=np.flatnonzero(good)[again],
            keys=clean.select(self.department.natural_key).take(pa.array(again)),
            earlier=earlier[again],
        )
        rows = clean.add_column(0, "line", pa.array(lines, pa.int64()))
        return rows.filter(pa.array(earlier == 0)) if len(again) else rows, repeats


def _without_blank_rows(texts: Texts) -> tuple[pa.RecordBatch, np.ndarray]:
    """A row of nothing but delimiters is as blank as a blank line: spreadsheets write them below their tables."""
    candidates = np.arange(texts.cells.num_rows)
    for column in texts.cells.columns:
        if not len(candidates):
            return texts.cells, texts.lines
        cells = column if len(candidates) == len(column) else column.take(pa.array(candidates))
        candidates = candidates[_mask(pc.equal(pc.utf8_trim_whitespace(cells), ""))]
    filled = np.ones(texts.cells.num_rows, dtype=bool)
    filled[candidates] = False
    return texts.cells.filter(pa.array(filled)), texts.lines[filled]


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _mask(values: pa.BooleanArray) -> np.ndarray:
    mask: np.ndarray = pc.fill_null(values, fill_value=False).to_numpy(zero_copy_only=False)
    return mask


def _sample(path: Path, text: Text) -> str:
    """The beginning of the file, up to the end of its last whole line: enough for any header."""
    with Utf8Stream(path, encoding=text.encoding, mark=text.mark) as stream:
        head = stream.read(LONGEST_LINE)
        whole = not stream.read(1)
    if not whole:
        head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]
    return head.decode()


def _survey(
    path: Path,
    *,
    evidence: Evidence,
    text: Text,
    dialect: Dialect,
    mapping: Mapping,
    department: Department,
    filename: str,
    block: int,
) -> int:
    """One pass over all rows: how numbers and days are written, whether the file is whole, how many rows it has."""
    row_count = 0
    for texts in read_texts(path, text=text, dialect=dialect, block=block):
        row_count += sum(not row.is_blank for row in texts.ragged) + len(_without_blank_rows(texts)[1])
        for name, at in mapping.positions.items():
            evidence.take(texts.cells.column(at), department.column(name))
    if not row_count:
        raise FileRefused(
            f"{filename} has a header and no rows.",
            code="no-rows",
            hint="Check the filter of the export, and upload a file with at least one row.",
        )
    return row_count
