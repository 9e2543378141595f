"""Excel's workbooks: one sheet of them, its typed cells as texts."""

from __future__ import annotations

import datetime as dt
import mmap
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from aetherflow.etl.ahead import ahead
from aetherflow.etl.dialect import MOST_COLUMNS, refuse_too_many_columns, tidy_label
from aetherflow.etl.formats import xls, xlsx
from aetherflow.etl.formats.damage import OF_AN_ARCHIVE, damage_is
from aetherflow.etl.formats.limits import Limits
from aetherflow.etl.formats.parts import Parts
from aetherflow.etl.formats.scratch import Scratch
from aetherflow.etl.formats.table import Form
from aetherflow.etl.formats.typed import day_texts, moment_texts, number_texts
from aetherflow.etl.options import ReadOptions
from aetherflow.etl.reader import Texts
from aetherflow.etl.rejects import FileRefused

Kind = Literal["xlsx", "xls"]

# Titles, addresses and a logo's caption stand above a table, but not more rows of them.
ROWS_BEFORE_HEADER = 50
# One label alone may stand in any remark: "date".
FEWEST_LABELS = 2
# Cells come as objects of Python: so few that they stay in the processor's cache, which makes them three times cheaper.
ROWS = 4_000
# A sheet is read on while a batch of rows, which comes from many parts, is checked.
PARTS = 32
# So many cells of a sheet, empty ones too, are taken as they are; of more, those above its first row are gone through.
FEW_CELLS = 1_000_000

ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, kw_only=True)
class _Sheet:
    """A sheet of a workbook, its first part held. There is content in the first `height` rows, from the column `left`,
    counted from 0, to before `right`. `header_at` is the header's place among the rows, from 0, None where the sheet is
    empty, and `known` how many of its labels are."""

    book: CalamineWorkbook
    first: CalamineSheet
    parts: Parts
    height: int
    left: int
    right: int
    header_at: int | None = None
    header: tuple[str, ...] = ()
    known: int = 0

    @property
    def name(self) -> str:
        return self.first.name

    def each(self) -> Generator[CalamineSheet]:
        """Those of its parts that have content. Raises FileRefused source-error for rows that are not in their order,
        which Excel does not open either."""
        end = -1
        with closing(ahead((self.book.get_sheet_by_name(name) for name in self.parts.names), most=PARTS)) as others:
            for part in chain([self.first], others):
                if part.start and part.end:
                    if part.start[0] <= end:
                        raise FileRefused(
                            f"The rows of the sheet {self.name!r} are not in their order: row {part.start[0] + 1:,} "
                            f"stands below row {end + 1:,}.",
                            code="source-error",
                            hint="Open the workbook in Excel or LibreOffice, save it again, and upload that file.",
                        )
                    end = part.end[0]
                    yield part

    def rows(self, part: CalamineSheet) -> tuple[int, Iterator[list[Any]]]:
        """Rows from the part's first with content on, their cells from the sheet's first with content to its last, and
        how many rows stand above."""
        above, left = part.start or (0, 0)
        is_sparse = part.height * part.width > FEW_CELLS
        rows = islice(part.iter_rows(), above, None) if is_sparse or not above else iter(part.to_python())
        before, after = left - self.left, self.right - left - part.width
        if before < 0 or after < 0:
            raise CalamineError(f"content outside of columns {self.left} to {self.right}: {left}, {part.width}")
        if before or after:
            return above, ([""] * before + row + [""] * after for row in rows)
        return above, rows


@dataclass(frozen=True, kw_only=True)
class _Book:
    """A workbook with its sheets in their order, and what they were parted into by their names."""

    book: CalamineWorkbook
    sheets: Sequence[SheetMetadata]
    parts: Mapping[str, Parts]

    def sheet(self, name: str) -> _Sheet:
        first, parts = self.book.get_sheet_by_name(name), self.parts.get(name, Parts())
        last = next((part for part in map(self.book.get_sheet_by_name, reversed(parts.names)) if part.start), first)
        ends = [(part.start[1], part.end[1] + 1) for part in (first, last) if part.start and part.end]
        return _Sheet(
            book=self.book,
            first=first,
            parts=parts,
            height=last.end[0] + 1 if last.end else 0,
            left=min([parts.left, *(left for left, _ in ends)]),
            right=max([parts.right, *(right for _, right in ends)]),
        )


