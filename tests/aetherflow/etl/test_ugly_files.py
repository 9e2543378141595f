"""Files as people send them: each one is loaded or refused for the named reason, on the named line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aetherflow.etl import FileRefused, ReadOptions

HEADER = "parcel,sent,pieces,weight,value,remark"
GOOD = "P-1,2026-11-02,3,1.5,9.99,ok"


REFUSED: dict[str, tuple[bytes | str, str, int | None, str | None]] = {
    "no bytes at all": (b"", "empty-file", None, None),
    "only blank lines": ("\n\r\n  \n", "empty-file", None, None),
    "only a byte order mark": (b"\xef\xbb\xbf", "empty-file", None, None),
    "a header alone": (f"{HEADER}\n", "no-rows", None, None),
    "a header and blank lines": (f"{HEADER}\n\n,,,,,\n   \n", "no-rows", None, None),
    "a header without a line end": (HEADER, "no-rows", None, None),
    "an old Excel workbook with nothing in it": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "source-error",
        None,
        None,
    ),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3", "not-text", None, None),
    "a gzip archive with nothing in it": (b"\x1f\x8b\x08\x00" + bytes(50), "archive-error", None, None),
    "a Parquet file with nothing in it": (b"PAR1" + bytes(50), "source-error", None, None),
    "a bzip2 archive": (b"BZh91AY&SY" + bytes(50), "not-text", None, None),
    "a database": (b"SQLite format 3\x00" + bytes(50), "not-text", None, None),
    "random bytes": (bytes(range(256)) * 40, "not-text", None, None),
    "a log-in page": ("<!DOCTYPE html>\n<html><body>Sign in</body></html>", "format-error", None, None),
    "UTF-8 with one broken byte": (
        f"{HEADER}\n{GOOD} Grüße\n".encode() + b"P-2,2026-11-02,1,1,1,caf\xe9\n",
        "encoding-error",
        3,
        None,
    ),
    "a byte that is in no encoding": (
        f"{HEADER}\n{GOOD}\n".encode() + b"P-2,2026-11-02,1,1,1,\x81\n",
        "encoding-error",
        3,
        None,
    ),
    "UTF-16 cut in the middle": (f"\ufeff{HEADER}\n{GOOD}\n".encode("utf-16-le")[:-1], "encoding-error", 2, None),
    "no delimiter": ("some words\nmore words\n", "dialect-error", 1, None),
    "a 10 MB line": (f"{HEADER}\n{GOOD}\n" + "x" * 10_000_000, "line-too-long", 3, None),
    "a 10 MB header": ("x" * 10_000_000, "line-too-long", 1, None),
    "a quotation mark open to the end": (
        f'{HEADER}\n{GOOD}\nP-2,2026-11-02,1,1,1,"oops\n{GOOD}\n',
        "quote-error",
        3,
        None,
    ),
    "a quotation mark open in the only row": (f'{HEADER}\n"P-2,2026-11-02,1,1,1,x\n', "quote-error", 2, None),
    "a quotation mark open over thousands of lines": (
        f'{HEADER}\n{GOOD}\nP-2,2026-11-02,1,1,1,"oops\n' + f"{GOOD}\n" * 2_000 + 'P-3,2026-11-02,1,1,1,"x"\n',
        "quote-error",
        3,
        None,
    ),
    "a quotation mark open over megabytes": (
        f'{HEADER}\n{GOOD}\nP-2,2026-11-02,1,1,1,"oops\n' + f"{GOOD}\n" * 100_000,
        "quote-error",
        3,
        None,
    ),
    "a quotation mark open in the header": (f'parcel,"sent,pieces\n{GOOD}\n', "quote-error", 1, None),
    "a required column missing": ("parcel,sent,pieces,value\nP-1,2026-11-02,3,1\n", "missing-label", 1, "weight"),
    "data without a header": (f"{GOOD}\n{GOOD}\n", "missing-label", 1, None),
    "a column twice": (f"{HEADER},Pieces\n{GOOD},3\n", "duplicate-label", 1, "Pieces"),
    "an unknown column twice": (f"{HEADER},note,Note\n{GOOD},a,b\n", "duplicate-label", 1, "Note"),
    "two aliases of one column": (
        "parcel no,parcel_number,sent,pieces,weight,value\nP,P,2026-11-02,3,1,1\n",
        "duplicate-label",
        1,
        "parcel_number",
    ),
    "too many columns": (",".join(f"c{at}" for at in range(501)) + "\n", "too-many-columns", 1, None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_as_a_whole(name: str, load: Callable[..., Any]) -> None:
    content, code, line, column = REFUSED[name]
    with pytest.raises(FileRefused) as refusal:
        load(content)
    error = refusal.value
    assert (error.code, error.line, error.column) == (code, line, column)
    assert error.message.endswith(".")
    assert error.hint.endswith(".")


LOADED: dict[str, tuple[bytes | str, str, list[int], list[tuple[int, str | None, str]]]] = {
    "plain": (f"{HEADER}\n{GOOD}\n", "utf-8, comma, decimal point, ISO dates", [2], []),
    "without a last line end": (f"{HEADER}\n{GOOD}", "utf-8, comma, decimal point, ISO dates", [2], []),
    "line ends of Windows": (f"{HEADER}\r\n{GOOD}\r\n", "utf-8, comma, decimal point, ISO dates", [2], []),
    "line ends of an old Mac": (f"{HEADER}\r{GOOD}\r", "utf-8, comma, decimal point, ISO dates", [2], []),
    "UTF-8 with a mark": (f"\ufeff{HEADER}\n{GOOD}\n", "utf-8-sig, comma, decimal point, ISO dates", [2], []),
    "UTF-16 with a mark": (
        f"{HEADER}\n{GOOD} ü\n".encode("utf-16"),
        "utf-16-le, comma, decimal point, ISO dates",
        [2],
        [],
    ),
    "UTF-16 without a mark": (
        f"{HEADER}\n{GOOD} ü\n".encode("utf-16-be"),
        "utf-16-be, comma, decimal point, ISO dates",
        [2],
        [],
    ),
    "cp1252 from Excel in Germany": (
        "Parcel No;Date;Qty;kg;Value;Remark\nP-1;31.10.2026;1.250;1,5;1.234,50 €;Grüße\n".encode("cp1252"),
        "cp1252, semicolon, decimal comma, day first",
        [2],
        [],
    ),
    "tabs": (f"{HEADER}\n{GOOD}\n".replace(",", "\t"), "utf-8, tab, decimal point, ISO dates", [2], []),
    "pipes": (f"{HEADER}\n{GOOD}\n".replace(",", "|"), "utf-8, pipe, decimal point, ISO dates", [2], []),
    "the line Excel writes for itself": (
        f"sep=;\n{HEADER}\n{GOOD}\n".replace(",", ";"),
        "utf-8, semicolon, decimal point, ISO dates",
        [3],
        [],
    ),
    "blank lines before, between and after": (
        f"\n\n{HEADER}\n\n{GOOD}\n,,,,,\n  \nP-2,2026-11-03,1,1,1,\n\n,,\n",
        "utf-8, comma, decimal point, ISO dates",
        [5, 8],
        [],
    ),
    "American dates": (
        f"{HEADER}\nP-1,11/02/2026,3,1.5,1,\nP-2,11/25/2026,3,1.5,1,\n",
        "utf-8, comma, decimal point, month first",
        [2, 3],
        [],
    ),
    "dates that could be either": (
        f"{HEADER}\nP-1,01/02/2026,3,1.5,1,\n",
        "utf-8, comma, decimal point, day first (assumed)",
        [2],
        [],
    ),
    "a date impossible in the file's order": (
        f"{HEADER}\nP-1,25/11/2026,3,1.5,1,\nP-2,26/11/2026,3,1,1,\nP-3,11/27/2026,3,1,1,\n",
        "utf-8, comma, decimal point, day first",
        [2, 3],
        [(4, "sent", "type-error")],
    ),
    "a comma where the file has points": (
        f'{HEADER}\nP-1,2026-11-02,1,1.5,2.75,\nP-2,2026-11-02,1,"1,5",1.25,\n',
        "utf-8, comma, decimal point, ISO dates",
        [2],
        [(3, "weight", "type-error")],
    ),
    "ragged rows": (
        f"{HEADER}\n{GOOD},more\nP-2,2026-11-02\n{GOOD}\n",
        "utf-8, comma, decimal point, ISO dates",
        [4],
        [(2, None, "extra-cell"), (3, None, "missing-cell")],
    ),
    "a delimiter at the end of every row": (
        f"{HEADER}\n{GOOD},\nP-2,2026-11-02,1,1,1,,\n",
        "utf-8, comma, decimal point, ISO dates",
        [2, 3],
        [],
    ),
    "cells over several lines": (
        HEADER
        + '\nP-1,2026-11-02,3,1,1,"one\ntwo, ""three"""\nP-2,2026-11-02,x,1,1,"a\r\n\r\nb"\nP-3,2026-11-02,1,1,1,\n',
        "utf-8, comma, decimal point, ISO dates",
        [2, 7],
        [(4, "pieces", "type-error")],
    ),
    "a stray inch mark": (
        f'{HEADER}\nP-1,2026-11-02,3,1,1,5" pipe\n',
        "utf-8, comma, decimal point, ISO dates",
        [2],
        [],
    ),
    "NUL bytes": (
        f"{HEADER}\nP-1,2026-11-02,3,1,1,a\x00b\nP\x00-2,2026-11-02,3,1,1,\n{GOOD}\n",
        "utf-8, comma, decimal point, ISO dates",
        [4],
        [(2, "remark", "null-byte"), (3, "parcel", "null-byte")],
    ),
    "a key again": (
        f"{HEADER}\n{GOOD}\n{GOOD}\n  P-1 ,2026-11-09,1,1,1,\n",
        "utf-8, comma, decimal point, ISO dates",
        [2],
        [(3, "parcel", "unique-error"), (4, "parcel", "unique-error")],
    ),
    "a key again after a row that was rejected": (
        f"{HEADER}\nP-1,2026-11-02,0,1,1,\n{GOOD}\n",
        "utf-8, comma, decimal point, ISO dates",
        [3],
        [(2, "pieces", "constraint-error")],
    ),
    "numbers beyond all bounds": (
        f"{HEADER}\nP-1,2026-11-02,{'9' * 400},1,1,\nP-2,2026-11-02,1,{'9' * 400},1,\nP-3,2026-11-02,-1e99,1,1e16,\n",
        "utf-8, comma, decimal point, ISO dates",
        [],
        [
            (2, "pieces", "constraint-error"),
            (3, "weight", "constraint-error"),
            (4, "pieces", "constraint-error"),
            (4, "value", "constraint-error"),
        ],
    ),
    "a number so large that it cannot be rounded": (
        f"{HEADER}\nP-1,2026-11-02,1,1.79e308,1,\n",
        "utf-8, comma, decimal point, ISO dates",
        [],
        [(2, "weight", "constraint-error")],
    ),
    "every kind of column out of bounds": (
        f"{HEADER}\nP-1,1026-11-02,9007199254740993,-1,1e15,\nP-2,2026-11-02,-9223372036854775808,1,1,{'x' * 201}\n",
        "utf-8, comma, decimal point, ISO dates",
        [],
        [
            (2, "sent", "constraint-error"),
            (2, "pieces", "constraint-error"),
            (2, "weight", "constraint-error"),
            (2, "value", "constraint-error"),
            (3, "pieces", "constraint-error"),
            (3, "remark", "constraint-error"),
        ],
    ),
    "everything wrong in one row": (
        f"{HEADER}\nP-1234567890123,soon,three,NaN,,{'x' * 201}\n",
        "utf-8, comma, decimal point, ISO dates",
        [],
        [
            (2, "parcel", "constraint-error"),
            (2, "sent", "type-error"),
            (2, "pieces", "type-error"),
            (2, "weight", "type-error"),
            (2, "value", "missing-value"),
            (2, "remark", "constraint-error"),
        ],
    ),
    "an optional column left out, an unknown one kept out": (
        "parcel,sent,pieces,weight,value,colour\nP-1,2026-11-02,3,1,1,red\n",
        "utf-8, comma, decimal point, ISO dates",
        [2],
        [],
    ),
}


