"""A mended list of rejects is read like the file it completes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aetherflow.etl import Correction

HEADER = "parcel;sent;pieces;weight;value;remark;error_code;error"
USUAL = Correction(decimal=",", date_order="month-first")


def mended(*rows: dict[str, str]) -> str:
    plain = {"sent": "2026-11-02", "pieces": "1", "weight": "1", "value": "1", "remark": ""}
    lines = [";".join([f"P-{at}", *(plain | row).values(), "type-error", "why"]) for at, row in enumerate(rows)]
    return "\n".join([HEADER, *lines, ""])


def test_the_platform_s_own_columns_are_known_in_a_correction_and_nowhere_else(load: Callable[..., Any]) -> None:
    assert load(mended({}), correction=Correction()).reading.unknown_columns == []
    assert load(mended({})).reading.unknown_columns == ["error_code", "error"]
    cut = mended({}).replace("error_code", "ERROR CODE").replace("remark", "comment")
    assert load(cut, correction=Correction()).reading.unknown_columns == ["comment"]


def test_what_its_own_rows_leave_open_is_read_like_the_file_it_completes(load: Callable[..., Any]) -> None:
    loaded = load(mended({"value": "1.250", "sent": "02/03/2026"}), correction=USUAL)
    assert (loaded.rows[0]["value"], str(loaded.rows[0]["sent"])) == (1250.0, "2026-02-03")
    assert (loaded.reading.decimal_assumed, loaded.reading.date_order_assumed) == (True, True)


def test_a_correction_written_otherwise_throughout_is_read_as_it_is_written(load: Callable[..., Any]) -> None:
    values, days = ("12.50", "1.250", "0.5"), ("31/10/2026", "30/10/2026", "02/03/2026")
    rows = [{"value": value, "sent": day} for value, day in zip(values, days, strict=True)]
    loaded = load(mended(*rows), correction=USUAL)
    assert [row["value"] for row in loaded.rows] == [12.5, 1.25, 0.5]
    assert [str(row["sent"]) for row in loaded.rows] == ["2026-10-31", "2026-10-30", "2026-03-02"]
    assert (loaded.reading.decimal, loaded.reading.date_order) == (".", "day-first")
    assert (loaded.reading.decimal_assumed, loaded.reading.date_order_assumed) == (False, False)


def test_a_cell_left_as_it_was_refused_turns_no_other_around(load: Callable[..., Any]) -> None:
    """It stands in the list because it did not go with its file; the list has nothing else that tells."""
    rows = [{"value": "0.5", "sent": "31/10/2026"}, *({"value": "1.250", "sent": f"02/0{n}/2026"} for n in (3, 4, 5))]
    loaded = load(mended(*rows), correction=USUAL)
    assert loaded.faults == [(2, "sent", "type-error"), (2, "value", "type-error")]
    assert [str(row["sent"]) for row in loaded.rows] == ["2026-02-03", "2026-02-04", "2026-02-05"]
    assert {row["value"] for row in loaded.rows} == {1250.0}
    assert [row["value"] for row in load(mended(*rows), correction=Correction()).rows][1:] == [1.25] * 3


def test_short_days_are_read_like_those_of_the_file_it_completes(load: Callable[..., Any]) -> None:
    week = [{"sent": f"26-10-0{day}"} for day in (1, 2, 3)]
    loaded = load(mended(*week), correction=Correction(date_order="year-first"))
    assert [str(row["sent"]) for row in loaded.rows] == ["2026-10-01", "2026-10-02", "2026-10-03"]
    month = [{"sent": f"26-10-{day:02d}"} for day in range(1, 31)]
    loaded = load(mended(*month), correction=Correction(date_order="day-first"))
    assert str(loaded.rows[0]["sent"]) == "2001-10-26"


def test_a_whole_number_does_not_outweigh_how_the_file_wrote_its_decimals(load: Callable[..., Any]) -> None:
    loaded = load(mended({"pieces": "1,250", "value": "1.250"}), correction=USUAL)
    assert loaded.faults == [(2, "pieces", "type-error")]


@pytest.mark.parametrize(
    ("content", "known"),
    [
        ("P-1,10/31/2026,1,1,1.5,\n", Correction(decimal=".", date_order="month-first")),
        ("P-1,10/31/2026,1,,5,\n", Correction(date_order="month-first")),
        ("P-1,10/11/2026,1,1,1.5,\n", Correction(decimal=".")),
        ("P-1,2026-10-31,1,1,1.5,\n", Correction(decimal=".")),
    ],
)
def test_only_what_was_settled_in_the_first_file_is_handed_on(
    content: str, known: Correction, load: Callable[..., Any]
) -> None:
    reading = load(f"parcel,sent,pieces,weight,value,remark\n{content}").reading
    assert Correction.of(reading.as_dict()) == known


def test_a_file_that_was_never_understood_hands_nothing_on() -> None:
    assert Correction.of({}) == Correction()


@pytest.mark.parametrize(
    ("listed", "meant"),
    [
        ("'=SUM(A1)", "=SUM(A1)"),
        ("'@home", "@home"),
        ("''-x", "'-x"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ("'", "'"),
    ],
)
def test_an_apostrophe_of_the_export_s_goes_and_any_other_stays(
    listed: str, meant: str, load: Callable[..., Any]
) -> None:
    assert load(mended({"remark": listed}), correction=Correction()).rows[0]["remark"] == meant
    assert load(mended({"remark": listed})).rows[0]["remark"] == listed


def test_the_symbol_for_a_nul_byte_is_still_one_until_it_is_mended(load: Callable[..., Any]) -> None:
    loaded = load(mended({"remark": "a \u2400"}, {"remark": "a"}), correction=Correction())
    assert loaded.faults == [(2, "remark", "null-byte")]
    assert loaded.lines == [3]