@dataclass(frozen=True, kw_only=True)
class SheetTable:
    """A TextTable of a sheet, whose cells become texts each time they are asked for. How far it has been read is told
    in rows."""

    sheet: _Sheet
    header: tuple[str, ...]
    header_line: int
    rows_at_most: int
    form: Form
    filename: str
    limits: Limits
    has_nul: bool = True
    is_typed: bool = True

    @property
    def bytes_total(self) -> int:
        return self.rows_at_most

    def texts(self, *, decimal: str, block: int) -> Generator[Texts]:  # noqa: ARG002 - of ROWS at a time
        names = [str(at) for at in range(len(self.header))]
        expanded = 0
        with _what_is_damaged(self.filename), closing(self.sheet.each()) as parts:
            for at, columns in self._columns(parts):
                cells = pa.RecordBatch.from_arrays([texts_of(column, decimal=decimal) for column in columns], names)
                # A text that is shared stands in the file once, and here in every cell that names it.
                expanded += cells.nbytes
                self.limits.check(expanded)
                done = at + len(cells) - self.header_line
                yield Texts(cells=cells, lines=np.arange(len(cells)) + at + 1, ragged=[], bytes_read=done)

    def _columns(self, parts: Iterable[CalamineSheet]) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
        """The cells below the header, column by column, of some rows at a time, and above how many rows they begin."""
        for part in parts:
            above, rows = self.sheet.rows(part)
            at = max(above, self.header_line)
            rows = islice(rows, at - above, None)
            while columns := list(zip(*islice(rows, ROWS), strict=True)):
                # Beyond MOST_COLUMNS nothing is read where no label stands.
                yield at, columns[: len(self.header)]
                at += len(columns[0])


def open_workbook(
    path: Path,
    *,
    kind: Kind,
    filename: str,
    known: Callable[[str], bool],
    options: ReadOptions,
    scratch: Scratch,
    limits: Limits,
) -> SheetTable:
    """One sheet: the one asked for, or the first visible one whose header has labels that are `known`.

    The header is the row with most known labels, whatever stands above it. Raises FileRefused: format-error,
    source-error, sheet-error, empty-file, too-many-columns, and what xlsx.prepare does; reading the table, source-error
    and too-large-expanded.
    """
    with _what_is_damaged(filename):
        book = _book(path, kind=kind, filename=filename, scratch=scratch, limits=limits)
        sheet = _choose(book, wanted=options.sheet, known=known, filename=filename)
        if sheet.header_at is None:
            raise FileRefused(
                f"The sheet {sheet.name!r} of {filename} is empty.",
                code="empty-file",
                hint="Choose another sheet at the upload, or save the workbook again with its data.",
            )
    return SheetTable(
        sheet=sheet,
        header=sheet.header,
        header_line=sheet.header_at + 1,
        rows_at_most=sheet.height - sheet.header_at - 1,
        form=Form(format=kind, sheet=sheet.name, basis={"sheet": "given" if options.sheet else "found"}),
        filename=filename,
        limits=limits,
    )


def _book(path: Path, *, kind: Kind, filename: str, scratch: Scratch, limits: Limits, in_parts: bool = True) -> _Book:
    """The reader knows a format by the name's ending."""
    book, parts = scratch.path(f"book.{kind}"), []
    if kind == "xlsx":
        with damage_is(_damaged(filename), *OF_AN_ARCHIVE):
            parts = xlsx.prepare(path, book, filename=filename, limits=limits, in_parts=in_parts)
    else:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(ENCRYPTED) >= 0:
                raise _protected(filename)
        with damage_is(_damaged(filename), *OF_AN_ARCHIVE):
            xls.prepare(path, book, filename=filename)
    opened = CalamineWorkbook.from_path(book)
    listed = opened.sheets_metadata
    # One file may be listed under several names.
    added = list(dict.fromkeys(name for sheet in parts for name in sheet.names))
    sheets, others = listed[: len(listed) - len(added)], listed[len(listed) - len(added) :]
    if added and (len(sheets) != len(parts) or added != [sheet.name for sheet in others]):
        # The reader takes the workbook's lists otherwise.
        return _book(path, kind=kind, filename=filename, scratch=scratch, limits=limits, in_parts=False)
    by_name: dict[str, Parts] = {}
    for sheet, its_parts in zip(sheets, parts, strict=False):
        by_name.setdefault(sheet.name, its_parts)  # as the reader takes the first of a name
    return _Book(book=opened, sheets=sheets, parts=by_name)


@contextmanager
def _what_is_damaged(filename: str) -> Iterator[None]:
    try:
        with damage_is(_damaged(filename), CalamineError):
            try:
                yield
            except PasswordError as error:
                raise _protected(filename) from error
    except BaseException as error:
        # What the reader did not expect in a file arrives as an exception that is none of Exception's.
        if type(error).__name__ == "PanicException":
            raise _damaged(filename) from error
        raise


