"""An .xlsx workbook made fit for the reader behind it, which trusts every file.

That reader takes one cell far away for a sheet as large as the way there and ends the process when memory does, copies
a shared text into every cell that names it, gives an error such as #N/A out as an empty cell, and goes through a sheet
a second time in search of its merged cells.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.etl.ahead import ahead
from aetherflow.etl.formats.limits import Limits
from aetherflow.etl.reader import LONGEST_CELL
from aetherflow.etl.rejects import FileRefused

CHUNK = 1 << 20
# Rows times columns up to the last cell with content, thirty-two bytes each: any sheet of 26 columns.
MOST_CELLS = 26_000_000
# One text with its markup, in bytes; Excel's longest has 32,767 characters.
LONGEST_STRING = LONGEST_CELL * 6

_NOT_READ = re.compile(r"/(media|drawings|charts|embeddings|printerSettings)/", re.IGNORECASE)
_STRINGS = re.compile(rb"<(?:\w+:)?sst\b")
_ROWS = re.compile(rb"<(?:\w+:)?sheetData\b")
_NOTHING_MERGED = rb"<mergeCells/>\g<0>"
_ERROR = re.compile(rb"""(<(?:\w+:)?c\s[^<>]*?\bt\s*=\s*["'])e(["'])""")
# Beyond column Z, or a row number of seven digits.
_FAR = re.compile(rb"""["'](?:[A-Za-z]{2}[A-Za-z]?\d|[A-Za-z]\d{7})""")
# What could be either. Every cell is looked at: only a literal beginning makes that cheap.
_ODD = r'"(?:e"|[A-Za-z]{2}[A-Za-z]?\d|[A-Za-z]\d{7})'
_ODD_IN_SINGLE_QUOTES = _ODD.replace('"', "'")
# With content: an empty cell closes itself.
_CELL = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,7})(\d{1,18})["'][^<>/]*>""")


def prepare(path: Path, target: Path, *, filename: str, limits: Limits) -> None:
    """Write the workbook to `target`, not packed, its errors as texts. Raises FileRefused: too-large-expanded,
    too-many-cells, cell-too-long; zipfile's and zlib's errors for what is damaged."""
    far = []
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as out:
        limits.check(sum(part.file_size for part in source.infolist()))
        for part in source.infolist():
            if part.is_dir() or _NOT_READ.search(part.filename):
                continue
            with source.open(part) as packed, out.open(part.filename, "w", force_zip64=True) as plain:
                if _copy(packed, plain, filename=filename):
                    far.append(part.filename)
    for name in far:
        _refuse_too_many_cells(target, name, filename=filename)


def _copy(packed: IO[bytes], plain: IO[bytes], *, filename: str) -> bool:
    """Whether a cell may lie far out."""
    has_strings = is_far = False
    unended = begun = 0
    # Unpacking works beside the search, and has ended before `packed` is closed.
    with closing(ahead(_pieces(packed, filename=filename))) as pieces:
        for at, piece in enumerate(pieces):
            if not at:
                has_strings = bool(_STRINGS.search(piece))
            if has_strings:
                first, *others = map(len, piece.split(b"si>"))
                if max(unended + first, *others, 0) > LONGEST_STRING:
                    raise _too_long(filename)
                unended = others[-1] if others else unended + first
            elif not begun:
                piece, begun = _ROWS.subn(_NOTHING_MERGED, piece, count=1)  # noqa: PLW2901
            if _is_odd(piece):
                is_far = is_far or bool(_FAR.search(piece))
                piece = piece if has_strings else _ERROR.sub(rb"\1str\2", piece)  # noqa: PLW2901
            plain.write(piece)
    return is_far


def _is_odd(piece: bytes) -> bool:
    text = pa.array([piece], pa.binary())
    patterns = [_ODD, _ODD_IN_SINGLE_QUOTES] if b"'" in piece else [_ODD]
    return any(pc.match_substring_regex(text, pattern)[0].as_py() for pattern in patterns)


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


def _refuse_too_many_cells(workbook: Path, name: str, *, filename: str) -> None:
    right, down, furthest = 0, 0, ""
    with zipfile.ZipFile(workbook) as source, source.open(name) as part:
        for piece in _pieces(part, filename=filename):
            for letters, digits in _CELL.findall(piece):
                column, row = _number(letters), int(digits)
                if column > right or row > down:
                    right, down, furthest = max(column, right), max(row, down), (letters + digits).decode()
    if right * down > MOST_CELLS:
        raise FileRefused(
            f"A sheet of {filename} reaches to cell {furthest}: {down:,} rows of {right:,} columns are too many cells.",
            code="too-many-cells",
            hint="Delete what stands far outside the table (Ctrl+End leads there), or save the sheet as CSV.",
            details={"rows": down, "columns": right, "most_cells": MOST_CELLS},
        )


def _number(letters: bytes) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _too_long(filename: str) -> FileRefused:
    return FileRefused(
        f"A cell of {filename} holds more text than the {LONGEST_CELL:,} characters a cell of Excel can.",
        code="cell-too-long",
        hint="Save the workbook with Excel or LibreOffice again, and upload that file.",
    )
