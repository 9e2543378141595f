"""Excel workbooks come in like the CSV their owner would have saved, only with fewer ways to go wrong."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aetherflow.department import Department
from aetherflow.etl import FileRefused, ReadOptions, open_file
from aetherflow.etl.formats import xlsx
from aetherflow.etl.formats.limits import FREE_BYTES
from tests.aetherflow.etl.workbooks import Cell, day, inline, workbook

HEADER = ["parcel", "sent", "pieces", "weight", "value", "remark"]
MARCH_31 = 46112
GOOD = ["P-1", day(MARCH_31), 3, 1.5, 9.99, "ok"]
SHEET = "xl/worksheets/sheet1.xml"
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def sheet(*rows: list[object], **options: Any) -> bytes:
    return workbook({"Parcels": [HEADER, *rows]}, **options)


def xml_of(book: bytes) -> str:
    """The first sheet's."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return archive.read(SHEET).decode()


def test_typed_cells_keep_their_values(load: Callable[..., Any]) -> None:
    loaded = load(
        sheet(GOOD, [inline("P-2"), Cell(value=MARCH_31 + 0.75, style="moment"), 1250, 12.500000000000002, 4e9])
    )
    assert loaded.faults == []
    first, second = loaded.rows
    assert first == {
        "line": 2,
        "parcel": "P-1",
        "sent": dt.date(2026, 3, 31),
        "pieces": 3,
        "weight": 1.5,
        "value": 9.99,
        "remark": "ok",
    }
    assert (second["line"], second["sent"], second["pieces"]) == (3, dt.date(2026, 3, 31), 1250)
    assert (second["weight"], second["value"]) == (12.5, 4e9)
    assert loaded.reading.summary == "Excel workbook, sheet Parcels, ISO dates"
    assert (loaded.reading.encoding, loaded.reading.delimiter) == (None, None)


def test_numbers_in_a_column_of_texts_have_no_decimals_they_were_not_given(load: Callable[..., Any]) -> None:
    rows = load(sheet([400638133393, *GOOD[1:5], 2026], ["P-2", *GOOD[1:5], 0.1 + 0.2])).rows
    assert [(row["parcel"], row["remark"]) for row in rows] == [("400638133393", "2026"), ("P-2", "0.3")]


def test_minus_zero_is_zero_whatever_stands_beside_it(load: Callable[..., Any]) -> None:
    alone = load(sheet(["P-1", *GOOD[1:5], -0.0])).rows
    beside = load(sheet(["P-1", *GOOD[1:5], -0.0], ["P-2", *GOOD[1:5], 0.5])).rows
    assert [row["remark"] for row in (*alone, *beside)] == ["0", "0", "0.5"]


@pytest.mark.parametrize(
    ("written", "value", "decimal"),
    [
        ("1.234,50 €", 1234.5, ","),
        ("1,234.50", 1234.5, "."),
        ("12,5", 12.5, ","),
    ],
)
def test_texts_decide_over_the_texts_and_leave_numbers_alone(
    load: Callable[..., Any], written: str, value: float, decimal: str
) -> None:
    """Read with a decimal comma, 1.234 typed by hand is a thousand; the number 1.234 of a cell never is."""
    loaded = load(sheet(["P-1", *GOOD[1:3], 1.234, written], ["P-2", *GOOD[1:3], 0.25, 2.75]))
    assert loaded.faults == []
    assert [(row["weight"], row["value"]) for row in loaded.rows] == [(1.234, value), (0.25, 2.75)]
    assert (loaded.reading.decimal, loaded.reading.basis["decimal"]) == (decimal, "found")


def test_numbers_alone_settle_nothing_about_texts(load: Callable[..., Any]) -> None:
    reading = load(sheet(GOOD)).reading
    assert reading.basis == {"sheet": "found", "decimal": "assumed", "date_order": "found"}
    given = load(sheet(["P-1", *GOOD[1:3], 1.5, "1.250"]), said=ReadOptions(decimal=","))
    assert (given.rows[0]["weight"], given.rows[0]["value"]) == (1.5, 1250)
    assert given.reading.basis["decimal"] == "given"


