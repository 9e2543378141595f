"""An .xlsx workbook made fit for the reader behind it, which trusts every file.

That reader takes one cell far away for a sheet as large as the way there and ends the process when memory does, makes
room for as many shared texts as the file says it has, copies such a text into every cell that names it, gives an error
such as #N/A out as an empty cell, goes through a sheet a second time in search of its merged cells, and holds all of a
sheet at once.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import IO

from aetherflow.etl.ahead import ahead
from aetherflow.etl.formats.limits import Limits
from aetherflow.etl.formats.parts import Book, Parts, Walk, Whole, begin, cell_name, has
from aetherflow.etl.formats.zips import open_zip
from aetherflow.etl.reader import LONGEST_CELL
from aetherflow.etl.rejects import FileRefused

CHUNK = 1 << 20
# Rows times columns up to the last cell with content, thirty-two bytes each: any sheet of 26 columns.
MOST_CELLS = 26_000_000
# One text with its markup, in bytes; Excel's longest has 32,767 characters.
LONGEST_STRING = LONGEST_CELL * 6

_NOT_READ = re.compile(r"/(media|drawings|charts|embeddings|printerSettings)/", re.IGNORECASE)
_STRINGS = re.compile(rb"<(?:[^\s<>/:]+:)?sst(?=[\s/>])")
# What it says of itself beyond its name; how many texts there are is not for the file to say.
_COUNTED = re.compile(rb"""(<(?:[^\s<>/:]+:)?sst)\s(?:[^<>"'/]|/(?!>)|"[^"<]*"|'[^'<]*')*(/?>)""")
_BARE = re.compile(rb"<(?:[^\s<>/:]+:)?sst/?>")
_ROWS = re.compile(rb"<(?:\w+:)?sheetData\b")
_NOTHING_MERGED = rb"<mergeCells/>\g<0>"
_ERROR = re.compile(rb"""(<(?:\w+:)?c\s[^<>]*?\bt\s*=\s*["'])e(["'])""")
# Beyond column Z, or a row number of seven digits.
_FAR = re.compile(rb"""["'](?:[A-Za-z]{2}[A-Za-z]?\d|[A-Za-z]\d{7})""")


def prepare(path: Path, target: Path, *, filename: str, limits: Limits, in_parts: bool = True) -> list[Parts]:
    """Write the workbook to `target`, not packed, its errors as texts, and return what its sheets, in their order, were
    parted into; nothing where none was looked at. Raises FileRefused: too-large-expanded,
    too-many-cells, cell-too-long; zipfile's and zlib's errors for what is damaged."""
    unsure = []
    with open_zip(path, filename=filename) as source, zipfile.ZipFile(target, "w") as out:
        limits.check(sum(part.file_size for part in source.infolist()))
        book = begin(source, out) if in_parts else Book(out=out)
        for part in source.infolist():
            if part.is_dir() or _NOT_READ.search(part.filename) or part.filename in book.lists:
                continue
            with source.open(part) as packed, closing(book.open(part.filename)) as plain:
                if _copy(packed, plain, filename=filename):
                    unsure.append(part.filename)
        book.close()
    for name in unsure:
        parts = book.parts.get(name, Parts()).files
        _refuse_too_many_cells(target, [name, *parts], filename=filename)
    return book.parts_of_sheets


def _copy(packed: IO[bytes], plain: Whole, *, filename: str) -> bool:
    """Whether a cell may lie far out, or anywhere."""
    has_strings = is_far = False
    unended = begun = 0
    # Unpacking works beside the search, and has ended before `packed` is closed.
    with closing(ahead(_pieces(packed, filename=filename))) as pieces:
        for piece in pieces:
            if b"sst" in piece and _STRINGS.search(piece):
                has_strings = True
                piece = _without_counts(piece)  # noqa: PLW2901
            if has_strings:
                first, *others = map(len, piece.split(b"si>"))
                if max(unended + first, *others, 0) > LONGEST_STRING:
                    raise _too_long(filename)
                unended = others[-1] if others else unended + first
            elif not begun:
                piece, begun = _ROWS.subn(_NOTHING_MERGED, piece, count=1)  # noqa: PLW2901
            if _is_odd(piece, outside=plain.outside):
                is_far = is_far or bool(_FAR.search(piece))
                piece = piece if has_strings else _ERROR.sub(rb"\1str\2", piece)  # noqa: PLW2901
                plain.widen(piece)
            plain.write(piece)
    return is_far or (bool(begun) and not plain.is_placed)


def _without_counts(piece: bytes) -> bytes:
    """Raises ValueError for a list of texts that is no XML."""
    bare = _COUNTED.sub(rb"\1\2", piece)
    if len(_STRINGS.findall(bare)) > len(_BARE.findall(bare)):
        raise ValueError("sst")
    return bare


def _is_odd(piece: bytes, *, outside: str) -> bool:
    """Whether there may be an error, something far, or content `outside`, which is a pattern of columns.

    Every cell is looked at: only a literal beginning makes that cheap.
    """
    content = rf'|(?:{outside})\d+"(?:[^<>"/]|"[^"]*")*>' if outside else ""
    odd = rf'"(?:e"|[A-Za-z]{{2}}[A-Za-z]?\d|[A-Za-z]\d{{7}}{content})'
    return has(piece, odd) or (b"'" in piece and has(piece, odd.replace('"', "'")))


def _pieces(part: IO[bytes], *, filename: str) -> Generator[bytes]:
    """The XML, cut before a tag."""
    rest = b""
    while chunk := part.read(CHUNK):
        text = rest + chunk
        cut = max(text.rfind(b"<"), 0)
        if not cut and len(text) > CHUNK * 2:
            raise _too_long(filename)
        text, rest = text[:cut], text[cut:]
        if text:
            yield text
    yield rest


def _refuse_too_many_cells(workbook: Path, names: list[str], *, filename: str) -> None:
    right, down, furthest = 0, 0, (0, 0)
    walk = Walk()
    with zipfile.ZipFile(workbook) as source:
        for name in names:
            with source.open(name) as part:
                for piece in _pieces(part, filename=filename):
                    for column, row in walk.cells(piece):
                        if column > right or row > down:
                            right, down, furthest = max(column, right), max(row, down), (column, row)
    if right * down > MOST_CELLS:
        where = cell_name(*furthest)
        raise FileRefused(
            f"A sheet of {filename} reaches to cell {where}: {down:,} rows of {right:,} columns are too many cells.",
            code="too-many-cells",
            hint="Delete what stands far outside the table (Ctrl+End leads there), or save the sheet as CSV.",
            details={"rows": down, "columns": right, "most_cells": MOST_CELLS},
        )


def _too_long(filename: str) -> FileRefused:
    return FileRefused(
        f"A cell of {filename} holds more text than the {LONGEST_CELL:,} characters a cell of Excel can.",
        code="cell-too-long",
        hint="Save the workbook with Excel or LibreOffice again, and upload that file.",
    )
