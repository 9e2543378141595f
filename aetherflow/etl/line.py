"""The line a file runs through: bytes, texts, values, checked rows, clean rows and what was set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.columns import ARROW_TYPES
from aetherflow.department import Department
from aetherflow.etl.ahead import ahead
from aetherflow.etl.casting import Conventions, cast, codes_made_numbers, letters_of
from aetherflow.etl.corrections import as_in_the_file
from aetherflow.etl.digests import digests
from aetherflow.etl.duplicates import SeenKeys
from aetherflow.etl.formats.table import TextTable
from aetherflow.etl.formats.typed import UNDECIDED, decided
from aetherflow.etl.headers import Mapping
from aetherflow.etl.listing import Listing, Repeats
from aetherflow.etl.reader import Texts, in_larger_batches
from aetherflow.etl.reading import Reading
from aetherflow.etl.rejects import Counts, FaultKind, counted_by_code
from aetherflow.etl.repeating import RepeatingTexts
from aetherflow.etl.survey import Survey
from aetherflow.etl.validation import CONSTRAINT_ERROR, NULL_BYTE, find_faults, no_faults

LISTING_LIMIT = 100_000


@dataclass(frozen=True, kw_only=True)
class Batch:
    """`rows`: `line` and the department's columns in the schema's order, typed and clean, only rows to load; texts that
    repeat are dictionary-encoded (`repeating`).

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


class ReadOtherwise(Exception):  # noqa: N818 - nothing is wrong with the file
    """The rows further down say that numbers or days are written in another way than its beginning does. What was read
    is void, and is to be read again: the SourceFile knows now."""