def _choose(book: _Book, *, wanted: str | None, known: Callable[[str], bool], filename: str) -> _Sheet:
    sheets = [sheet for sheet in book.sheets if sheet.typ == SheetTypeEnum.WorkSheet]
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    if wanted is not None:
        return _look_into(book, _named(wanted, sheets, filename=filename), known=known)
    if not visible:
        raise FileRefused(
            f"{filename} has no visible sheet.", code="sheet-error", hint="Unhide the sheet that holds the table."
        )
    best: str | None = None
    for name in visible:
        sheet = _look_into(book, name, known=known)
        if sheet.known >= FEWEST_LABELS:
            return sheet
        best = best or (name if sheet.header_at is not None else None)
        del sheet  # two sheets at once may be more than the memory holds
    return _look_into(book, best or visible[0], known=known)


def _named(wanted: str, sheets: Sequence[SheetMetadata], *, filename: str) -> str:
    for same in (str, lambda name: name.strip().casefold()):
        if found := [sheet.name for sheet in sheets if same(sheet.name) == same(wanted)]:
            return found[0]
    names = [sheet.name for sheet in sheets]
    raise FileRefused(
        f"{filename} has no sheet called {wanted[:80]!r}.",
        code="sheet-error",
        hint=f"Its sheets are: {', '.join(names)[:500]}. Name one of them, or leave the sheet out to have it found.",
        details={"sheets": names},
    )


def _look_into(book: _Book, name: str, *, known: Callable[[str], bool]) -> _Sheet:
    sheet = book.sheet(name)
    best: tuple[int, int | None, tuple[str, ...]] = (-1, None, ())
    with closing(sheet.each()) as parts:
        for at, row in _top(sheet, parts):
            if all(cell == "" for cell in row):
                continue
            labels = tuple(tidy_label(text) for text in texts_of(row, decimal=".").to_pylist())
            count = len({label for label in labels if known(label)})
            if count > best[0]:
                best = count, at, labels
    count, header_at, labels = best
    if len(labels) > MOST_COLUMNS and header_at is not None:
        labels = labels[: max((at for at, label in enumerate(labels, 1) if label), default=1)]
        refuse_too_many_columns(len(labels), line=header_at + 1)
    return replace(sheet, header_at=header_at, header=labels, known=count)


def _top(sheet: _Sheet, parts: Iterable[CalamineSheet]) -> Iterator[tuple[int, list[Any]]]:
    """The rows in which a header is looked for, with their places from 0."""
    for part in parts:
        above, rows = sheet.rows(part)
        for at, row in enumerate(rows, above):
            if at >= ROWS_BEFORE_HEADER:
                return
            yield at, row


def texts_of(cells: Sequence[Any], *, decimal: str) -> pa.StringArray:
    """Cells of one column, of several types where people wrote into them by hand."""
    kinds = list(set(map(type, cells)))
    if len(kinds) == 1:
        return _spell(kinds[0], cells, decimal=decimal)
    parts = pa.concat_arrays([_spell(kind, [c for c in cells if type(c) is kind], decimal=decimal) for kind in kinds])
    place = {kind: at for at, kind in enumerate(kinds)}
    order = np.argsort(np.fromiter(map(place.__getitem__, map(type, cells)), np.int8, len(cells)), kind="stable")
    back = np.empty(len(cells), dtype=np.int64)
    back[order] = np.arange(len(cells))
    return parts.take(pa.array(back))


def _spell(kind: type, cells: Sequence[Any], *, decimal: str) -> pa.StringArray:
    if kind is str:
        return pa.array(cells, pa.string())
    if kind is float:
        return number_texts(pa.array(cells, pa.float64()), decimal=decimal)
    if kind is dt.date:
        return day_texts(pa.array(cells, pa.date32()))
    if kind is dt.datetime:
        return moment_texts(pa.array(cells, pa.timestamp("us")))
    if kind is bool:
        return pa.array(["TRUE" if cell else "FALSE" for cell in cells], pa.string())
    return pa.array(list(map(str, cells)), pa.string())


def _protected(filename: str) -> FileRefused:
    return FileRefused(
        f"{filename} is protected by a password.",
        code="format-error",
        hint="Save it without the password (File, Info, Protect Workbook, Encrypt with Password) and upload that file.",
    )


def _damaged(filename: str) -> FileRefused:
    return FileRefused(
        f"{filename} cannot be opened as an Excel workbook: it is damaged or incomplete.",
        code="source-error",
        hint="Open it in Excel, save it again as an Excel workbook (.xlsx) and upload that file.",
    )
