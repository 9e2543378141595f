"""A workbook of Excel 97 made fit for the reader behind it, which trusts every file.

That reader takes all sheets at once, each as large as the way to its last cell or as it says it is, and ends the
process when memory does; it reads macros too. So it gets the sheets alone, in a container written here, once their
cells are known to stand where cells can.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aetherflow.etl.rejects import FileRefused

# A sheet has no more. Thirty-two bytes a cell on the way to the last one, of all sheets together.
MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 1 << 16, 1 << 8, 26_000_000
# What the list of sectors in a container's head can lead to; a full sheet takes a tenth of it.
MOST_BYTES = 256 << 20
MOST_SHEETS = 1_000
# Sheets are one behind the other; of a file whose sheets share their records each is gone through by itself.
MOST_TIMES = 4

NAMES = ("workbook", "book")
SECTOR, IN_HEAD = 4_096, 109
FREE, END, OF_TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
STREAM, ROOT = 2, 5
# Records: of cells with content, which begin with row and column, and of several in a row, which end with the last one.
CELLS = frozenset({0x0006, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E, 0x00BD})
SEVERAL, SIZE, SHEET, LAST = 0x00BD, 0x0200, 0x0085, 0x000A


def prepare(path: Path, target: Path, *, filename: str) -> None:
    """Write the sheets to `target`. Raises FileRefused too-many-cells; ValueError and struct.error for what is damaged,
    and for another program's file."""
    content = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
    if not content:
        raise FileRefused(
            f"{filename} is larger than an old Excel workbook (.xls) can be read ({MOST_BYTES >> 20} MB).",
            code="too-large-expanded",
            hint="Save it as an Excel workbook (.xlsx) or as CSV and upload that file.",
        )
    stream = _Container(content).workbook()
    _refuse_far_cells(stream, filename=filename)
    target.write_bytes(_contained(stream))


@dataclass(frozen=True, kw_only=True)
class _Entry:
    name: str
    kind: int
    start: int
    size: int