def test_a_rejected_number_is_shown_as_the_file_would_write_it(load: Callable[..., Any]) -> None:
    loaded = load(sheet(["P-1", day(MARCH_31), 3.5, 1, "2,75"]))
    (reject,) = loaded.rejects
    assert (reject.line, reject.column, reject.value, reject.code) == (2, "pieces", "3,5", "type-error")
    assert reject.cells == ["P-1", "2026-03-31", "3,5", "1", "2,75", ""]


def test_days_typed_by_hand_stand_beside_days_of_excel(load: Callable[..., Any]) -> None:
    loaded = load(sheet(GOOD, ["P-2", "25/04/2026", 1, 1, 1], ["P-3", "2026-05-01", 1, 1, 1]))
    assert [str(row["sent"]) for row in loaded.rows] == ["2026-03-31", "2026-04-25", "2026-05-01"]
    assert loaded.reading.summary == "Excel workbook, sheet Parcels, day first"


def test_a_workbook_of_an_old_mac_counts_days_from_1904(load: Callable[..., Any]) -> None:
    (row,) = load(sheet(["P-1", day(MARCH_31 - 1462), 1, 1, 1], epoch_1904=True)).rows
    assert row["sent"] == dt.date(2026, 3, 31)


def test_formulas_give_what_excel_last_worked_out(load: Callable[..., Any]) -> None:
    text = Cell(value="P-1", kind="str", formula='"P-"&1')
    (row,) = load(sheet([text, day(MARCH_31), Cell(value=3, formula="1+2"), 1, Cell(value=2.5, formula="5/2")])).rows
    assert (row["parcel"], row["pieces"], row["value"]) == ("P-1", 3, 2.5)


def test_errors_of_excel_are_rejects_and_no_empty_cells(load: Callable[..., Any]) -> None:
    wrong = Cell(value="#DIV/0!", kind="e", formula="1/0")
    absent = Cell(value="#N/A", kind="e")
    loaded = load(sheet(["P-1", day(MARCH_31), 1, wrong, 1], ["P-2", day(MARCH_31), 1, absent, 1, 't="e"']))
    assert [(reject.line, reject.column, reject.value) for reject in loaded.rejects] == [(2, "weight", "#DIV/0!")]
    assert (loaded.rows[0]["weight"], loaded.rows[0]["remark"]) == (0.5, 't="e"'), "#N/A says that a value is missing"


def test_an_error_between_single_quotes_is_one(load: Callable[..., Any]) -> None:
    part = xml_of(sheet(["P-1", day(MARCH_31), 1, Cell(value="#DIV/0!", kind="e"), 1])).replace('t="e"', "t='e'")
    (reject,) = load(sheet(GOOD, parts={SHEET: part})).rejects
    assert (reject.column, reject.value) == ("weight", "#DIV/0!")


def test_times_durations_and_truths_are_texts(load: Callable[..., Any]) -> None:
    cells = [
        Cell(value=1, kind="b"),
        Cell(value=0.25, style="time"),
        Cell(value=1.5, style="hours"),
        Cell(value=0.19, style="percent"),
    ]
    rows = load(sheet(*(["P-" + str(at), *GOOD[1:5], cell] for at, cell in enumerate(cells)))).rows
    assert [row["remark"] for row in rows] == ["TRUE", "06:00:00", "1 day, 12:00:00", "0.19"]


def test_rows_keep_their_numbers_in_the_sheet(load: Callable[..., Any]) -> None:
    above = [["Parcels of March"], [], [None, "as of", day(MARCH_31)], []]
    rows = [*above, HEADER, [], GOOD, [None, "  "], ["P-2", "soon", 1, 1, 1], ["Total", None, 4]]
    loaded = load(workbook({"Parcels": rows}))
    assert loaded.reading.header_line == 5
    assert loaded.lines == [7]
    assert [(line, column) for line, column, _ in loaded.faults] == [(9, "sent"), (10, "sent"), (10, "value")]
    assert loaded.counts.read == 3


