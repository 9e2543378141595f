"""Rows as texts, in batches, each with the physical line it begins on."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from aetherflow.etl import faults
from aetherflow.etl.dialect import END, Dialect
from aetherflow.etl.encodings import Text, Utf8Stream, line_ends
from aetherflow.etl.rejects import FileRefused

# A record must fit in: the longest line does. A block of twice the size takes 25 MB more while ten million rows are
# loaded.
BLOCK = 5 << 17
# The most a cell of a spreadsheet holds. A longer cell with line breaks in it is a quotation mark left open.
LONGEST_CELL = 32_767
# A blank line is read as a row of empty cells of four bytes each: a megabyte of them under 500 columns takes two
# gigabytes. Blocks have fewer lines then, but never so few that the line breaks inside one record would not fit in.
BLOCK_CELLS = 2_000_000
FEWEST_LINES = 10_000
# Of cells as Arrow holds them. The checks take a few times as much; 60,000 rows of a department stay below it.
BATCH_BYTES = 16 << 20
# The part of a batch with which a file begins; each that follows is twice as large as the one before.
_FIRST_BATCH = 32


class SetAside(Protocol):
    """A row that is no row of the table. `columns`: how many the header has."""

    @property
    def line(self) -> int: ...
    @property
    def cells(self) -> list[str]: ...
    @property
    def is_blank(self) -> bool: ...
    def code(self, *, columns: int) -> str: ...
    def in_words(self, *, columns: int) -> tuple[str, str]:
        """Message and hint."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Ragged:
    """A row with more or fewer cells than the header has columns, taken apart when asked: as a list of cells it takes
    many times its text. It may be a blank line.
    """

    line: int
    text: str
    width: int
    dialect: Dialect

    @property
    def cells(self) -> list[str]:
        try:
            return next(self.dialect.records(io.StringIO(self.text, newline="")), [])
        except csv.Error:
            return self.text.split(self.dialect.delimiter)

    @property
    def is_blank(self) -> bool:
        if '"' in self.text:
            return not any(cell.strip() for cell in self.cells)
        return not self.text.replace(self.dialect.delimiter, "").strip()

    def code(self, *, columns: int) -> str:
        return faults.ragged_code(self.width, columns=columns)

    def in_words(self, *, columns: int) -> tuple[str, str]:
        breaks = any("\n" in cell or "\r" in cell for cell in self.cells)
        return faults.ragged(self.width, columns=columns, breaks=breaks)


@dataclass(frozen=True, kw_only=True)
class Texts:
    """One batch: the cells as they are (columns `0`, `1`, … of the header), and `lines`, where each row begins.

    `bytes_read` is how far the table has been read, in the measure of its bytes_total.
    """

    cells: pa.RecordBatch
    lines: np.ndarray
    ragged: Sequence[SetAside]
    bytes_read: int

    def split(self, rows: int) -> tuple[Texts, Texts]:
        """The first so many whole rows, of more, with what was set aside before the next; and the rest."""
        end = self.lines[rows]
        before = sum(row.line < end for row in self.ragged)
        return (
            replace(self, cells=self.cells.slice(0, rows), lines=self.lines[:rows], ragged=self.ragged[:before]),
            replace(self, cells=self.cells.slice(rows), lines=self.lines[rows:], ragged=self.ragged[before:]),
        )