@dataclass(kw_only=True)
class SourceFile:
    """A file that can be read, as open_file gives it.

    `batches()` may be called again and starts from the beginning each time. `is_surveyed`: `survey` has seen all rows,
    not only the beginning. Of what is not `is_whole`, a split, it gathers what the rows say and leaves the verdict to
    who has all of it. `kept` are all texts of a file that is small, and none of another's. `held` is what was
    unpacked for it.
    """

    path: Path
    department: Department
    table: TextTable
    mapping: Mapping
    survey: Survey
    is_surveyed: bool
    kept: Sequence[Texts]
    reading: Reading
    listing_limit: int
    batch_rows: int
    block: int
    held: ExitStack
    is_whole: bool = True
    _open: list[Generator[Batch]] = field(default_factory=list)

    @property
    def conventions(self) -> Conventions:
        return self.reading.conventions

    @property
    def is_correction(self) -> bool:
        return self.survey.correction is not None

    @property
    def rows_at_most(self) -> int:
        return self.table.rows_at_most

    @cached_property
    def bytes_total(self) -> int:
        """Of the user's own file, whatever it was unpacked to; of a split its own."""
        return self.path.stat().st_size if self.is_whole else self.table.bytes_total

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what an iteration left half-way holds open, and remove what was unpacked."""
        while self._open:
            self._open.pop().close()
        self.held.close()

    def batches(self, *, seen: SeenKeys | None = None) -> Iterator[Batch]:
        """The rows of the file, in its order. `seen`, empty at first, holds the keys and digests of all rows to load at
        last.

        The next batch is read, and the one before it worked, while the last one is being used. Raises nothing about
        the file where open_file has read it to its end. Where it had not: FileRefused, or ReadOtherwise at the end.
        """
        worked = ahead(self._worked(seen))
        self._open.append(worked)
        return worked

    def _worked(self, seen: SeenKeys | None) -> Generator[Batch]:
        room, read_in_all, repeating = self.listing_limit, self.table.bytes_total, RepeatingTexts()
        with closing(ahead(self._texts())) as batches, SeenKeys() if seen is None else nullcontext(seen) as known:
            for batch in batches:
                done = _BatchWork(self, batch, room=room).run(known, repeating)
                room = 0 if done.rejects.is_cut else room - len(done.rejects)
                if done.counts.read:
                    yield replace(done, bytes_read=self.bytes_total * batch.bytes_read // read_in_all)

    def _texts(self) -> Generator[Texts]:
        if self.kept:
            yield from in_larger_batches(self.kept, rows=self.batch_rows)
            return
        decimal = self.conventions.decimal
        written = decimal if self.is_surveyed else UNDECIDED
        with closing(self.table.texts(decimal=written, block=self.block)) as texts:
            if self.is_surveyed:
                yield from in_larger_batches(texts, rows=self.batch_rows, soon=self.is_whole)
                return
            survey = self.survey.anew()
            # Of a split others have work in any case, and small batches take half as much again.
            for batch in in_larger_batches(texts, rows=self.batch_rows, soon=self.is_whole):
                survey.take(batch.cells)
                yield replace(batch, cells=decided(batch.cells, decimal)) if self.table.is_typed else batch
        if self.is_whole:
            self.settle(survey)
        else:
            self.survey = survey

    def settle(self, survey: Survey) -> None:
        """Read the rows as this survey of all of them says. Raises ReadOtherwise where that is not as they were."""
        before, found = self.conventions, survey.conventions
        self.survey, self.is_surveyed = survey, True
        self.reading = replace(
            self.reading,
            decimal=found.decimal,
            date_order=found.date_order,
            percentages=survey.percentages,
            basis={**self.reading.basis, **survey.basis},
        )
        if found != before:
            raise ReadOtherwise


class _BatchWork:
    """One batch from texts to clean rows."""

    def __init__(self, source: SourceFile, texts: Texts, *, room: int) -> None:
        self.department = source.department
        self.mapping = source.mapping
        self.conventions = source.conventions
        self.header = source.table.header
        self.has_nul = source.table.has_nul or source.is_correction
        self.bytes_read = texts.bytes_read
        self.ragged = [row for row in texts.ragged if not row.is_blank]
        self.cells, self.lines = without_blank_rows(texts)
        if source.is_correction:
            self.cells = as_in_the_file(self.cells)
        self.room = room

    def run(self, seen: SeenKeys, repeating: RepeatingTexts) -> Batch:
        typed, found = self._judge()
        bad: np.ndarray = np.logical_or.reduce(found, axis=1)
        clean = repeating.encoded(self._clean(_frame(typed.filter(pa.array(~bad)) if bad.any() else typed)))
        rows, repeats = self._without_repeats(clean, ~bad, seen)
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
            [np.zeros(rows, dtype=bool) if done is None else done.unreadable for done in casts]
        )
        by_schema = find_faults(_frame(typed), schema=self.department.rows, unreadable=unreadable)
        found = no_faults(rows, columns=len(self.header))
        for place, faulty in zip([*places, -1], by_schema.T, strict=True):
            if place is not None:
                found[:, place] = faulty
        for column, place, done in zip(columns, places, casts, strict=True):
            if column.is_code and done is not None:
                found[codes_made_numbers(done.values), place] = CONSTRAINT_ERROR
        if self.has_nul:
            for at, cells in enumerate(self.cells.columns):
                if not letters_of(cells).all():
                    found[_mask(pc.match_substring(cells, "\x00")), at] = NULL_BYTE
        return typed, found

    def _clean(self, frame: pd.DataFrame) -> pa.Table:
        for step in self.department.clean:
            frame = step(frame)
        names = [column.name for column in self.department.columns]
        schema = pa.schema([(column.name, ARROW_TYPES[column.kind]) for column in self.department.columns])
        return pa.Table.from_pandas(frame[names], schema=schema, preserve_index=False)

    def _without_repeats(self, clean: pa.Table, good: np.ndarray, seen: SeenKeys) -> tuple[pa.Table, Repeats]:
        """The rows to load, and those left out as repeats of an earlier row of the file."""
        lines = self.lines[good]
        found = digests(clean, key=self.department.natural_key, decimals=self.department.decimals)
        earlier = seen.repeats(found, lines)
        again = np.flatnonzero(earlier)
        repeats = Repeats(
            rows=np.flatnonzero(good)[again],
            keys=clean.select(self.department.natural_key).take(pa.array(again)),
            earlier=earlier[again],
        )
        rows = clean.add_column(0, "line", pa.array(lines, pa.int64()))
        return rows.filter(pa.array(earlier == 0)) if len(again) else rows, repeats


def without_blank_rows(texts: Texts) -> tuple[pa.RecordBatch, np.ndarray]:
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