@pytest.mark.parametrize("name", LOADED)
def test_is_read(name: str, load: Callable[..., Any]) -> None:
    content, summary, lines, faults = LOADED[name]
    loaded = load(content)
    assert loaded.reading.summary == summary
    assert loaded.lines == lines
    assert loaded.faults == faults
    assert loaded.counts.read == len(lines) + len({line for line, _, _ in faults})
    assert all(reject.message and reject.hint and reject.cells for reject in loaded.rejects)


def test_a_german_export_keeps_its_values(load: Callable[..., Any]) -> None:
    (row,) = load(LOADED["cp1252 from Excel in Germany"][0]).rows
    assert (row["pieces"], row["weight"], row["value"], row["remark"]) == (1250, 1.5, 1234.5, "Grüße")
    assert str(row["sent"]) == "2026-10-31"


def test_what_was_kept_out_is_told(load: Callable[..., Any]) -> None:
    reading = load(LOADED["an optional column left out, an unknown one kept out"][0]).reading
    assert reading.unknown_columns == ["colour"]
    assert reading.missing_optional == ["remark"]
    assert reading.as_dict()["mapping"] == {name: name for name in ("parcel", "sent", "pieces", "weight", "value")}


def test_a_format_that_is_not_read_is_named_with_those_that_are(load: Callable[..., Any]) -> None:
    with pytest.raises(FileRefused, match=r"march\.csv is a PDF document") as refusal:
        load(REFUSED["a PDF"][0], filename="march.csv")
    assert "Excel (.xlsx, .xls), Parquet and JSON lines" in refusal.value.hint