def test_a_table_may_begin_at_any_column(load: Callable[..., Any]) -> None:
    loaded = load(workbook({"Parcels": [[None, None, *HEADER, None, "colour"], [None, None, *GOOD, "a note", "red"]]}))
    assert loaded.lines == [2]
    assert loaded.reading.header == [*HEADER, "", "colour"]
    assert loaded.reading.unknown_columns == ["colour"]


def test_many_rows_come_whole_and_in_order(load: Callable[..., Any]) -> None:
    loaded = load(sheet(*([f"P-{at}", *GOOD[1:]] for at in range(4_321))), batch_rows=1_000)
    assert loaded.counts.loaded == 4_321
    assert loaded.lines == list(range(2, 4_323))
    assert [row["parcel"] for row in loaded.rows] == [f"P-{at}" for at in range(4_321)]
    assert loaded.batches > 1


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_what_stands_behind_the_rows_is_not_gone_through(load: Callable[..., Any], prefix: str) -> None:
    """The reader looks for merged cells from the beginning of the sheet: twice the work, where there are none."""
    part = xml_of(sheet(GOOD)).replace("<", "<" + prefix).replace(f"<{prefix}/", f"</{prefix}")
    part = part.replace(
        f"</{prefix}sheetData>", f'</{prefix}sheetData><{prefix}mergeCells><{prefix}mergeCell ref="?"/>'
    )
    assert load(sheet(GOOD, parts={SHEET: part})).counts.loaded == 1


class TestSheets:
    BOOK = {
        "Read me": [["Exported on", "date"], ["x"]],
        "Old": [HEADER, GOOD],
        "April": [HEADER, GOOD, ["P-2", *GOOD[1:]]],
    }

    def test_the_first_visible_one_with_the_labels_is_read(self, load: Callable[..., Any]) -> None:
        loaded = load(workbook(self.BOOK, hidden=["Old"]))
        assert loaded.reading.sheet == "April"
        assert loaded.counts.loaded == 2

    @pytest.mark.parametrize("name", ["Old", " old "])
    def test_another_can_be_asked_for_even_a_hidden_one(self, load: Callable[..., Any], name: str) -> None:
        reading = load(workbook(self.BOOK, hidden=["Old"]), said=ReadOptions(sheet=name)).reading
        assert (reading.sheet, reading.basis["sheet"]) == ("Old", "given")

    def test_one_that_is_not_there_is_refused_with_those_that_are(self, load: Callable[..., Any]) -> None:
        with pytest.raises(FileRefused, match="no sheet called 'May'") as refusal:
            load(workbook(self.BOOK), said=ReadOptions(sheet="May"))
        assert refusal.value.code == "sheet-error"
        assert refusal.value.details["sheets"] == ["Read me", "Old", "April"]
        assert "Read me, Old, April" in refusal.value.hint

    def test_without_any_label_the_first_that_holds_something_is_told_of(self, load: Callable[..., Any]) -> None:
        with pytest.raises(FileRefused) as refusal:
            load(workbook({"Empty": [], "Notes": [["some", "words"]], "More": [["other", "words"]]}))
        assert refusal.value.code == "missing-label"
        assert "some, words" in refusal.value.hint

    def test_empty_ones_and_hidden_ones_are_refused(self, load: Callable[..., Any]) -> None:
        codes = []
        for book in (workbook({"Empty": []}), workbook({"Parcels": [HEADER, GOOD]}, hidden=["Parcels"]), sheet()):
            with pytest.raises(FileRefused) as refusal:
                load(book)
            codes.append(refusal.value.code)
        assert codes == ["empty-file", "sheet-error", "no-rows"]


