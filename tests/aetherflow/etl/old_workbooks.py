"""Workbooks of Excel 97 (.xls), made by hand as workbooks.py makes the newer ones."""

from __future__ import annotations

import struct
from collections.abc import Sequence

SECTOR, END_OF_CHAIN, FAT, FREE = 512, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
# A shorter stream would stand elsewhere.
LEAST = 4_096
GLOBALS, SHEET = 5, 16
HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
PIECE = 64


def old_workbook(rows: Sequence[Sequence[object]], *, texts: int | None = None, is_small: bool = False) -> bytes:
    """One sheet of texts and numbers. `texts`: how many shared ones it says it has. `is_small`: written where short
    streams stand, in pieces of 64 bytes."""
    shared = list(dict.fromkeys(str(cell) for row in rows for cell in row if isinstance(cell, str)))
    count = len(shared) if texts is None else texts
    strings = b"".join(struct.pack("<HB", len(text), 0) + text.encode("latin-1") for text in shared)
    sheet = _begin(SHEET) + _record(0x200, struct.pack("<2I3H", 0, len(rows), 0, max(map(len, rows)), 0))
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            place = struct.pack("<3H", at, column, 0)
            if isinstance(cell, str):
                sheet += _record(0xFD, place + struct.pack("<I", shared.index(cell)))
            else:
                sheet += _record(0x203, place + struct.pack("<d", cell))
    listed = _record(0xFC, struct.pack("<2I", count, count) + strings) + _record(0x0A, b"")
    head = _begin(GLOBALS) + _record(0x42, struct.pack("<H", 1200))
    name = b"\x07\x00Parcels"
    at = len(head) + 4 + 6 + len(name) + len(listed)
    stream = head + _record(0x85, struct.pack("<IH", at, 0) + name) + listed + sheet + _record(0x0A, b"")
    return _small_container(stream) if is_small else _container(stream)


def _begin(kind: int) -> bytes:
    return _record(0x809, struct.pack("<4H2I", 0x600, kind, 0x0DBB, 1996, 0, 6))


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<2H", kind, len(content)) + content


def _container(stream: bytes) -> bytes:
    """The stream called Workbook in a file of sectors: where they are, what there is, and it."""
    stream = stream.ljust(max(LEAST, -(-len(stream) // SECTOR) * SECTOR), b"\x00")
    sectors = len(stream) // SECTOR
    chain = [FAT, END_OF_CHAIN, *range(3, 2 + sectors), END_OF_CHAIN]
    assert len(chain) <= SECTOR // 4
    head = HEAD
    head += struct.pack("<9I", 1, 1, 0, LEAST, END_OF_CHAIN, 0, END_OF_CHAIN, 0, 0) + struct.pack("<I", FREE) * 108
    table = struct.pack("<I", FREE) * (SECTOR // 4 - len(chain))
    entries = _entry("Root Entry", kind=5, child=1, start=END_OF_CHAIN, size=0)
    entries += _entry("Workbook", kind=2, child=FREE, start=2, size=len(stream))
    return head + struct.pack(f"<{len(chain)}I", *chain) + table + entries.ljust(SECTOR, b"\x00") + stream


def _small_container(stream: bytes) -> bytes:
    """The stream in pieces that have a table of their own: sector 2; they fill the root's sectors, from 3 on."""
    size, pieces = len(stream), -(-len(stream) // PIECE)
    stream = stream.ljust(-(-size // SECTOR) * SECTOR, b"\x00")
    chain = [FAT, END_OF_CHAIN, END_OF_CHAIN, *range(4, 3 + len(stream) // SECTOR), END_OF_CHAIN]
    small = [*range(1, pieces), END_OF_CHAIN]
    head = HEAD + struct.pack("<9I", 1, 1, 0, LEAST, 2, 1, END_OF_CHAIN, 0, 0) + struct.pack("<I", FREE) * 108
    tables = [
        struct.pack(f"<{len(table)}I", *table) + struct.pack("<I", FREE) * (SECTOR // 4 - len(table))
        for table in (chain, small)
    ]
    entries = _entry("Root Entry", kind=5, child=1, start=3, size=len(stream))
    entries += _entry("Workbook", kind=2, child=FREE, start=0, size=size)
    return head + tables[0] + entries.ljust(SECTOR, b"\x00") + tables[1] + stream


def _entry(name: str, *, kind: int, child: int, start: int, size: int) -> bytes:
    label = name.encode("utf-16-le").ljust(64, b"\x00")
    links = struct.pack("<3I", FREE, FREE, child)
    return label + struct.pack("<H2B", 2 * len(name) + 2, kind, 1) + links + bytes(36) + struct.pack("<IQ", start, size)
