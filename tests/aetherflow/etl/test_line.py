"""The whole line: nothing is lost, whatever is in the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv

from aetherflow.columns import ARROW_TYPES
from aetherflow.department import Department
from aetherflow.etl import FileRefused, ReadOptions, open_file

HEADER = ["parcel", "sent", "pieces", "weight", "value", "remark"]

KEY = st.sampled_from([f"P-{at}" for at in range(30)])
CELL = st.one_of(
    KEY,
    st.sampled_from(
        ["2026-11-02", "31/10/2026", "10/31/2026", "3", "0", "1.5", "1,5", "(2.00)", "€ 3", "", "NA", "x" * 201]
    ),
    st.sampled_from(["a cell with a NUL \x00 in it", "two\nlines", "two\r\nlines", "\r", "\n\n"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
)
GOOD_ROW = st.tuples(KEY, st.just("2026-11-02"), st.just("3"), st.just("1.5"), st.just("9.99"), CELL).map(list)
ROW = st.one_of(GOOD_ROW, GOOD_ROW, st.lists(CELL, min_size=0, max_size=8), st.lists(CELL, min_size=6, max_size=6))


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(ROW, min_size=1, max_size=40), size=st.integers(1, 10), delimiter=st.sampled_from([",", ";", "\t"])
)
def test_every_row_is_loaded_rejected_or_a_duplicate(
    load: Callable[..., Any], rows: list[list[str]], size: int, delimiter: str
) -> None:
    held = io.StringIO(newline="")
    writer = csv.writer(held, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(HEADER)
    places = []
    for row in rows:
        places.append(1 + len(io.StringIO(held.getvalue(), newline="").readlines()))
        writer.writerow(row)
    expected = {line for line, row in zip(places, rows, strict=True) if any(cell.strip() for cell in row)}
    if not expected:
        with pytest.raises(FileRefused) as refusal:
            load(held.getvalue())
        assert refusal.value.code == "no-rows"
        return
    loaded = load(held.getvalue(), said=ReadOptions(delimiter=delimiter), block=4_096, batch_rows=size)
    repeated = {reject.line for reject in loaded.rejects if reject.code == "unique-error"}
    rejected = {reject.line for reject in loaded.rejects} - repeated
    assert set(loaded.lines) | rejected | repeated == expected
    assert (len(loaded.lines), len(rejected), len(repeated), len(expected)) == (
        loaded.counts.loaded,
        loaded.counts.rejected,
        loaded.counts.duplicate,
        loaded.counts.read,
    )
    assert len({row["parcel"] for row in loaded.rows}) == len(loaded.rows)
    assert "\x00" not in "".join(str(value) for row in loaded.rows for value in row.values())
    assert "\x00" not in "".join(
        "".join((reject.message, reject.value or "", *reject.cells)) for reject in loaded.rejects
    )
    assert sum(loaded.by_code.values()) == len(loaded.rejects)


@settings(max_examples=100, deadline=None)
@given(content=st.binary(min_size=0, max_size=400), headed=st.booleans())
def test_any_bytes_are_read_or_refused(load: Callable[..., Any], content: bytes, headed: bool) -> None:
    try:
        understood = load((",".join(HEADER).encode() + b"\n" if headed else b"") + content).counts.read > 0
    except FileRefused as refusal:
        understood = bool(refusal.code and refusal.message and refusal.hint)
    assert understood


def rows_of(count: int, *, pieces: str = "1") -> str:
    return ",".join(HEADER) + "\n" + "".join(f"P-{at},2026-11-02,{pieces},1,1,\n" for at in range(count))


def test_rows_come_typed_clean_and_in_the_schema_s_order(parcels: Department, tmp_path: Path) -> None:
    path = tmp_path / "parcels.csv"
    path.write_text("remark,value,WEIGHT,Pieces,sent,Parcel_No\n,1,,2,2026-11-02,P-1\n")
    with open_file(path, filename="parcels.csv", department=parcels) as source:
        (batch,) = source.batches()
    assert batch.rows.schema == pa.schema(
        [("line", pa.int64()), *((column.name, ARROW_TYPES[column.kind]) for column in parcels.columns)]
    )
    assert batch.rows["weight"].to_pylist() == [0.5]
    held = pa.BufferOutputStream()
    arrow_csv.write_csv(batch.rows, held)
    assert held.getvalue().to_pybytes().splitlines()[1] == b'2,"P-1",2026-11-02,2,0.5,1,'


def test_batches_can_be_read_again_from_the_start(parcels: Department, tmp_path: Path) -> None:
    path = tmp_path / "parcels.csv"
    path.write_text(rows_of(5_000))
    with open_file(path, filename="parcels.csv", department=parcels, block=4_096, batch_rows=700) as source:
        half = source.batches()
        next(half)
        batches = list(source.batches())
    assert sum(batch.counts.loaded for batch in batches) == 5_000
    assert [batch.bytes_read for batch in batches] == sorted(batch.bytes_read for batch in batches)
    assert batches[-1].bytes_read == source.bytes_total


def test_a_listing_that_is_full_still_counts(load: Callable[..., Any]) -> None:
    loaded = load(rows_of(3_000, pieces="none"), listing_limit=100, block=4_096, batch_rows=500)
    assert loaded.counts.rejected == 3_000
    assert loaded.by_code == {"missing-value": 3_000}
    assert [reject.line for reject in loaded.rejects] == list(range(2, 102))


def test_a_reject_shows_the_row_as_it_stands_in_the_file(load: Callable[..., Any]) -> None:
    (reject,) = load('Qty,parcel no,sent,kg,value,colour\n three ,P-1,2026-11-02,,1,"light\nblue"\n').rejects
    assert (reject.column, reject.value) == ("Qty", " three ")
    assert reject.cells == [" three ", "P-1", "2026-11-02", "", "1", "light\nblue"]


def test_a_repeat_names_its_key_and_the_line_of_the_first(load: Callable[..., Any]) -> None:
    (reject,) = load("parcel no,sent,qty,kg,value\nP-1,2026-11-02,1,1,1\n\nP-1,2026-11-03,1,1,1\n").rejects
    assert reject.line == 4
    assert reject.message == "The row repeats parcel no P-1 of line 2."


def test_a_repeat_is_found_in_a_later_batch(load: Callable[..., Any]) -> None:
    loaded = load(rows_of(4_000) + "P-7,2026-11-02,1,1,1,\n", block=4_096, batch_rows=300)
    assert loaded.batches > 5
    assert loaded.counts.duplicate == 1
    assert "of line 9." in loaded.rejects[0].message


def test_a_schema_that_breaks_as_a_whole_is_a_defect_and_not_a_bad_file(
    parcels: Department, monkeypatch: pytest.MonkeyPatch, load: Callable[..., Any]
) -> None:
    def lose_a_column(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.drop(columns="value")

    monkeypatch.setitem(parcels.__dict__, "clean", (lose_a_column,))
    with pytest.raises(KeyError, match="value"):
        load(rows_of(1))