class _Container:
    """A file of sectors, a table of which one follows which, and a list of what there is."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        shift, self._small_shift = struct.unpack_from("<2H", content, 30)
        if shift not in {9, 12} or self._small_shift != 6:
            raise ValueError("sectors")
        self._size = 1 << shift
        tables, listed, self._cutoff, small = struct.unpack_from("<2I4x2I", content, 44)
        (more,) = struct.unpack_from("<I", content, 68)
        self._table = self._read_table(tables, more=more)
        entries = self._entries(b"".join(self._chain(listed)))
        root = next((entry for entry in entries if entry.kind == ROOT), None)
        if root is None:
            raise ValueError("no root")
        self._root = root
        self._streams = [entry for entry in entries if entry.kind == STREAM]
        self._small_table_at = small

    def workbook(self) -> bytes:
        named = {entry.name.lower(): entry for entry in reversed(self._streams)}
        entry = next((named[name] for name in NAMES if name in named), None)
        if entry is None:
            raise ValueError("no workbook")
        if entry.size >= self._cutoff:
            return self._joined(self._chain(entry.start), entry.size)
        within = self._joined(self._chain(self._root.start), self._root.size)
        table = np.frombuffer(b"".join(self._chain(self._small_table_at)), dtype="<u4")
        return self._joined(_followed(within, table, entry.start, 1 << self._small_shift, skip=0), entry.size)

    def _read_table(self, tables: int, *, more: int) -> np.ndarray:
        places = list(struct.unpack_from(f"<{IN_HEAD}I", self._content, 76))
        for _ in range(len(self._content) // self._size):
            if more >= OF_TABLE - 1:
                break
            *found, more = struct.unpack(f"<{self._size // 4}I", self._sector(more))
            places += found
        used = [place for place in places if place < OF_TABLE - 1][:tables]
        return np.frombuffer(b"".join(map(self._sector, used)), dtype="<u4")

    def _sector(self, place: int) -> bytes:
        at = (place + 1) * self._size
        found = self._content[at : at + self._size]
        if not found:
            raise ValueError("a sector outside")
        return found.ljust(self._size, b"\x00")

    def _chain(self, start: int) -> Iterator[bytes]:
        return _followed(self._content, self._table, start, self._size, skip=self._size)

    def _joined(self, sectors: Iterator[bytes], size: int) -> bytes:
        return b"".join(sectors)[:size]

    def _entries(self, listed: bytes) -> Sequence[_Entry]:
        found = []
        for at in range(0, len(listed) - 127, 128):
            length, kind = struct.unpack_from("<HB", listed, at + 64)
            start, size = struct.unpack_from("<II", listed, at + 116)
            name = listed[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", errors="replace")
            found.append(_Entry(name=name, kind=kind, start=start, size=size))
        return found


def _followed(content: bytes, table: np.ndarray, start: int, size: int, *, skip: int) -> Iterator[bytes]:
    """Sectors from `start` on as the table leads. Raises ValueError where it leads in a circle or out of the file."""
    place, left = start, len(content) // size + 1
    while place < OF_TABLE - 1:
        at = skip + place * size
        left -= 1
        if left < 0 or place >= len(table) or at >= len(content):
            raise ValueError("sectors")
        yield content[at : at + size]
        place = int(table[place])


def _refuse_far_cells(stream: bytes, *, filename: str) -> None:
    sheets = [struct.unpack_from("<I", stream, at)[0] for kind, at, _ in _records(stream, 0) if kind == SHEET]
    if len(sheets) > MOST_SHEETS:
        raise ValueError("sheets")
    cells, room = 0, MOST_TIMES * len(stream)
    for begin in sheets:
        down = right = 0
        end = begin
        for kind, at, length in _records(stream, begin):
            end = at + length
            if kind == SIZE:
                _refuse_size(stream[at:end])
            if kind in CELLS:
                row, column = struct.unpack_from("<2H", stream, at)
                if kind == SEVERAL:
                    (column,) = struct.unpack_from("<H", stream, at + length - 2)
                down, right = max(down, row + 1), max(right, column + 1)
        room -= end - begin
        cells += down * right
        if right > MOST_COLUMNS or room < 0:
            raise ValueError("cells")
    if cells > MOST_CELLS:
        raise FileRefused(
            f"The sheets of {filename} reach over {cells:,} cells; at most {MOST_CELLS:,} are read.",
            code="too-many-cells",
            hint="Delete what stands far outside the table (Ctrl+End leads there), or save the sheet as CSV.",
            details={"cells": cells, "most_cells": MOST_CELLS},
        )


def _refuse_size(said: bytes) -> None:
    rows, columns = struct.unpack_from("<4xI2xH", said) if len(said) >= 14 else struct.unpack_from("<2xH2xH", said)
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        raise ValueError("size")


def _records(stream: bytes, begin: int) -> Iterator[tuple[int, int, int]]:
    """(kind, where its content begins, how long it is) up to the last of a sheet."""
    at = begin
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<2H", stream, at)
        if not kind and not length:
            # The rest of a last sector: millions of such records are nothing.
            zeros = stream[at : at + SECTOR]
            at += max(4, (len(zeros) - len(zeros.lstrip(b"\x00"))) // 4 * 4)
            continue
        if kind == LAST:
            return
        yield kind, at + 4, min(length, len(stream) - at - 4)
        at += 4 + length


def _contained(stream: bytes) -> bytes:
    """A container of nothing but the workbook."""
    stream = stream.ljust(-(-max(len(stream), SECTOR) // SECTOR) * SECTOR, b"\x00")
    sectors = len(stream) // SECTOR
    tables = -(-(sectors + 2) // (SECTOR // 4 - 1))
    table = np.full(tables * SECTOR // 4, FREE, dtype="<u4")
    table[:tables], table[tables] = OF_TABLE, END
    table[tables + 1 : tables + sectors] = np.arange(tables + 2, tables + sectors + 1)
    table[tables + sectors : tables + sectors + 2] = END
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 4, 0xFFFE, 12, 6)
    head += struct.pack("<8I", 1, tables, tables, 0, SECTOR, END, 0, END) + struct.pack("<I", 0)
    head += struct.pack(f"<{IN_HEAD}I", *range(tables), *[FREE] * (IN_HEAD - tables))
    # The reader wants a sector of small streams behind the workbook, though there are none.
    entries = _entry("Root Entry", kind=ROOT, child=1, start=tables + sectors + 1, size=0)
    entries += _entry("Workbook", kind=STREAM, child=FREE, start=tables + 1, size=len(stream))
    return b"".join(
        [head.ljust(SECTOR, b"\x00"), table.tobytes(), entries.ljust(SECTOR, b"\x00"), stream, bytes(SECTOR)]
    )


def _entry(name: str, *, kind: int, child: int, start: int, size: int) -> bytes:
    label = name.encode("utf-16-le").ljust(64, b"\x00")
    links = struct.pack("<3I", FREE, FREE, child)
    return label + struct.pack("<H2B", 2 * len(name) + 2, kind, 1) + links + bytes(36) + struct.pack("<IQ", start, size)
