"""How a file writes its numbers and days is decided over all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aetherflow import registry
from aetherflow.department import Department
from aetherflow.etl import Correction, ReadOptions, conventions, percentages
from aetherflow.etl.conventions import Evidence
from aetherflow.etl.headers import match_header
from aetherflow.etl.survey import Survey

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


# A row is a day, a quantity, a price and a discount, in cells that speak for either reading, for both or for none.
DAYS = ("2026-11-02", "31/10/2026", "10/31/2026", "01/02/2026", "26-10-01", "99-10-14", "31.10.26", "")
QUANTITIES = ("1", "1,250", "1.250")
PRICES = ("9", "12.5", "12,5", "1.234", "1,234", "1.234.567", "1,234,567", "0.5,5")
DISCOUNTS = ("0", "5E-1", "0.5", "0.15", "0.1", "0.075", "1", "15", "0,33")
Row = tuple[str, ...]


@st.composite
def rows_of_a_file(draw: st.DrawFn) -> list[Row]:
    """In most files a column has few ways of writing."""
    pools = (
        draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4)) for pool in (DAYS, QUANTITIES, PRICES, DISCOUNTS)
    )
    return draw(st.lists(st.tuples(*map(st.sampled_from, pools)), max_size=40))


def surveyed(
    batches: Iterable[list[Row]], *, correction: Correction | None = None, discount: str = "discount_pct"
) -> Survey:
    department = registry.department("sales")
    header = ["transaction_id", "store_id", "product_category", "sku", "date", "quantity", "unit_price", discount]
    survey = Survey(
        department=department,
        mapping=match_header(header, department=department, line=1),
        options=ReadOptions(),
        correction=correction,
        is_typed=False,
    )
    for rows in batches:
        columns = zip(*rows, strict=True) if rows else [()] * 4
        cells = [*[[""] * len(rows)] * 4, *map(list, columns)]
        survey.take(pa.record_batch([pa.array(each, pa.string()) for each in cells], names=header))
    return survey


def together(pieces: Iterable[Survey], into: Survey) -> Survey:
    for piece in pieces:
        into.add(json.loads(json.dumps(piece.state())))
    return into


def verdict(survey: Survey) -> tuple[object, ...]:
    return survey.conventions, survey.percentages, survey.basis, survey.is_settled


@settings(max_examples=200, deadline=None)
@given(
    rows=rows_of_a_file(),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    discount=st.sampled_from(["discount_pct", "Discount", "Discount Rate"]),
    correction=st.none()
    | st.builds(
        Correction,
        decimal=st.sampled_from([None, ".", ","]),
        date_order=st.sampled_from([None, "day-first", "month-first", "year-first"]),
        percentages=st.sampled_from([{}, {"discount_pct": "share"}, {"discount_pct": "percent"}]),
    ),
    enough=st.integers(1, 5),
)
@example(  # Past the bound of the point, most cells are none that only the usual comma's rival explains.
    rows=[("", "1", "12.5", "0")] * 4 + [("", "1", "1.234", "0")] * 9,
    cuts=[2, 5, 6, 7],
    discount="Discount",
    correction=Correction(decimal=","),
    enough=1,
)
def test_pieces_of_a_file_say_together_what_all_of_it_says(
    rows: list[Row], cuts: list[int], discount: str, correction: Correction | None, enough: int
) -> None:
    whole = surveyed([rows], correction=correction, discount=discount)
    evidence = whole.evidence
    places = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    parts = [rows[start:end] for start, end in pairwise(places)] or [rows]
    with pytest.MonkeyPatch.context() as patch:
        if all(min(votes["."], votes[","]) < enough for votes in (evidence.marks, evidence.hints, evidence.guesses)):
            patch.setattr(conventions, "ENOUGH", enough)
        patch.setattr(percentages, "ENOUGH", enough)
        batchwise = surveyed(parts, correction=correction, discount=discount)
        # A row a batch, so that every bound comes to bear within a piece.
        pieces = [surveyed(([row] for row in part), correction=correction, discount=discount) for part in parts]
        found = together(pieces, into=surveyed([], correction=correction, discount=discount))
        assert verdict(found) == verdict(batchwise)
        # The bound of percentages is part of the verdict: so many are no slips.
        patch.setattr(conventions, "ENOUGH", 1_000)
        assert verdict(found) == verdict(whole)


def test_a_piece_goes_on_from_what_the_pieces_before_it_found() -> None:
    before = [("31/10/2026", "1", "12.5", "0.1"), ("26-10-01", "1,250", "1,234", "0.2")]
    after = [("10/31/2026", "1", "12.5", "0.3"), ("10/30/2026", "1", "12.5", "0.4")]
    found = together([surveyed([before])], into=surveyed([]))
    assert found.percentages == {"discount_pct": "percent"}
    whole = surveyed([before, after])
    assert together([surveyed([after])], into=found).state() == whole.state() | {"scales": found.state()["scales"]}
    assert verdict(found) == verdict(whole)


def test_an_empty_piece_says_nothing() -> None:
    rows = [("31/10/2026", "1", "12,5", "0.15")]
    found = together([surveyed([]), surveyed([rows]), surveyed([[]])], into=surveyed([]))
    assert found.state() == surveyed([rows]).state()


def test_the_majority_wins_whichever_piece_it_stands_in() -> None:
    points, commas = [("", "1", "12.5", "0")] * 3_000, [("", "1", "12,5", "0")] * 1_500
    for pieces in ([points, commas], [commas, points]):
        # A thousand rows a batch.
        found = together(
            (surveyed(rows[at : at + 1_000] for at in range(0, len(rows), 1_000)) for rows in pieces),
            into=surveyed([]),
        )
        assert (found.conventions.decimal, found.basis["decimal"]) == (".", "found")


def test_thousands_in_money_of_two_pieces_are_weighed_together(parcels: Department) -> None:
    pieces = [Evidence(), Evidence()]
    for piece, cells in zip(pieces, (["1,234"], ["1.234", "5.678"]), strict=True):
        piece.take(pa.array(cells), parcels.column("value"))
    found = Evidence()
    for piece in pieces:
        found.add(json.loads(json.dumps(piece.state())))
    assert (found.conventions.decimal, found.decimal_assumed) == (",", True)