def test_a_misspelt_column_is_guessed(load: Callable[..., Any]) -> None:
    with pytest.raises(FileRefused, match=r"pieces \(did you mean 'peices'\?\)") as refusal:
        load(f"{HEADER}\n{GOOD}\n".replace("pieces", "peices"))
    assert refusal.value.details["suggestions"] == {"pieces": "peices"}
    assert "peices" in refusal.value.hint


def test_nul_bytes_are_shown_and_never_stored(load: Callable[..., Any]) -> None:
    rejects = load(LOADED["NUL bytes"][0]).rejects
    assert rejects[0].value == "a\u2400b"
    assert "\x00" not in repr([reject.cells for reject in rejects]).encode().decode("unicode_escape")


def test_nul_bytes_in_the_header_are_dropped(load: Callable[..., Any]) -> None:
    loaded = load(f"{HEADER}\x00,col\x00our\n{GOOD},red\n")
    assert loaded.reading.header == [*HEADER.split(","), "colour"]
    assert loaded.lines == [2]


def test_the_delimiter_and_the_encoding_can_be_told(load: Callable[..., Any]) -> None:
    content = f"{HEADER}\n{GOOD} Ż\n".replace(",", "~").encode("cp1250")
    loaded = load(content, said=ReadOptions(delimiter="~", encoding="cp1250"))
    assert loaded.rows[0]["remark"] == "ok Ż"
    with pytest.raises(FileRefused, match="no text encoding called 'base64'"):
        load(content, said=ReadOptions(encoding="base64"))


