"""A large sheet is read in parts, and nobody can tell."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aetherflow.etl import FileRefused
from aetherflow.etl.formats import xlsx
from aetherflow.etl.formats.limits import Limits
from aetherflow.etl.formats.parts import _outside, cell_name
from tests.aetherflow.etl.workbooks import day, inline, workbook

HEADER = ["parcel", "sent", "pieces", "weight", "value", "remark"]
SHEET = "xl/worksheets/sheet1.xml"
SMALL = 700
ROWS = [
    [f"P-{at}", day(46112 + at), at % 5 if at % 7 else 0.5, 1.25 * at, f"{at},50" if at % 9 else None, f"no. {at}"]
    for at in range(1, 61)
]


def book(*rows: list[object], change: Callable[[str], str] = str) -> bytes:
    """With the sheet's XML changed."""
    files = files_of(workbook({"Parcels": list(rows or [HEADER, *ROWS])}))
    return workbook({"Parcels": []}, parts=files | {SHEET: change(files[SHEET])})


def files_of(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def from_row(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(xml: str) -> str:
        above, row, below = xml.partition(f'<row r="{number}"')
        return above + change(row + below)

    return changed


def put(place: str, content: str) -> Callable[[str], str]:
    """One more cell at the end of its row."""
    row = re.sub(r"\D", "", place)

    def changed(xml: str) -> str:
        return re.sub(rf'(<row r="{row}">.*?)</row>', rf'\1<c r="{place}"{content}</row>', xml)

    return changed


VALUE = "><v>7</v></c>"
WAYS: dict[str, Callable[[str], str]] = {
    "as Excel writes it": lambda xml: xml.replace("<sheetData>", '<dimension ref="A1:F61"/><sheetData>'),
    "rows that do not say where they stand": lambda xml: re.sub(r'<row r="\d+">', "<row>", xml),
    "rows below that do not": from_row(31, lambda xml: re.sub(r'<row r="\d+">', "<row>", xml)),
    "cells that do not say where they stand": from_row(20, lambda xml: re.sub(r'<c r="[A-Z]+\d+"', "<c", xml)),
    "other attributes first": lambda xml: re.sub(r'<row (r="\d+")>', r'<row spans="1:6" \1>', xml),
    "single quotes": lambda xml: re.sub(r' r="(\w+)"', r" r='\1'", xml),
    "a prefix": lambda xml: re.sub(r"<(/?)(\w)", r"<\1x:\2", xml).replace("xmlns=", "xmlns:x="),
    "a remark with a row in it": lambda xml: xml.replace(
        '<row r="40"', '<!-- <row r="9"><c r="A9"/></row> --><row r="40"'
    ),
    "a remark at the top": lambda xml: xml.replace('<row r="1"', '<!-- <row r="3"> --><row r="1"'),
    "text that is not marked up": lambda xml: re.sub(
        r'<c r="F30".*?</c>', '<c r="F30" t="inlineStr"><is><t><![CDATA[<row r="2">]]></t></is></c>', xml
    ),
    "text in two colours": lambda xml: re.sub(
        r'<c r="F30".*?</c>',
        '<c r="F30" t="inlineStr"><is><r><rPr><color rgb="FF0000"/></rPr><t>red</t></r><r><t>dish</t></r></is></c>',
        xml,
    ),
    "a note far down on the right": put("H50", VALUE),
    "a note in the last row": put("J61", VALUE),
    "a note beyond column Z": put("AB33", VALUE),
    "formats without content beside it": put("I44", ' s="1"/>'),
    "a note with an address in its tag": put("H50", ' a="/"><v>7</v></c>'),
    "a cell of the last column in the first part alone": lambda xml: re.sub(
        r'<c r="F(\d+)".*?</c>', lambda cell: cell[0] if int(cell[1]) < 5 else "", xml
    ),
    "no cell in the last column": lambda xml: re.sub(r'<c r="F([2-9]|\d\d)".*?</c>', "", xml),
    "a row with two spaces in its tag": lambda xml: xml.replace('<row r="45"', '<row  r="45"'),
    "a cell without content that does not close itself": put("H50", ' s="1"></c>'),
    "a cell with an empty value": put("H50", "><v></v></c>"),
    "errors": put("G25", ' t="e"><v>#N/A</v></c>'),
    "formats without content below it": lambda xml: xml.replace(
        "</sheetData>",
        "".join(f'<row r="{row}"><c r="A{row}" s="1"/></row>' for row in range(62, 200)) + "</sheetData>",
    ),
    "more behind the rows": lambda xml: xml.replace(
        "</sheetData>", '</sheetData><rowBreaks count="1"><brk id="9"/></rowBreaks><cols/>' + " " * 600
    ),
}


@pytest.fixture
def whole_and_parted(load: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Any]:
    """What the line makes of a workbook, after it was made certain that it is the same either way."""

    def compared(content: bytes) -> Any:
        whole = load(content)
        with monkeypatch.context() as patched:
            patched.setattr(xlsx, "CHUNK", SMALL)
            assert asdict(load(content)) == asdict(whole)
        return whole

    return compared


@pytest.mark.parametrize("way", WAYS)
def test_a_parted_sheet_is_read_as_a_whole_one_is(whole_and_parted: Callable[[bytes], Any], way: str) -> None:
    loaded = whole_and_parted(book(change=WAYS[way]))
    assert loaded.counts.read == len(ROWS)
    assert {reject.code for reject in loaded.rejects} == {"type-error", "missing-value", "constraint-error"}


@pytest.mark.parametrize("column", ["SF", "SG", "SH", "XFD"])
def test_a_stray_cell_beyond_all_columns_that_are_read(whole_and_parted: Callable[[bytes], Any], column: str) -> None:
    assert whole_and_parted(book(change=put(f"{column}20", VALUE))).counts.read == len(ROWS)


@pytest.mark.parametrize(
    "row",
    [
        '<row r="900">' + "<c><v>1</v></c>" * 90 + "</row>",
        "<row><c><v>1</v></c></row>" * 900 + "<row>" + "<c><v>1</v></c>" * 90 + "</row>",
        '<row r="900"><c r="CL900" a="/"><v>1</v></c></row>',
        '<row r="900"><c a=">" r="CL900"><v>1</v></c></row>',
        '<row r="900"><x:c r="CL900"><v>1</v></x:c></row>',
    ],
)
@pytest.mark.parametrize("chunk", [SMALL, xlsx.CHUNK])
def test_far_cells_are_found_however_they_are_written(
    load: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, row: str, chunk: int
) -> None:
    """The reader takes the memory of the whole way there, and ends the process where there is not so much."""
    monkeypatch.setattr(xlsx, "CHUNK", chunk)
    monkeypatch.setattr(xlsx, "MOST_CELLS", 50_000)
    with pytest.raises(FileRefused) as refusal:
        load(book(change=lambda xml: xml.replace("</sheetData>", f"{row}</sheetData>")))
    assert refusal.value.code == "too-many-cells"


def test_rows_keep_their_places_across_gaps_and_titles(whole_and_parted: Callable[[bytes], Any]) -> None:
    rows = [["Parcels of March", *["with a long title"] * 9] for _ in range(12)] + [[], [None, None, *HEADER], []]
    rows += [line for at, row in enumerate(ROWS) for line in ([[]] * (at % 11) + [[None, None, *row]])]
    loaded = whole_and_parted(book(*rows))
    assert loaded.reading.header_line == 14
    assert max([loaded.rows[-1]["line"], loaded.rejects[-1].line]) == len(rows)


def test_what_stands_left_of_the_table_far_below_is_a_column_too(whole_and_parted: Callable[[bytes], Any]) -> None:
    rows = [[None, None, *HEADER], *([None, None, *row] for row in ROWS)]
    rows[40][0] = "checked"
    assert whole_and_parted(book(*rows)).reading.unlabelled_columns == [1, 2]


def test_one_row_longer_than_a_part(whole_and_parted: Callable[[bytes], Any]) -> None:
    long = [[*ROWS[9][:5], *[f"note {at}" for at in range(90)]]]
    loaded = whole_and_parted(book(HEADER, *ROWS[:9], *long, *ROWS[10:]))
    assert loaded.counts.read == len(ROWS)


def test_every_sheet_has_its_own_parts(load: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "CHUNK", SMALL)
    notes = [[f"some words {at}"] for at in range(200)]
    content = workbook({"A & B": notes, "Parcels": [HEADER, *ROWS], "Old": notes})
    loaded = load(content)
    assert (loaded.reading.sheet, loaded.counts.read) == ("Parcels", len(ROWS))


def test_two_names_for_one_sheet(whole_and_parted: Callable[[bytes], Any]) -> None:
    def twice(xml: str) -> str:
        return xml.replace("</sheets>", '<sheet name="Again" sheetId="2" r:id="rId1"/></sheets>')

    parts = files_of(book())
    content = workbook({"Parcels": []}, parts=parts | {"xl/workbook.xml": twice(parts["xl/workbook.xml"])})
    assert whole_and_parted(content).counts.read == len(ROWS)


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace("<sheet ", '<sheet xmlns:q="urn:q" q:id="rId77" '),
        lambda xml: xml.replace(
            "</workbook>", '<extLst><x:sheet xmlns:x="urn:x" name="b" r:id="rId1"/></extLst></workbook>'
        ),
    ],
)
def test_lists_that_others_read_otherwise(
    whole_and_parted: Callable[[bytes], Any], change: Callable[[str], str]
) -> None:
    files = files_of(book())
    content = workbook({"Parcels": []}, parts=files | {"xl/workbook.xml": change(files["xl/workbook.xml"])})
    assert whole_and_parted(content).counts.read == len(ROWS)


