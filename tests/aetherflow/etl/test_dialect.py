"""Where the header is, and what separates its cells."""

from __future__ import annotations

import pytest

from aetherflow.etl import FileRefused
from aetherflow.etl.dialect import LINES_ABOVE_HEADER, Dialect, find_dialect

HEADER = "parcel;sent;pieces"
ROW = "P-1;2026-03-31;2"


def found(*lines: str, delimiter: str | None = None) -> Dialect:
    known = {"parcel", "sent", "pieces"}
    return find_dialect("\n".join([*lines, ""]), filename="f.csv", known=known.__contains__, delimiter=delimiter)


@pytest.mark.parametrize(
    "above",
    [
        ["Parcels of March"],
        ["Parcels, all of them, of March", "", "Depot;North"],
        ["sent;2026-04-01"],
        ["# made by hand"] * (LINES_ABOVE_HEADER - 1),
        ['"Parcels'],
    ],
)
def test_title_lines_are_passed_over(above: list[str]) -> None:
    dialect = found(*above, HEADER, ROW)
    assert dialect.header == ("parcel", "sent", "pieces")
    assert (dialect.header_line, dialect.first_line) == (len(above) + 1, len(above) + 2)
    assert dialect.offset == len("\n".join([*above, HEADER, ""]))


def test_the_header_with_more_labels_wins_over_one_label_above_it() -> None:
    assert found("sent;sender", "2026-03-31;North", HEADER, ROW).header_line == 3


def test_a_header_is_not_looked_for_once_there_is_one() -> None:
    assert found("parcel;sent;colour", "P-1;2026-03-31;red", HEADER).header_line == 1


def test_a_header_too_far_down_is_not_found() -> None:
    with pytest.raises(FileRefused) as refusal:
        found(*["# made by hand"] * LINES_ABOVE_HEADER, HEADER, ROW)
    assert (refusal.value.code, refusal.value.line) == ("dialect-error", 1)


def test_a_row_with_a_known_word_in_it_is_no_header() -> None:
    assert found("a;b;c", "parcel;x;y", "1;2;3").header_line == 1


def test_a_header_below_titles_may_run_over_lines() -> None:
    dialect = found("Parcels", '"parcel', 'no";sent;parcel;pieces', ROW)
    assert dialect.header == ("parcel\nno", "sent", "parcel", "pieces")
    assert (dialect.header_line, dialect.first_line) == (2, 4)


@pytest.mark.parametrize(
    ("lines", "header"),
    [
        (['parcel, "sent\nto", pieces', 'P-1, "A, B", 2'], ("parcel", "sent\nto", "pieces")),
        ([r'parcel,"the \"sent\" one",pieces', 'P-1,"A, B",2'], ("parcel", 'the "sent" one', "pieces")),
    ],
)
def test_a_header_with_odd_quotes_ends_where_they_say(lines: list[str], header: tuple[str, ...]) -> None:
    dialect = found(*lines, "P-2,x,3")
    assert dialect.header == header
    assert dialect.offset == len(lines[0]) + 1
    assert dialect.odd_quotes is not None


def test_an_odd_quote_in_the_header_that_is_not_closed_is_no_reason_to_fail() -> None:
    rows = [ROW.replace(";", ",")] * 3
    dialect = found(r'parcel,"sent\",pieces', *rows)
    assert (dialect.header, dialect.odd_quotes) == (("parcel", "sent\\", "pieces"), None)
