"""What a file is, by its own bytes: the name alone is never believed, and decides only between kinds of text."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Literal

from aetherflow.etl.encodings import MARKS
from aetherflow.etl.formats.damage import OF_AN_ARCHIVE, damage_is
from aetherflow.etl.formats.zips import open_zip
from aetherflow.etl.rejects import FileRefused

Kind = Literal["gzip", "zip", "xlsx", "xls", "parquet", "jsonl", "json", "text"]

HEAD = 1 << 16
GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PARQUET = b"PAR1"
ARCHIVES = (
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
)
OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"PARE", "an encrypted Parquet file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"ARROW1", "an Arrow file"),
    (b"{\\rtf", "a word processor's document"),
)
# What a ZIP archive of another program holds.
PACKED = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
    ("content.xml", "an OpenDocument file"),
    ("Index/Document.iwa", "a Numbers or Pages document"),
)
JSON_NAMES = (".jsonl", ".ndjson", ".json")
READABLE = "CSV, TSV, Excel (.xlsx, .xls), Parquet and JSON lines are read, each also in gzip or zip"


def kind_of(path: Path, *, filename: str) -> Kind:
    """Raises FileRefused: not-text for a format that is not read, archive-error for a ZIP that cannot be opened,
    too-many-files."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(GZIP):
        return "gzip"
    if head.startswith(ZIP):
        return _kind_of_zip(path, filename=filename)
    if head.startswith(OLD_OFFICE):
        return "xls"
    if head.startswith(PARQUET):
        return "parquet"
    refuse_unread(head, filename=filename)
    return _kind_of_text(head, filename=filename)


def refuse_unread(head: bytes, *, filename: str) -> None:
    """Raises FileRefused `not-text` where its first bytes are those of a format that is not read."""
    what = next((what for signature, what in (*ARCHIVES, *OTHERS) if head.startswith(signature)), "")
    if not what and head[257:262] == b"ustar":
        what = "a tar archive"
    if what:
        raise _refusal(filename, what)


def _kind_of_zip(path: Path, *, filename: str) -> Kind:
    damaged = FileRefused(
        f"{filename} cannot be unpacked: the ZIP archive is damaged or incomplete.",
        code="archive-error",
        hint="Pack the file again, or upload it without packing it.",
    )
    if filename.lower().endswith((".xlsx", ".xlsm")) and not zipfile.is_zipfile(path):
        return "xlsx"  # its reader says in a workbook's words what is damaged
    with damage_is(damaged, *OF_AN_ARCHIVE), open_zip(path, filename=filename) as archive:
        names = archive.namelist()
    if "xl/workbook.xml" in names:
        return "xlsx"
    what = next((what for part, what in PACKED if any(name.startswith(part) for name in names)), "")
    if what and ("[Content_Types].xml" in names or "mimetype" in names or what.startswith("a Numbers")):
        raise _refusal(filename, what)
    return "zip"


def _kind_of_text(head: bytes, *, filename: str) -> Kind:
    mark = next((mark for mark, _ in MARKS if head.startswith(mark)), b"")
    encoding = next((name for sign, name in MARKS if sign == mark), "utf-8")
    text = head[len(mark) :].decode(encoding, errors="replace").lstrip()
    named = filename.lower().endswith(JSON_NAMES)
    if text.startswith("[") and (named or text[1:].lstrip().startswith("{")):
        return "json"
    # Two of three: a file may have another name, its objects more than a line each, or some other line at its top.
    if named + text.startswith("{") + any(map(_is_object, text.splitlines()[:20])) >= 2:
        return "jsonl"
    return "text"


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _refusal(filename: str, what: str) -> FileRefused:
    return FileRefused(
        f"{filename} is {what}, which is not read.",
        code="not-text",
        hint=f"{READABLE}. Save or export the data as one of these and upload that file.",
    )