def read_texts(
    path: Path, *, text: Text, dialect: Dialect, span: tuple[int, int] | None = None, block: int = BLOCK
) -> Generator[Texts]:
    """Every row of the file, or of those bytes of it that `span` says, blank lines too, in the file's order.

    A record beyond the last is fed in: pyarrow takes an open quotation mark at the end of a file for a closed one,
    and the sentinel, which nobody can have written into the file, turns up inside a cell then. Raises FileRefused
    quote-error.
    """
    end = f"{END}{uuid4().hex[:16]}"
    tail = f"\n{end}{dialect.delimiter * len(dialect.header)}\n".encode()
    most_lines = max(BLOCK_CELLS // len(dialect.header), FEWEST_LINES)
    with Utf8Stream(
        path,
        encoding=text.encoding,
        mark=text.mark,
        span=span,
        skip=dialect.offset,
        tail=tail,
        most_lines=most_lines,
        odd=dialect.odd_quotes,
    ) as stream:
        records = _Records(replace(dialect, odd_quotes=None), end=end, count_breaks=text.has_quotes)
        with _opened(stream, dialect=dialect, text=text, records=records, block=block) as reader:
            while True:
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    break
                except pa.ArrowInvalid as error:
                    raise open_quote(records.line) from error
                yield records.locate(batch, bytes_read=stream.bytes_read)
        yield records.rest(bytes_read=stream.bytes_read)


def _opened(
    stream: Utf8Stream, *, dialect: Dialect, text: Text, records: _Records, block: int
) -> arrow_csv.CSVStreamingReader:
    """The first block is read here already. Raises FileRefused quote-error."""
    try:
        return arrow_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=block, column_names=[str(at) for at in range(len(dialect.header))]
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                newlines_in_values=text.has_quotes,
                ignore_empty_lines=False,
                invalid_row_handler=records.note,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={str(at): pa.string() for at in range(len(dialect.header))},
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise open_quote(records.line) from error


def in_larger_batches(
    texts: Iterable[Texts], *, rows: int, size: int = BATCH_BYTES, soon: bool = True
) -> Iterator[Texts]:
    """Batches put together until each has at least `rows`, or `size` bytes of cells, whichever comes first.

    Every batch costs the checks behind it a fixed time, and every cell memory: rows of 500 columns come in smaller
    batches than rows of ten. Where the first is to come `soon` they begin small, since until it is through nobody else
    has any work.
    """
    most, rows = rows, max(rows // _FIRST_BATCH, 1) if soon else rows
    waiting: list[Texts] = []
    height = weight = 0
    for part in texts:
        if rows < most and not waiting:
            while len(part.lines) > 2 * rows:
                ready, part = part.split(rows)  # noqa: PLW2901
                rows = min(2 * rows, most)
                yield ready
        waiting.append(part)
        height += len(part.lines) + len(part.ragged)
        weight += part.cells.nbytes
        if height >= rows or weight >= size:
            ready, waiting, height, weight = _together(waiting), [], 0, 0
            rows = min(2 * rows, most)
            yield ready
    if waiting:
        yield _together(waiting)


def _together(parts: list[Texts]) -> Texts:
    return Texts(
        cells=pa.concat_batches([part.cells for part in parts]),
        lines=np.concatenate([part.lines for part in parts]),
        ragged=[row for part in parts for row in part.ragged],
        bytes_read=parts[-1].bytes_read,
    )


def open_quote(line: int) -> FileRefused:
    return FileRefused(
        f"A quotation mark in the row that begins on line {line:,} is not closed.",
        code="quote-error",
        hint='Close it, or write it twice ("") and put the whole cell in quotation marks if it belongs to the text.',
        line=line,
    )


class _Records:
    """Knows on which line each record begins, from the line breaks inside the records before it."""

    def __init__(self, dialect: Dialect, *, end: str, count_breaks: bool) -> None:
        self._end = end
        self._dialect = dialect
        self._names = [str(at) for at in range(len(dialect.header))]
        self._count_breaks = count_breaks
        # pyarrow reads a block ahead, so records of later batches may be noted already.
        self._noted: deque[tuple[int, str, int]] = deque()
        self._closed = False
        self._number = 1
        self._last = self.line = dialect.first_line

    def note(self, row: arrow_csv.InvalidRow) -> str:
        """Take a ragged record from pyarrow; its number counts all records from 1."""
        if row.text.startswith(self._end):
            self._closed = True
        else:
            self._noted.append((row.number, row.text, row.actual_columns))
        return "skip"

    def locate(self, batch: pa.RecordBatch, *, bytes_read: int) -> Texts:
        """The lines of a batch's records, and the ragged records among and right behind them."""
        before, noted = self._among(batch.num_rows)
        inside = _breaks(batch) if self._count_breaks else np.zeros(batch.num_rows, dtype=np.int64)
        heights = np.insert(inside, before, [line_ends(text.encode()) for _, text, _ in noted]) + 1
        is_ragged = np.insert(np.zeros(batch.num_rows, dtype=bool), before, values=True)
        starts = self.line + np.cumsum(heights) - heights
        if len(starts):
            self._last = int(starts[-1])
        self.line += int(heights.sum())
        self._number += len(heights)
        _refuse_swallowed_lines(batch, inside > 0, lines=starts[~is_ragged])
        ragged = [
            self._ragged(text, width, line=int(line))
            for (_, text, width), line in zip(noted, starts[is_ragged], strict=True)
        ]
        return Texts(cells=batch, lines=starts[~is_ragged], ragged=ragged, bytes_read=bytes_read)

    def rest(self, *, bytes_read: int) -> Texts:
        """The ragged records behind the last whole one."""
        rest = self.locate(
            pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in self._names], names=self._names),
            bytes_read=bytes_read,
        )
        if not self._closed:
            raise open_quote(self._last)
        return rest

    def _among(self, rows: int) -> tuple[list[int], list[tuple[int, str, int]]]:
        """The noted records up to the last of `rows` whole ones, and how many whole ones stand before each."""
        before: list[int] = []
        noted: list[tuple[int, str, int]] = []
        while self._noted:
            whole = self._noted[0][0] - self._number - len(noted)
            if whole > rows:
                break
            before.append(whole)
            noted.append(self._noted.popleft())
        return before, noted

    def _ragged(self, text: str, width: int, *, line: int) -> Ragged:
        if len(text) > LONGEST_CELL and re.search(r"[\r\n]", text):
            raise open_quote(line)
        return Ragged(line=line, text=text, width=width, dialect=self._dialect)


def _breaks(batch: pa.RecordBatch) -> np.ndarray:
    """How many line ends each record holds inside its cells."""
    found = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        found += pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)
        returns = pc.count_substring(column, "\r").to_numpy(zero_copy_only=False)
        if returns.any():
            found += returns - pc.count_substring(column, "\r\n").to_numpy(zero_copy_only=False)
    return found


def _refuse_swallowed_lines(batch: pa.RecordBatch, several: np.ndarray, *, lines: np.ndarray) -> None:
    """A quotation mark left open runs on to the next one, which may be thousands of rows below."""
    rows = np.flatnonzero(several)
    for column in batch.columns if len(rows) else ():
        lengths = pc.utf8_length(column.take(pa.array(rows))).to_numpy(zero_copy_only=False)
        if (lengths > LONGEST_CELL).any():
            raise open_quote(int(lines[rows[lengths > LONGEST_CELL][0]]))