def test_rows_out_of_order_over_parts_are_refused(load: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "CHUNK", SMALL)
    with pytest.raises(FileRefused) as refusal:
        load(
            book(
                change=from_row(
                    50, lambda xml: re.sub(r"(?<=r=\")([A-F]?)(\d+)", lambda m: f"{m[1]}{int(m[2]) - 40}", xml)
                )
            )
        )
    assert refusal.value.code == "source-error"
    assert "row 10 stands below row" in refusal.value.message


def test_a_sheet_is_parted_and_the_reader_finds_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "CHUNK", SMALL)
    (tmp_path / "a.xlsx").write_bytes(book())
    limits = Limits(filename="a.xlsx", packed=10_000)
    (parts,) = xlsx.prepare(tmp_path / "a.xlsx", tmp_path / "b.xlsx", filename="a.xlsx", limits=limits)
    assert len(parts.names) > 12
    assert (parts.left, parts.right) == (0, len(HEADER))
    with zipfile.ZipFile(tmp_path / "b.xlsx") as made:
        assert set(parts.files) < set(made.namelist())


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(
        st.lists(
            st.none()
            | st.text("ab<&\"'", max_size=40)
            | st.floats(-9, 9).map(lambda n: round(n, 2))
            | st.just(day(46112)),
            max_size=9,
        ),
        min_size=3,
        max_size=40,
    ),
    above=st.integers(0, 3),
    left=st.integers(0, 3),
    width=st.integers(2, 9),
)
def test_any_table(
    whole_and_parted: Callable[[bytes], Any], rows: list[list[object]], above: int, left: int, width: int
) -> None:
    typed = [[inline(cell) if isinstance(cell, str) and cell else cell for cell in row[:width]] for row in rows]
    whole_and_parted(book(*[[]] * above, [None] * left + HEADER, *([None] * left + row for row in (ROWS[0], *typed))))


@pytest.mark.parametrize(
    ("left", "right"), [(0, 0), (0, 11), (2, 25), (1, 26), (0, 27), (30, 51), (0, 52), (3, 701), (0, 702)]
)
def test_the_columns_outside(left: int, right: int) -> None:
    pattern = re.compile(_outside(left, right))
    names = [cell_name(column, 1)[:-1] for column in range(1, 1500)]
    outside = [at for at, name in enumerate(names) if pattern.fullmatch(name)]
    assert outside == [*range(min(left, 26)), *range(right, len(names))]
