"""A file made to do harm is refused in a sentence, at once and in little memory; or read as what it says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aetherflow.etl import FileRefused
from aetherflow.etl.formats.zips import MOST_FILES
from aetherflow.etl.headers import LONGEST_LABEL
from tests.aetherflow.etl.hostile import BOOK, LAUGHS, SECRET, book, parts, with_entities, with_long_list, zipped

HEADER = "parcel,sent,pieces,weight,value,remark"
GOOD = "P-1,2026-11-02,3,1.5,9.99,ok"
SECONDS, MEGABYTES = 20, 400


@pytest.fixture(autouse=True)
def _bounded(load: Callable[..., Any]) -> Iterator[None]:
    """Whatever the test reads: not for long, and not in much more memory than before."""
    load(f"{HEADER}\n{GOOD}\n")  # what the first file makes the libraries load is not the next one's
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
    before, started = _status("VmRSS"), time.process_time()
    yield
    assert time.process_time() - started < SECONDS
    assert _status("VmHWM") - before < MEGABYTES


def _status(name: str) -> int:
    """In megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024


@pytest.fixture
def refusal(load: Callable[..., Any]) -> Callable[..., FileRefused]:
    def refused(content: bytes | str, *, filename: str = "march.csv") -> FileRefused:
        with pytest.raises(FileRefused) as found:
            load(content, filename=filename)
        error = found.value
        assert error.message.endswith(".")
        assert error.hint.endswith(".")
        assert len(error.message) < 1_000
        assert len(json.dumps(error.details)) < 100_000
        return error

    return refused


NO_DATA: dict[str, tuple[bytes, str, str]] = {
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not-text", "an image"),
    "an image with a table behind": (b"GIF89a=" + f"{HEADER}\n{GOOD}\n".encode(), "not-text", "an image"),
    "a program for Windows": (b"MZ\x90\x00\x03" + bytes(200) + bytes(range(256)), "not-text", "binary"),
    "a program for Linux": (b"\x7fELF\x02\x01\x01" + bytes(300), "not-text", "binary"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "not-text", "PDF"),
    "a table with an archive behind": (f"{HEADER}\n{GOOD}\n".encode() + zipped({"a": bytes(9)}), "not-text", "binary"),
    "a page with a mark": (b"\xef\xbb\xbf<!DOCTYPE html><html>", "format-error", "a web page"),
    "a page in UTF-16": ("<html><body>hi, there</body>".encode("utf-16"), "format-error", "a web page"),
    "a page behind a remark": (b"<!-- saved -->\n<html><body>Sign in</body>", "format-error", "a web page"),
    "a script": (b"<script>alert(1)</script>, x", "format-error", "a web page"),
    "a table of a page": (b"<table border=1><tr><td>parcel</td></tr></table>", "format-error", "a web page"),
    "a drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "format-error", "a web page"),
    "an OpenDocument sheet": (
        zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": ""}),
        "not-text",
        "an OpenDocument file",
    ),
    "a binary workbook": (zipped({"[Content_Types].xml": "", "xl/workbook.bin": ""}), "not-text", "binary Excel"),
    "a Java archive": (zipped({"META-INF/MANIFEST.MF": "", "A.class": ""}), "archive-error", "one upload is one file"),
}


@pytest.mark.parametrize("name", NO_DATA)
@pytest.mark.parametrize("filename", ["march.csv", "march.xlsx", "march.parquet", "march.json"])
def test_what_holds_no_table_is_refused_by_its_content_whatever_it_is_called(
    refusal: Callable[..., FileRefused], name: str, filename: str
) -> None:
    content, code, said = NO_DATA[name]
    error = refusal(content, filename=filename)
    assert (error.code, said in error.message) == (code, True), error.message


@pytest.mark.parametrize("filename", ["march.xlsx", "march.csv.gz", "march.parquet", "march.json", "march"])
def test_a_table_of_texts_under_another_name_is_read_as_what_it_is(load: Callable[..., Any], filename: str) -> None:
    loaded = load(f"{HEADER}\n{GOOD}\n", filename=filename)
    assert loaded.counts.loaded == 1
    assert loaded.reading.summary == "utf-8, comma, decimal point, ISO dates"


