"""Workbooks of Excel 97: read like the newer ones, and no more trusted."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from aetherflow.etl import FileRefused
from tests.aetherflow.etl.old_workbooks import old_workbook

HEADER = ["parcel", "sent", "pieces", "weight", "value", "remark"]
BOOK = old_workbook([HEADER, ["P-1", "2026-11-02", 3.0, 1.5, 9.99, "ok"], ["P-2", "soon", 3.0, 1.5, 9.99, ""]])


def cell(row: int, column: int) -> bytes:
    """The record of a number, up to it."""
    return struct.pack("<2H3H", 0x203, 14, row, column, 0)


def sized(rows: int, columns: int) -> bytes:
    return struct.pack("<2H2I3H", 0x200, 14, 0, rows, 0, columns, 0)


def changed(before: bytes, after: bytes) -> bytes:
    assert BOOK.count(before) == 1
    return BOOK.replace(before, after)


def at(place: int, *words: int) -> bytes:
    """The container with these words of four bytes at this place."""
    return BOOK[:place] + struct.pack(f"<{len(words)}I", *words) + BOOK[place + 4 * len(words) :]


@pytest.mark.parametrize("filename", ["march.xls", "march.xlsx", "march.csv"])
def test_its_cells_are_read_whatever_it_is_called(load: Callable[..., Any], filename: str) -> None:
    loaded = load(BOOK, filename=filename)
    assert loaded.reading.summary == "old Excel workbook, sheet Parcels, ISO dates"
    assert (loaded.lines, loaded.faults) == ([2], [(3, "sent", "type-error")])
    assert (loaded.rows[0]["parcel"], loaded.rows[0]["weight"], loaded.rows[0]["value"]) == ("P-1", 1.5, 9.99)


def test_many_rows_come_whole_and_in_order(load: Callable[..., Any]) -> None:
    rows = [[f"P-{at}", "2026-11-02", 3.0, 1.5, float(at), "ok"] for at in range(500)]
    assert [row["parcel"] for row in load(old_workbook([HEADER, *rows])).rows] == [f"P-{at}" for at in range(500)]


def test_a_short_one_stands_where_short_streams_do(load: Callable[..., Any]) -> None:
    rows = [HEADER, ["P-1", "2026-11-02", 3.0, 1.5, 9.99, "ok"]]
    assert load(old_workbook(rows, is_small=True)).rows == load(old_workbook(rows)).rows


def test_as_many_texts_as_it_says_it_has_are_not_waited_for(load: Callable[..., Any]) -> None:
    assert load(old_workbook([HEADER, ["P-1", "2026-11-02", 3.0, 1.5, 9.99, ""]], texts=0xFFFFFFFF)).lines == [2]


# The reader asks for a hundred gigabytes, or for a thousand times that, and ends the process where it is not given it.
DAMAGED = {
    "a cell beyond the last column": changed(cell(1, 2), cell(65_535, 65_535)),
    "a sheet larger than any": changed(sized(3, 6), sized(0xFFFFFFFF, 6)),
    "a sheet wider than any": changed(sized(3, 6), sized(3, 0xFFFF)),
    "no beginning of its list": at(44, 0xFFFF, 0xFFFFFFFF),
    "sectors in a circle": at(512 + 4 * 3, 2),
    "sectors outside of the file": at(512 + 4 * 2, 9_999),
    "no stream of a workbook": changed("Workbook".encode("utf-16-le"), "WordDocu".encode("utf-16-le")),
    "sectors of two gigabytes": BOOK[:30] + struct.pack("<H", 31) + BOOK[32:],
    "nothing behind its head": BOOK[:600],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_no_excel_has_written_is_damaged(load: Callable[..., Any], name: str) -> None:
    with pytest.raises(FileRefused, match=r"march\.xls cannot be opened as an Excel workbook") as refusal:
        load(DAMAGED[name], filename="march.xls")
    assert refusal.value.code == "source-error"


def test_two_sheets_that_reach_far_are_too_much(load: Callable[..., Any]) -> None:
    """Each might be read; the reader holds both."""
    far = changed(cell(1, 2), cell(65_535, 255))
    start = far.index(struct.pack("<2H", 0x85, 15))
    record, (begin,) = far[start : start + 19], struct.unpack_from("<I", far, start + 4)
    moved = record[:4] + struct.pack("<I", begin + 19) + record[8:]
    twice = far[:start] + moved * 2 + far[start + 19 : -512] + far[-512:-19]
    with pytest.raises(FileRefused, match="33,554,432 cells") as refusal:
        load(twice, filename="march.xls")
    assert refusal.value.code == "too-many-cells"