class TestHostileFiles:
    def test_a_password_is_asked_to_be_taken_off(self, load: Callable[..., Any]) -> None:
        content = OLD_OFFICE + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
        with pytest.raises(FileRefused, match=r"march\.xlsx is protected by a password") as refusal:
            load(content, filename="march.xlsx")
        assert refusal.value.code == "format-error"

    @pytest.mark.parametrize("left", [30, 400, 1_500])
    def test_what_is_cut_off_is_refused(self, load: Callable[..., Any], left: int) -> None:
        with pytest.raises(FileRefused) as refusal:
            load(sheet(GOOD)[:left], filename="march.xlsx")
        assert refusal.value.code == "source-error"

    def test_xml_that_breaks_off_is_refused(self, load: Callable[..., Any]) -> None:
        part = "<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>99</v></c></row><row"
        for name in (SHEET, "xl/workbook.xml", "xl/sharedStrings.xml"):
            with pytest.raises(FileRefused) as refusal:
                load(sheet(GOOD, parts={name: part}))
            assert refusal.value.code in {"source-error", "sheet-error", "empty-file"}

    @pytest.mark.parametrize("place", ['r="XFD1048576"', "r='XFD1048576'", 'r = "XFD1048576"', '\n r="XFD1048576"'])
    def test_a_cell_far_away_does_not_take_the_memory_of_the_way_there(
        self, load: Callable[..., Any], place: str
    ) -> None:
        row = f'<row r="1"><c r="A1"><v>1</v></c><c {place}><v>1</v></c></row>'
        part = f"<worksheet><sheetData>{row}</sheetData></worksheet>"
        with pytest.raises(FileRefused, match="reaches to cell XFD1048576") as refusal:
            load(sheet(GOOD, parts={SHEET: part}))
        assert refusal.value.code == "too-many-cells"

    def test_empty_cells_far_away_are_only_formatting(self, load: Callable[..., Any]) -> None:
        part = xml_of(sheet(GOOD)).replace(
            "</sheetData>", '<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>'
        )
        assert load(sheet(GOOD, parts={SHEET: part})).counts.loaded == 1

    def test_entities_are_not_expanded(self, load: Callable[..., Any]) -> None:
        """A dozen entities, each ten times the one before, are gigabytes for a reader that expands them."""
        entities = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10 if at else "lol"}">' for at in range(12))
        part = f"<!DOCTYPE sst [{entities}]><sst>{'<si><t>&e11;</t></si>' * 7}</sst>"
        try:
            texts = [
                str(value) for row in load(sheet(GOOD, parts={"xl/sharedStrings.xml": part})).rows for value in row
            ]
        except FileRefused as refusal:
            texts = [refusal.message, refusal.hint]
        assert "lollol" not in "".join(texts)

    def test_a_text_longer_than_excel_s_is_not_copied_into_every_cell(self, load: Callable[..., Any]) -> None:
        content = sheet(["x" * (xlsx.LONGEST_STRING + 1), *GOOD[1:]])
        with pytest.raises(FileRefused) as refusal:
            load(content)
        assert refusal.value.code == "cell-too-long"

    @pytest.mark.parametrize("in_haste", [False, True])
    def test_a_long_text_in_every_cell_is_too_much_however_small_the_file(
        self, load: Callable[..., Any], in_haste: bool
    ) -> None:
        remarks = [[*GOOD[:5], "x" * 30_000] for _ in range(FREE_BYTES // 30_000 + 1)]
        with pytest.raises(FileRefused) as refusal:
            load(sheet(*remarks), in_haste=in_haste)
        assert refusal.value.code == "too-large-expanded"

    def test_what_it_would_unpack_to_is_limited(self, load: Callable[..., Any]) -> None:
        with pytest.raises(FileRefused, match=r"grows beyond 2 kB") as refusal:
            load(sheet(*[GOOD] * 100), most_bytes=2_048)
        assert refusal.value.code == "too-large-expanded"


def test_nothing_is_left_beside_the_file(parcels: Department, tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_bytes(sheet(GOOD))
    with open_file(path, filename="march.xlsx", department=parcels) as source:
        assert len(list(tmp_path.iterdir())) == 2
        batches = list(source.batches())
        assert [batch.bytes_read for batch in batches] == [source.bytes_total] == [path.stat().st_size]
        assert sum(batch.counts.loaded for batch in source.batches()) == 1, "it can be read again"
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(sheet(["P-1"]) + b"damaged")
    with pytest.raises(FileRefused):
        open_file(path, filename="march.xlsx", department=parcels, options=ReadOptions(sheet="none"))
    assert list(tmp_path.iterdir()) == [path], "nor by a file that is refused"
