"""Whatever happened to a file on its way: it is read or refused with a reason, and no row of it is lost."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq

from aetherflow.etl import FileRefused
from tests.aetherflow.etl.workbooks import day, workbook

HEADER = ["parcel", "sent", "pieces", "weight", "value", "remark"]
TABLE = ",".join(HEADER) + "\n" + "".join(f"P-{at},2026-11-02,3,1.5,9.99,ok\n" for at in range(40))
BOOK = workbook({"Parcels": [HEADER, *([f"P-{at}", day(46112), 3, 1.5, "9,99", "ok"] for at in range(30))]})


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def parquet(**options: Any) -> bytes:
    held = io.BytesIO()
    pq.write_table(pa.table([[f"{name}-{at}" for at in range(50)] for name in HEADER], names=HEADER), held, **options)
    return held.getvalue()


def parts() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(BOOK)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


RECORDS = [{**dict.fromkeys(HEADER, "x"), "parcel": f"P-{at}"} for at in range(20)]
FILES = {
    "march.xlsx": BOOK,
    "march.parquet": parquet(),
    "plain.parquet": parquet(compression=None, use_dictionary=False),
    "march.jsonl": "\n".join(map(json.dumps, RECORDS)).encode(),
    "march.json": json.dumps(RECORDS).encode(),
    "march.csv.gz": gzip.compress(TABLE.encode()),
    "march.zip": zipped({"march.csv": TABLE.encode()}),
}
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=4
)


def damaged(content: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    """At each place so many bytes are taken out, and others put in."""
    for place, removed, added in damage:
        at = int(len(content) * place)
        content = content[:at] + added + content[at + removed :]
    return content


def assert_read_or_refused(load: Callable[..., Any], content: bytes, *, filename: str) -> None:
    try:
        loaded = load(content, filename=filename)
    except FileRefused as refusal:
        understood = bool(refusal.code and refusal.message and refusal.hint)
    else:
        understood = len({*loaded.lines, *(reject.line for reject in loaded.rejects)}) == loaded.counts.read
    assert understood


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(sorted(FILES)), damage=DAMAGE)
def test_damaged_bytes_are_read_or_refused(load: Callable[..., Any], name: str, damage: Any) -> None:
    assert_read_or_refused(load, damaged(FILES[name], damage), filename=name)


@settings(max_examples=100, deadline=None)
@given(part=st.sampled_from(sorted(parts())), damage=DAMAGE)
def test_a_workbook_of_damaged_xml_is_read_or_refused(load: Callable[..., Any], part: str, damage: Any) -> None:
    whole = parts()
    assert_read_or_refused(load, zipped({**whole, part: damaged(whole[part], damage)}), filename="march.xlsx")


def test_parquet_texts_that_are_no_utf8_are_refused(load: Callable[..., Any]) -> None:
    content = FILES["plain.parquet"].replace(b"remark-7", b"remark\xff7")
    with pytest.raises(FileRefused) as refusal:
        load(content, filename="march.parquet")
    assert refusal.value.code == "source-error"