def test_the_decimal_sign_and_the_order_of_days_can_be_told(load: Callable[..., Any]) -> None:
    """Nothing in the file says whether 1.250 is a thousand and 02/03/2026 in March; a person does."""
    content = f"{HEADER}\nP-1,02/03/2026,1,1.250,10,\n"
    found = load(content)
    assert (found.rows[0]["weight"], str(found.rows[0]["sent"])) == (1.25, "2026-03-02")
    assert found.reading.basis == {
        "encoding": "found",
        "delimiter": "found",
        "decimal": "assumed",
        "date_order": "assumed",
    }
    told = load(content, said=ReadOptions(decimal=",", date_order="month-first", delimiter=",", encoding="cp1252"))
    assert (told.rows[0]["weight"], str(told.rows[0]["sent"])) == (1250, "2026-02-03")
    assert set(told.reading.basis.values()) == {"given"}
    assert told.reading.summary == "cp1252, comma, decimal comma, month first"
    assert not told.reading.as_dict()["date_order_assumed"]


def test_an_encoding_nothing_speaks_against_is_assumed(load: Callable[..., Any]) -> None:
    reading = load(f"{HEADER}\n{GOOD} Grüße\n".encode("cp1252")).reading
    assert (reading.encoding, reading.basis["encoding"]) == ("cp1252", "assumed")


def test_a_wrong_encoding_is_refused_with_its_line(load: Callable[..., Any]) -> None:
    with pytest.raises(FileRefused) as refusal:
        load(f"{HEADER}\n{GOOD}\nP-2,2026-11-02,1,1,1,ü\n", said=ReadOptions(encoding="ascii"))
    assert (refusal.value.code, refusal.value.line) == ("encoding-error", 3)
