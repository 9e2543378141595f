"""The faults of a batch in words, made while they are read: all at once they take many times the memory of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from itertools import islice
from operator import attrgetter

import numpy as np
import pyarrow as pa

from aetherflow.department import Department
from aetherflow.etl import faults
from aetherflow.etl.casting import Conventions
from aetherflow.etl.corrections import NUL_SHOWN
from aetherflow.etl.headers import Mapping
from aetherflow.etl.reader import SetAside
from aetherflow.etl.rejects import FaultKind, Reject
from aetherflow.etl.validation import CODES

LONGEST_VALUE = 1_000
# Nobody mends a line of 500 damaged cells one by one, and 500 sentences say no more than these.
MOST_PER_LINE = 20
# Cells held as Python texts at a time.
PIECE = 20_000


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Places of rows that repeat a key, the keys as they were read, and the line each key was first seen on."""

    rows: np.ndarray
    keys: pa.Table
    earlier: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing:
    """Iterates over Reject in the order of lines, as often as asked; `len` is how many there will be.

    `cells` and `lines` are the batch's whole rows as texts and where they begin, `found` their faults as positions in
    CODES: rows by columns of the file, and a last column for the row as a whole. Of a line at most MOST_PER_LINE faults
    are listed. Lines are listed until one has more of them than are left of `room`: none is listed in part.
    """

    department: Department
    mapping: Mapping
    header: Sequence[str]
    conventions: Conventions
    cells: pa.RecordBatch
    lines: np.ndarray
    found: np.ndarray
    ragged: Sequence[SetAside]
    repeats: Repeats
    room: int

    def __len__(self) -> int:
        return self._listed[1]

    @property
    def listed_lines(self) -> int:
        return self._listed[0]

    @property
    def is_cut(self) -> bool:
        """Some lines are left out of the list, so nothing behind them may stand in it."""
        return self.listed_lines < len(self._faults_of_lines)

    def __iter__(self) -> Iterator[Reject]:
        by_line = merge(self._of_ragged(), self._of_cells(), self._of_repeats(), key=attrgetter("line"))
        return islice(by_line, len(self))

    def counted(self) -> Counter[FaultKind]:
        """How many faults of each kind, listed or not."""
        counts = Counter(
            FaultKind(column=None, label=None, code=row.code(columns=len(self.header))) for row in self.ragged
        )
        of_bad = self.found[self._bad]
        for code in range(1, len(CODES)):
            # One byte a cell: the places of the faults themselves would be sixteen.
            by_place = np.count_nonzero(of_bad == code, axis=0)
            for place in np.flatnonzero(by_place).tolist():
                label = None if place == len(self.header) else self.header[place]
                counts[FaultKind(column=self._names.get(place), label=label, code=CODES[code])] += int(by_place[place])
        if len(self.repeats.rows):
            column, label = self._only_key
            counts[FaultKind(column=column, label=label, code="unique-error")] = len(self.repeats.rows)
        return counts

    @cached_property
    def _names(self) -> dict[int, str]:
        """Of the columns that the department knows, by where they stand in the file."""
        return {at: name for name, at in self.mapping.positions.items()}

    @cached_property
    def _bad(self) -> np.ndarray:
        """Places of the rows with a faulty cell."""
        return np.flatnonzero(self.found.any(axis=1))

    @cached_property
    def _faults_of_lines(self) -> np.ndarray:
        """How many faults each line at fault is itemised with, in the order of lines."""
        bad = self._bad
        of_cells = np.minimum(np.count_nonzero(self.found[bad], axis=1), MOST_PER_LINE)
        lines = np.concatenate(
            [self.lines[bad], self.lines[self.repeats.rows], np.array([row.line for row in self.ragged], np.int64)]
        )
        single = np.ones(len(lines) - len(bad), dtype=np.int64)
        return np.concatenate([of_cells, single])[np.argsort(lines, kind="stable")]

    @cached_property
    def _listed(self) -> tuple[int, int]:
        """The lines and the faults that `room` holds."""
        ends = np.cumsum(self._faults_of_lines)
        lines = int(np.searchsorted(ends, self.room, side="right"))
        return lines, int(ends[lines - 1]) if lines else 0

    @property
    def _only_key(self) -> tuple[str | None, str | None]:
        """The natural key and its label, where it is of one column."""
        natural_key = self.department.natural_key
        return (natural_key[0], self.mapping.labels[natural_key[0]]) if len(natural_key) == 1 else (None, None)

    def _of_ragged(self) -> Iterator[Reject]:
        columns = len(self.header)
        for row in self.ragged:
            cells = [_storable(cell) for cell in row.cells]
            message, hint = row.in_words(columns=columns)
            yield Reject(
                line=row.line,
                column=None,
                value=None,
                code=row.code(columns=columns),
                message=message,
                hint=hint,
                cells=cells,
            )

    def _of_cells(self) -> Iterator[Reject]:
        for rows in self._in_pieces(self._bad):
            texts = self._texts(rows)
            faulty = self.found[rows] > 0
            nth = np.cumsum(faulty, axis=1)
            left = np.maximum(nth[:, -1] - MOST_PER_LINE, 0).tolist()
            last = nth == MOST_PER_LINE
            for at, place in np.argwhere(faulty & (nth <= MOST_PER_LINE)).tolist():
                unlisted = left[at] if last[at, place] else 0
                yield self._of_cell(int(rows[at]), place, cells=texts[at], unlisted=unlisted)

    def _of_cell(self, row: int, place: int, *, cells: list[str], unlisted: int) -> Reject:
        whole = place == len(self.header)
        code = CODES[self.found[row, place]]
        message, hint = faults.row_error(self.department.rows) if whole else self._in_words(code, place, cells[place])
        return Reject(
            line=int(self.lines[row]),
            column=None if whole else self.header[place],
            value=None if whole else cells[place][:LONGEST_VALUE],
            code=code,
            message=message + (faults.more(unlisted) if unlisted else ""),
            hint=hint,
            cells=cells,
        )

    def _of_repeats(self) -> Iterator[Reject]:
        labels = self.mapping.labels
        _, only = self._only_key
        for places in self._in_pieces(np.arange(len(self.repeats.rows))):
            rows = self.repeats.rows[places]
            keys = self.repeats.keys.slice(int(places[0]), len(places)).to_pylist()
            earlier = self.repeats.earlier[places].tolist()
            for row, key, line, cells in zip(rows.tolist(), keys, earlier, self._texts(rows), strict=True):
                named = ", ".join(f"{labels[name]} {value}" for name, value in key.items())
                message, hint = faults.repeated(key=named, line=line)
                yield Reject(
                    line=int(self.lines[row]),
                    column=only,
                    value=", ".join(str(part) for part in key.values())[:LONGEST_VALUE],
                    code="unique-error",
                    message=message,
                    hint=hint,
                    cells=cells,
                )

    def _in_words(self, code: str, place: int, value: str) -> tuple[str, str]:
        name = self._names.get(place)
        label = self.header[place]
        if code == "null-byte" or name is None:
            return faults.null_byte(label)
        column = self.department.column(name)
        if code == "type-error":
            return faults.type_error(value, column=column, label=label, conventions=self.conventions)
        if code == "missing-value":
            return faults.missing_value(column=column, label=label)
        return faults.constraint_error(value.strip(), column=column, label=label, conventions=self.conventions)

    def _in_pieces(self, places: np.ndarray) -> Iterator[np.ndarray]:
        step = max(PIECE // len(self.header), 1)
        return (places[start : start + step] for start in range(0, len(places), step))

    def _texts(self, rows: np.ndarray) -> list[list[str]]:
        columns = self.cells.take(pa.array(rows, pa.int64())).columns
        return [
            [_storable(cell) for cell in row] for row in zip(*(column.to_pylist() for column in columns), strict=True)
        ]


def _storable(cell: str) -> str:
    """PostgreSQL holds no NUL in a text."""
    return cell.replace("\x00", NUL_SHOWN) if "\x00" in cell else cell
