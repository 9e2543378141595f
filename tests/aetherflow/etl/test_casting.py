"""One cell at a time: what people write, and what it is read as."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aetherflow.columns import TEXT_MISSING, Column
from aetherflow.etl.casting import BEYOND, Conventions, _spelled_number, _usual_number, cast, codes_made_numbers
from aetherflow.etl.faults import constraint_error

UNREADABLE = object()


def column(kind: str, **options: object) -> Column:
    about = {"name": "x", "required": True, "nullable": True, "description": "", "examples": ("1", "2")}
    return Column(kind=kind, **{**about, **options})  # type: ignore[arg-type]


WEIGHT = column("number", decimal_places=3)
MONEY = column("number", decimal_places=2, unit="money")
PERCENT = column("number", decimal_places=2, unit="percent")
WHOLE = column("integer")
DAY = column("date")


def read(cell: str, of: Column, *, decimal: str = ".", date_order: str = "iso") -> object:
    conventions = Conventions(decimal=decimal, date_order=date_order)  # type: ignore[arg-type]
    done = cast(pa.array([cell, ""]), of, conventions=conventions)
    assert done.values[1].as_py() is None
    assert not done.unreadable[1]
    return UNREADABLE if done.unreadable[0] else done.values[0].as_py()


@pytest.mark.parametrize("cell", ["", "  ", "-", "--", "NA", "n/a", "N/A", "#N/A", "null", "NULL", "None", " none "])
@pytest.mark.parametrize("of", [WEIGHT, MONEY, WHOLE, DAY, column("text")], ids=lambda of: of.kind)
def test_what_stands_for_nothing_is_missing(cell: str, of: Column) -> None:
    assert read(cell, of) is None


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12.0),
        (" 12.5 ", 12.5),
        ("+12.5", 12.5),
        ("-0.5", -0.5),
        ("\u22120.5", -0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1.5E-2", 0.015),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0),
        ("12,34,567.5", 1234567.5),
        ("1 234.5", 1234.5),
        ("1\u00a0234.5", 1234.5),
        ("1\u202f234.5", 1234.5),
        ("1'234.5", 1234.5),
        ("(12.5)", -12.5),
        ("12.5-", -12.5),
        ("45.900000000000006", 45.9),
        ("0.0004", 0.0),
        ("9" * 400, BEYOND),
        ("-1e999", -BEYOND),
    ],
)
def test_numbers_with_a_decimal_point(cell: str, value: float) -> None:
    assert read(cell, WEIGHT) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12,5", 12.5), ("1.234", 1234.0), ("1.234,5", 1234.5), ("1 234,5", 1234.5), ("-0,5", -0.5), ("1,5E3", 1500.0)],
)
def test_numbers_with_a_decimal_comma(cell: str, value: float) -> None:
    assert read(cell, WEIGHT, decimal=",") == value


@pytest.mark.parametrize(
    "cell",
    ["three", "NaN", "nan", "inf", "-Infinity", "1.2.3", "12,5", "1,23", "1,2345", "0x1F", "1_000", "12 5", "((5))",
     "--5", "-(5)", "5%", "€5", "#REF!", "٣", "1e", "e5", "1,234 567", ","],
)  # fmt: skip
def test_what_is_no_number(cell: str) -> None:
    assert read(cell, WEIGHT) is UNREADABLE


@pytest.mark.parametrize("cell", ["12.5", "1,5.2", "1.23", "1.234.5"])
def test_what_is_no_number_with_a_decimal_comma(cell: str) -> None:
    assert read(cell, WEIGHT, decimal=",") is UNREADABLE


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("€ 45.90", 45.9),
        ("45.90 €", 45.9),
        ("$1,250.00", 1250.0),
        ("-$5", -5.0),
        ("$-5", -5.0),
        ("($5.00)", -5.0),
        ("$(5.00)", -5.0),
        ("USD 12", 12.0),
        ("12 eur", 12.0),
        ("£0.01", 0.01),
        ("(1,234.50)", -1234.5),
        ("12.00-", -12.0),
        ("80.-", 80.0),
        ("Fr. 1'200.\u2013", 1200.0),
        ("80.-- CHF", 80.0),
        ("R$ 5", 5.0),
        ("Rs. 5", 5.0),
        ("5 Kč", 5.0),
        ("1.005", 1.0),
        ("2.346", 2.35),
    ],
)
def test_money_carries_its_currency(cell: str, value: float) -> None:
    assert read(cell, MONEY) == pytest.approx(value, abs=0.0051 if cell == "1.005" else 0)


@pytest.mark.parametrize(("cell", "value"), [("80,-", 80.0), ("1.200,\u2013", 1200.0), ("9,— €", 9.0), ("80-", -80.0)])
def test_a_dash_instead_of_cents_is_no_minus(cell: str, value: float) -> None:
    assert read(cell, MONEY, decimal=",") == value


@pytest.mark.parametrize("cell", ["XYZ 12", "12 pieces", "€", "$ $", "5 %"])
def test_what_is_no_money(cell: str) -> None:
    assert read(cell, MONEY) is UNREADABLE


@pytest.mark.parametrize(("cell", "value"), [("15%", 15.0), ("15 %", 15.0), ("7.5", 7.5), ("100%", 100.0)])
def test_percentages_carry_their_sign(cell: str, value: float) -> None:
    assert read(cell, PERCENT) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [("3", 3), (" 3 ", 3), ("3.0", 3), ("3.", 3), ("-3", -3), ("1,250", 1250), ("1e3", 1000), ("(3)", -3), ("007", 7),
     ("9" * 25, 2**53), ("-" + "9" * 25, -(2**53)), ("9223372036854775807", 2**53)],
)  # fmt: skip
def test_whole_numbers(cell: str, value: int) -> None:
    assert read(cell, WHOLE) == value


@pytest.mark.parametrize("cell", ["three", "3.5", "1,5", "3 pcs", "nan", "1/2"])
def test_what_is_no_whole_number(cell: str) -> None:
    assert read(cell, WHOLE) is UNREADABLE


def test_whole_numbers_follow_the_decimal_comma() -> None:
    assert read("1.250", WHOLE, decimal=",") == 1250
    assert read("3,0", WHOLE, decimal=",") == 3
    assert read("1.250", WHOLE) is UNREADABLE


@pytest.mark.parametrize(
    ("cell", "order"),
    [
        ("2026-03-04", "iso"),
        ("2026-3-4", "iso"),
        ("2026/03/04", "day-first"),
        ("2026.03.04", "iso"),
        ("20260304", "iso"),
        ("2026-03-04T23:59:59Z", "iso"),
        ("2026-03-04 00:00:00", "iso"),
        ("2026-03-04 10:11:12.123456+02:00", "iso"),
        ("04/03/2026", "day-first"),
        ("4.3.2026", "day-first"),
        ("04-03-26", "day-first"),
        ("26-03-04", "year-first"),
        ("26.3.4", "year-first"),
        ("2026-03-04", "year-first"),
        ("04/03/2026 14:30", "day-first"),
        ("03/04/2026", "month-first"),
        ("3/4/26 2:30 PM", "month-first"),
        ("4-Mar-2026", "iso"),
        ("04 March 2026", "iso"),
        ("4-MAR-26", "iso"),
        ("Mar 4, 2026", "iso"),
        ("March 4 2026", "iso"),
    ],
)
def test_days(cell: str, order: str) -> None:
    assert read(cell, DAY, date_order=order) == dt.date(2026, 3, 4)


@pytest.mark.parametrize(
    ("cell", "order"),
    [
        ("2026-02-29", "iso"),
        ("2026-13-01", "iso"),
        ("31/04/2026", "day-first"),
        ("12/31/2026", "day-first"),
        ("31/12/2026", "month-first"),
        ("46023", "iso"),
        ("soon", "iso"),
        ("2026", "iso"),
        ("2026-03", "iso"),
        ("4 Foo 2026", "iso"),
        ("2026-03-04 and more", "iso"),
    ],
)
def test_what_is_no_day(cell: str, order: str) -> None:
    assert read(cell, DAY, date_order=order) is UNREADABLE


@pytest.mark.parametrize(("cell", "year"), [("31/12/68", 2068), ("31/12/69", 1969), ("31-Dec-99", 1999)])
def test_a_year_of_two_digits_is_one_from_1969_to_2068(cell: str, year: int) -> None:
    assert read(cell, DAY, date_order="day-first") == dt.date(year, 12, 31)


def test_texts_are_trimmed_and_runs_of_spaces_closed() -> None:
    assert read("\u00a0 Home  &\n Garden ", column("text")) == "Home & Garden"
    assert read(" one\n  two ", column("text", multiline=True)) == "one\n  two"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="00042"', "00042"),
        ('="a"b"', '="a"b"'),
        ("Home\u00a0&\u202fGarden", "Home & Garden"),
        ("\u200b A-1\ufeff ", "A-1"),
        ("A\u20601", "A1"),
        ("Cafe\u0301", "Café"),
        ("👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_texts_that_look_the_same_are_the_same(cell: str, text: str) -> None:
    assert read(cell, column("text")) == text


@pytest.mark.parametrize(
    "cell", ['=""', "\u200b", "\u2013", r"\N", "(null)", "nan", "NaN", "<NA>", "#REF!", "#NV", "\u200bn/a"]
)
def test_what_stands_for_nothing_in_a_text(cell: str) -> None:
    assert read(cell, column("text", missing=TEXT_MISSING)) is None


def test_a_note_keeps_its_spaces() -> None:
    assert read("one\u00a0\u200btwo", column("text", multiline=True)) == "one\u00a0\u200btwo"


def test_texts_take_their_column_s_case() -> None:
    assert read("eur", column("text", case="upper")) == "EUR"
    assert read("CARD", column("text", case="lower")) == "card"


def test_a_column_can_say_what_stands_for_nothing() -> None:
    assert read("NA", column("text", missing=("", "n/a"))) == "NA"
    assert read("N/A", column("text", missing=("", "n/a"))) is None


def test_a_code_that_became_a_number_is_told_from_one_that_looks_like_one() -> None:
    lost = ["4.00638E+12", "4,00638E+12", "4E+12", "-1.2e+100"]
    codes = ["4006381333931", "12E5", "1E+05X", "E+12", "1E-05", "10.5E+10", "Größe+12", None]
    assert codes_made_numbers(pa.array(codes + lost)).tolist() == [8, 9, 10, 11]
    assert codes_made_numbers(pa.array(codes + lost).slice(9)).tolist() == [0, 1, 2]
    conventions = Conventions(decimal=".", date_order="iso")
    of_code = column("text", is_code=True, max_length=20)
    message, hint = constraint_error("4.00638E+12", column=of_code, label="Bar code", conventions=conventions)
    assert message.startswith("'4.00638E+12' in 'Bar code' is a number that a spreadsheet has made of a code")
    assert "as text" in hint
    message, _ = constraint_error("x" * 21, column=of_code, label="Bar code", conventions=conventions)
    assert message.startswith("The text in 'Bar code' has 21 characters")


_AMOUNT = r"[(-]?[€$]?[ \u00a0]?(\d{1,4}|\d{1,3}[.,]\d{2,3}|\d{1,3}([.,]\d{3}){2})([.,]\d{0,3})?[ \u202f]?[€%]?[)-]?"


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("unit", [None, "money", "percent"])
@given(cells=st.lists(st.from_regex(_AMOUNT, fullmatch=True) | st.text("0123456789.,()+-€$% \u00a0"), max_size=50))
def test_the_usual_spellings_are_read_as_all_are(decimal: str, unit: str | None, cells: list[str]) -> None:
    both = pl.DataFrame({"text": pl.Series(cells, dtype=pl.String)}).select(
        usual=_usual_number(decimal, unit),  # type: ignore[arg-type]
        any=_spelled_number(decimal, unit),  # type: ignore[arg-type]
    )
    read_by_both = both.filter(pl.col("usual").is_not_null())
    assert read_by_both["usual"].to_list() == read_by_both["any"].to_list()


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("$1,234.50", ".", 1234.5),
        ("(45.90)", ".", -45.9),
        ("-1.234,50 €", ",", -1234.5),
        ("-$1,234,567", ".", -1234567.0),
        ("(€\u00a01.000)", ",", -1000.0),
    ],
)
def test_usual_spellings_of_money_are(cell: str, decimal: str, value: float) -> None:
    """Or a column of them takes twenty times as long."""
    found = pl.DataFrame({"text": [cell]}).select(_usual_number(decimal, "money"))  # type: ignore[arg-type]
    assert found.item() == value
