"""How a file writes its numbers and days is decided over all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

HEADER = "parcel;sent;pieces;weight;value;remark"


def file(*cells: str, column: str, filler: int = 0) -> str:
    """Rows with the given cells in one column, after `filler` rows that say nothing about it."""
    plain = {"sent": "2026-11-02", "pieces": "1", "weight": "1", "value": "1"}
    rows = [{**plain, column: cell} for cell in [plain[column]] * filler + list(cells)]
    lines = [";".join([f"P-{at}", *row.values(), ""]) for at, row in enumerate(rows)]
    return "\n".join([HEADER, *lines, ""])


@pytest.mark.parametrize(
    ("cells", "decimal", "assumed"),
    [
        (("12,5",), ",", False),
        (("12.5",), ".", False),
        (("1.234", "12,5"), ",", False),
        (("1,234", "12.5"), ".", False),
        (("1.234,56",), ",", False),
        (("1,234.56",), ".", False),
        (("1.234.567",), ",", False),
        (("1,234,567",), ".", False),
        (("0,125",), ",", False),
        (("0.125",), ".", False),
        (("12,3456",), ",", False),
        (("12,5 €",), ",", False),
        (("(12,50)",), ",", False),
        (("1234,500", "12,500"), ",", False),
        (("1234.500", "12.500"), ".", False),
        (("80,-", "1.200,\u2013"), ",", False),
        (("Fr.50", "80,50"), ",", False),
        (("1.200", "15.000"), ",", True),
        (("1,200", "15,000"), ".", True),
        (("1.234", "1,234"), ".", True),
        (("12,5", "12.5"), ".", True),
        (("12",), ".", True),
        (("12,5", "12.5", "13.5"), ".", False),
        (("12,5", "13,5", "12.5"), ",", False),
    ],
)
def test_the_decimal_mark(cells: tuple[str, ...], decimal: str, assumed: bool, load: Callable[..., Any]) -> None:
    reading = load(file(*cells, column="value")).reading
    assert (reading.decimal, reading.decimal_assumed) == (decimal, assumed)


@pytest.mark.parametrize(("cell", "decimal"), [("1.250", ","), ("1,250", ".")])
def test_a_thousand_pieces_tell_where_no_number_does(cell: str, decimal: str, load: Callable[..., Any]) -> None:
    loaded = load(file(cell, column="pieces"))
    assert (loaded.reading.decimal, loaded.rows[0]["pieces"]) == (decimal, 1250)


def test_the_last_row_decides_for_the_first(load: Callable[..., Any]) -> None:
    loaded = load(file("1.234", *["7"] * 3_000, "0,5", column="value"), block=4_096, batch_rows=500)
    assert loaded.batches > 1
    assert (loaded.rows[0]["value"], loaded.rows[-1]["value"]) == (1234.0, 0.5)


def test_the_majority_wins_however_long_the_file_was_of_one_mind(load: Callable[..., Any]) -> None:
    cells = ["12.5"] * 3_000 + ["12,5"] * 1_500
    reading = load(file(*cells, column="value"), block=4_096).reading
    assert reading.decimal == "."


@pytest.mark.parametrize(
    ("cells", "order", "assumed"),
    [
        (("2026-11-02",), "iso", False),
        (("31/10/2026",), "day-first", False),
        (("10/31/2026",), "month-first", False),
        (("01/02/2026",), "day-first", True),
        (("01/02/2026", "02/13/2026"), "month-first", False),
        (("31.10.26",), "day-first", False),
        (("31/10/2026", "30/10/2026", "10/31/2026"), "day-first", False),
        (("31/10/2026", "10/31/2026"), "day-first", True),
        (("10/31/2026", "31/02/2026", "30/02/2026"), "month-first", False),
        (("10/31/2026", "10/31/2026", "31/10/2026"), "month-first", False),
        (("31 Oct 2026",), "iso", False),
        (("26-10-01", "26-10-02", "26-10-31"), "year-first", False),
        (("26/10/01", "26/10/02", "26/10/31 14:30"), "year-first", False),
        (("99-10-14", "99-10-15"), "year-first", False),
        (("99-10-14", "00-10-15", "00-10-16"), "year-first", False),
        (("26-10-14", "26-10-15"), "day-first", True),
        (("26-10-14",), "day-first", False),
        (("01-10-26", "02-10-26", "31-10-26"), "day-first", False),
        (("31-12-00", "31-12-05", "31-12-26"), "day-first", False),
        (("01-10-24", "01-10-25", "01-10-26"), "day-first", True),
        (("15-10-26",) * 101 + ("15-10-02",), "day-first", False),
        (("26-10-01", "26-10-02", "26-10-31") * 34 + ("31.10.2026",), "year-first", False),
        (("26-10-01", "26-10-31", "31.10.2026"), "day-first", False),
        (("10-26-02", "10-31-26"), "month-first", False),
    ],
)
def test_the_order_of_days(cells: tuple[str, ...], order: str, assumed: bool, load: Callable[..., Any]) -> None:
    reading = load(file(*cells, column="sent")).reading
    assert (reading.date_order, reading.date_order_assumed) == (order, assumed)


def test_a_year_in_front_is_found_over_all_of_the_file(load: Callable[..., Any]) -> None:
    cells = [f"26-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29)]
    loaded = load(file(*cells, "26-02-30", column="sent"), block=4_096, batch_rows=50)
    assert (loaded.reading.date_order, loaded.reading.date_order_assumed) == ("year-first", False)
    assert [str(row["sent"]) for row in loaded.rows] == [f"20{cell}" for cell in cells]
    assert "with the year first" in loaded.rejects[0].hint


def test_the_hint_names_the_order_a_date_broke(load: Callable[..., Any]) -> None:
    (reject,) = load(file("31/10/2026", "30/10/2026", "10/31/2026", column="sent")).rejects
    assert reject.message == "'10/31/2026' in 'sent' is not a date."
    assert "day before the month" in reject.hint
