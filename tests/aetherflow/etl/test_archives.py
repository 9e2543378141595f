"""gzip and zip around a file, and what somebody may put into them."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aetherflow.department import Department
from aetherflow.etl import FileRefused, open_file
from tests.aetherflow.etl.workbooks import day, workbook

TABLE = "parcel,sent,pieces,weight,value,remark\nP-1,2026-11-02,3,1.5,9.99,ok\nP-2,soon,1,1,1,\n"
BOOK = workbook({"Parcels": [TABLE.splitlines()[0].split(","), ["P-1", day(46112), 3, 1.5, 9.99, "ok"]]})


def zipped(files: dict[str, bytes | str], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "compression"),
    [
        (gzip.compress(TABLE.encode()), "gzip"),
        (gzip.compress(TABLE[:30].encode()) + gzip.compress(TABLE[30:].encode()), "gzip"),
        (zipped({"march.csv": TABLE}), "zip"),
        (zipped({"march.csv": TABLE}, method=zipfile.ZIP_LZMA), "zip"),
        (zipped({"a/": "", "a/march.csv": TABLE, "__MACOSX/a/._march.csv": "x", ".DS_Store": "x"}), "zip"),
    ],
    ids=["gzip", "gzip in two parts", "zip", "zip by LZMA", "zip from a Mac"],
)
def test_a_packed_file_is_read_like_the_file(load: Callable[..., Any], content: bytes, compression: str) -> None:
    loaded = load(content, filename="march.csv.gz")
    assert loaded.lines == [2]
    assert loaded.faults == [(3, "sent", "type-error")]
    assert loaded.reading.compression == compression
    assert loaded.reading.summary == f"{compression}, utf-8, comma, decimal point, ISO dates"


@pytest.mark.parametrize("content", [gzip.compress(BOOK), zipped({"march.xlsx": BOOK})], ids=["gzip", "zip"])
def test_any_format_may_be_packed(load: Callable[..., Any], content: bytes) -> None:
    assert load(content).reading.format == "xlsx"


def test_the_name_inside_tells_the_kind_of_text(load: Callable[..., Any]) -> None:
    broken = '{"parcel": \n'
    for content, name in ((gzip.compress(broken.encode()), "a.jsonl.gz"), (zipped({"a.jsonl": broken}), "a.zip")):
        with pytest.raises(FileRefused, match="no JSON object per row"):
            load(content, filename=name)


def locked() -> bytes:
    """The archive of a file, marked as encrypted."""
    content = bytearray(zipped({"march.csv": TABLE}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def tarred() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("march.csv"), io.BytesIO())
    return held.getvalue()


REFUSED: dict[str, tuple[bytes, str, str]] = {
    "gzip that breaks off": (gzip.compress(TABLE.encode() * 99)[:-9], "archive-error", "damaged"),
    "gzip with a wrong checksum": (gzip.compress(TABLE.encode())[:-8] + bytes(8), "archive-error", "damaged"),
    "gzip with damaged content": (gzip.compress(TABLE.encode())[:20] + b"\xff" * 50, "archive-error", "damaged"),
    "zip that breaks off": (zipped({"march.csv": TABLE})[:-9], "archive-error", "damaged"),
    "zip with damaged content": (
        zipped({"march.csv": TABLE}, method=zipfile.ZIP_STORED).replace(b"P-2,soon", b"P-2,SOON"),
        "archive-error",
        "damaged",
    ),
    "zip with a password": (locked(), "archive-error", "password"),
    "zip with nothing in it": (zipped({}), "archive-error", "holds no file"),
    "zip with only hidden files": (zipped({"__MACOSX/._a": "x"}), "archive-error", "holds no file"),
    "zip with two files": (zipped({"march.csv": TABLE, "april.csv": TABLE}), "archive-error", "march.csv, april.csv"),
    "zip with very many files": (zipped({f"{at}.csv": "x" for at in range(300)}), "archive-error", "290 more"),
    "zip in gzip": (gzip.compress(zipped({"march.csv": TABLE})), "archive-error", "archive inside the archive"),
    "gzip in zip": (zipped({"a.gz": gzip.compress(TABLE.encode())}), "archive-error", "archive inside the archive"),
    "tar in gzip": (gzip.compress(tarred()), "archive-error", "archive inside the archive"),
    "a tar alone": (tarred(), "not-text", "a tar archive"),
    "a Word document": (zipped({"[Content_Types].xml": "", "word/document.xml": ""}), "not-text", "a Word document"),
    "a PDF in zip": (zipped({"march.pdf": b"%PDF-1.7"}), "not-text", "march.pdf is a PDF"),
    "an empty file in gzip": (gzip.compress(b""), "empty-file", "0 bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_as_a_whole(load: Callable[..., Any], name: str) -> None:
    content, code, said = REFUSED[name]
    with pytest.raises(FileRefused) as refusal:
        load(content, filename="march.zip")
    assert refusal.value.code == code
    assert said in refusal.value.message
    assert refusal.value.hint.endswith(".")


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped({"march.csv": content})], ids=["gzip", "zip"])
def test_a_bomb_does_not_go_off(load: Callable[..., Any], scratch: Path, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(40 << 20))
    with pytest.raises(FileRefused, match="over 200 times the") as refusal:
        load(bomb)
    assert refusal.value.code == "too-large-expanded"
    with pytest.raises(FileRefused, match="grows beyond 1 kB when it is unpacked; at most 1 kB are read"):
        load(pack(TABLE.encode() * 99), most_bytes=1_024)
    assert [path.name for path in scratch.iterdir()] == ["upload"]


def test_progress_is_told_in_bytes_of_the_packed_file(parcels: Department, tmp_path: Path) -> None:
    path = tmp_path / "raw"
    head = TABLE.splitlines()[0]
    path.write_bytes(gzip.compress("\n".join([head, *(f"P-{at},2026-11-02,1,1,1," for at in range(60_000))]).encode()))
    with open_file(path, filename="a.csv.gz", department=parcels, block=4_096, batch_rows=2_000) as source:
        read = [batch.bytes_read for batch in source.batches()]
    assert read == sorted(read)
    assert len(read) > 3
    assert read[0] < read[-1] == source.bytes_total == path.stat().st_size
    assert list(tmp_path.iterdir()) == [path]