def test_of_a_workbook_with_macros_only_the_cells_are_read(load: Callable[..., Any]) -> None:
    macros = zipped({**parts(), "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + bytes(100)})
    for filename in ("march.xlsm", "march.csv"):
        assert load(macros, filename=filename).counts.loaded == 1


@pytest.mark.parametrize("name", ["../../../etc/cron.d/march.csv", "/etc/march.csv", "..\\march.csv"])
def test_where_an_archive_wants_its_file_to_be_does_not_matter(
    load: Callable[..., Any], scratch: Path, name: str
) -> None:
    assert load(zipped({name: f"{HEADER}\n{GOOD}\n"}), filename="march.zip").counts.loaded == 1
    assert [path.name for path in scratch.iterdir()] == ["upload"]


@pytest.mark.parametrize("name", ["sheet", "strings", "list"])
@pytest.mark.parametrize("declared", [LAUGHS, SECRET], ids=["that grow", "of other files"])
def test_entities_are_never_followed(load: Callable[..., Any], name: str, declared: str) -> None:
    try:
        loaded = load(with_entities(declared)[name], filename="march.xlsx")
        told = str([loaded.rows, loaded.rejects, loaded.reading])
    except FileRefused as error:
        told = f"{error.message} {error.hint}"
    assert "laughlaugh" not in told
    assert "root:" not in told


@pytest.mark.parametrize(
    "strings",
    [
        b"<sst count='4294967295' uniqueCount='4294967295'><si><t>x</t></si></sst>",
        b'<sst\nuniqueCount = "4294967295"><si><t>x</t></si></sst>',
        b"<x-y.z:sst uniqueCount='4294967295'><si><t>x</t></si></x-y.z:sst>",
        b"<sst note='>' uniqueCount='4294967295'><si><t>x</t></si></sst>",
        b"<sst note='<' uniqueCount='4294967295'><si><t>x</t></si></sst>",
        b"<!-- " + b"x" * 1_100_000 + b" --><sst uniqueCount='4294967295'><si><t>x</t></si></sst>",
        b'<sst "' * 20_000,
    ],
    ids=["plainly", "spaced", "of a namespace", "behind a sign", "behind half a tag", "far below", "never closed"],
)
def test_no_room_is_made_for_texts_a_workbook_says_it_has(refusal: Callable[..., FileRefused], strings: bytes) -> None:
    """The reader would ask for a hundred gigabytes and, not given them, end the process."""
    assert refusal(book(strings=strings), filename="march.xlsx").code in {
        "source-error",
        "cell-too-long",
        "too-large-expanded",
    }


def test_the_texts_of_a_workbook_that_counts_them_are_read(load: Callable[..., Any]) -> None:
    counted = parts()["xl/sharedStrings.xml"].replace(b"<sst", b'<sst count="8" uniqueCount="8"', 1)
    assert load(book(strings=counted)).rows == load(BOOK).rows


@pytest.mark.parametrize("filename", ["march.zip", "march.xlsx"])
@pytest.mark.parametrize("names", [MOST_FILES + 1, 300_000])
def test_an_archive_of_very_many_files_is_not_listed(
    refusal: Callable[..., FileRefused], filename: str, names: int
) -> None:
    error = refusal(with_long_list(names), filename=filename)
    assert error.code == "too-many-files"
    assert "10,000" in error.message


def test_names_inside_an_archive_are_told_in_part(refusal: Callable[..., FileRefused]) -> None:
    assert refusal(zipped({f"{at}{'n' * 60_000}": "" for at in range(20)}), filename="a.zip").code == "archive-error"


def test_a_quotation_mark_open_from_the_first_row_on(refusal: Callable[..., FileRefused]) -> None:
    error = refusal(f'{HEADER}\n{GOOD[:-2]}"' + "abc\n" * 400_000)
    assert (error.code, error.line) == ("quote-error", 2)


def test_a_header_of_very_many_labels_is_told_as_that(refusal: Callable[..., FileRefused]) -> None:
    error = refusal(",".join(f"c{at}" for at in range(50_000)) + "\n")
    assert (error.code, "50,000 columns" in error.message) == ("too-many-columns", True)


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_a_label_has_an_end(refusal: Callable[..., FileRefused], load: Callable[..., Any], form: str) -> None:
    def written(label: str) -> bytes:
        if form == "csv":
            return f"{HEADER},{label}\n{GOOD},1\n".encode()
        if form == "jsonl":
            return json.dumps(dict(zip([*HEADER.split(","), label], [*GOOD.split(","), "1"], strict=True))).encode()
        return book(strings=parts()["xl/sharedStrings.xml"].replace(b">remark<", f">{label}<".encode()))

    error = refusal(written("L" * (LONGEST_LABEL + 1)), filename=f"march.{form}")
    assert (error.code, "1,001 characters" in error.message) == ("label-too-long", True)
    if form != "xlsx":
        assert load(written("L" * LONGEST_LABEL), filename=f"march.{form}").counts.loaded == 1


def test_very_many_rows_are_not_begun_with(load: Callable[..., Any]) -> None:
    """Each costs what a row costs, be it a sign long: of a file as large as may be, hours."""
    written = {
        "a.csv": (HEADER + "\n" + "x\n" * 5).encode(),
        "a.xlsx": BOOK,
        "a.jsonl": b'{"parcel": 1}\n' * 5,
    }
    for filename, most in (("a.csv", 4), ("a.xlsx", 0), ("a.jsonl", 4)):
        with pytest.raises(FileRefused) as refusal:
            load(written[filename], filename=filename, most_rows=most)
        assert (refusal.value.code, refusal.value.details["most_rows"]) == ("too-many-rows", most)
