"""Parquet files: typed columns become the texts that mean the same."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from aetherflow.etl import FileRefused

DAY = dt.date(2026, 3, 31)
EVENING = dt.datetime(2026, 3, 31, 23, 30, tzinfo=dt.UTC)


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    held = io.BytesIO()
    pq.write_table(pa.table(columns), held, **options)
    return held.getvalue()


def parcels(rows: int = 2, **others: Any) -> dict[str, Any]:
    return {
        "parcel": [f"P-{at}" for at in range(rows)],
        "sent": [DAY] * rows,
        "pieces": list(range(1, rows + 1)),
        "weight": [1.5] * rows,
        "value": [Decimal("9.99")] * rows,
        **others,
    }


def test_typed_columns_keep_their_values(load: Callable[..., Any]) -> None:
    loaded = load(parquet(parcels(weight=[12.25, None])), filename="march.parquet")
    assert loaded.faults == []
    assert [(row["line"], row["sent"], row["pieces"], row["weight"], row["value"]) for row in loaded.rows] == [
        (2, DAY, 1, 12.25, 9.99),
        (3, DAY, 2, 0.5, 9.99),
    ]
    assert loaded.reading.summary == "Parquet, ISO dates"


@pytest.mark.parametrize(
    "days",
    [
        pa.array([DAY], pa.date64()),
        pa.array([EVENING], pa.timestamp("ns")),
        pa.array([EVENING], pa.timestamp("us")),
        # Half past eleven in the evening in Berlin is on the day Berlin calls it.
        pa.array([EVENING - dt.timedelta(hours=2)], pa.timestamp("ms", tz="Europe/Berlin")),
        pa.array(["31/03/2026"]).dictionary_encode(),
        pa.array(["2026-03-31"], pa.large_string()),
        pa.array([b"2026-03-31"]),
    ],
    ids=lambda days: str(days.type),
)
def test_days_of_every_type(load: Callable[..., Any], days: pa.Array) -> None:
    assert load(parquet(parcels(1, sent=days))).rows[0]["sent"] == DAY


@pytest.mark.parametrize(
    ("numbers", "value"),
    [
        (pa.array([12.1], pa.float32()), 12.1),
        (pa.array([0.1 + 0.2]), 0.3),
        (pa.array([3], pa.uint8()), 3),
        (pa.array([Decimal("1234.5600")], pa.decimal128(20, 4)), 1234.56),
        (pa.array([Decimal("1234.56")], pa.decimal256(50, 2)), 1234.56),
        (pa.array(["1,234.56"]), 1234.56),
    ],
    ids=lambda part: str(part.type) if isinstance(part, pa.Array) else "",
)
def test_numbers_of_every_type(load: Callable[..., Any], numbers: pa.Array, value: float) -> None:
    assert load(parquet(parcels(1, value=numbers))).rows[0]["value"] == value


def test_texts_with_a_decimal_comma_leave_typed_numbers_alone(load: Callable[..., Any]) -> None:
    loaded = load(parquet(parcels(weight=[1.234, 0.001], value=["1.234,50", "12,5"])))
    assert [(row["weight"], row["value"]) for row in loaded.rows] == [(1.234, 1234.5), (0.001, 12.5)]
    assert loaded.reading.decimal == ","


def test_rejects_have_the_row_s_number_under_a_header(load: Callable[..., Any]) -> None:
    content = parquet(parcels(3, pieces=[1, 0, 3], value=[1.0, 2.0, float("nan")], remark=["ok", "a\x00b", None]))
    loaded = load(content)
    assert loaded.lines == [2]
    assert loaded.faults == [
        (3, "pieces", "constraint-error"),
        (3, "remark", "null-byte"),
        (4, "value", "type-error"),
    ]


def test_many_row_groups_come_whole_and_in_order(load: Callable[..., Any]) -> None:
    loaded = load(parquet(parcels(25_000), row_group_size=7_000), batch_rows=3_000)
    assert loaded.counts.loaded == 25_000
    assert loaded.lines == list(range(2, 25_002))
    assert [row["pieces"] for row in loaded.rows] == list(range(1, 25_001))


def test_columns_without_single_values_are_left_out_unless_they_are_needed(load: Callable[..., Any]) -> None:
    loaded = load(parquet(parcels(tags=[["a"], []], picture=[b"\xff\x00", None], at=[{"x": 1}, None])))
    assert loaded.counts.loaded == 2
    assert loaded.reading.unknown_columns == ["tags", "picture", "at"]
    with pytest.raises(FileRefused, match=r"'remark' of parcels\.csv holds list") as refusal:
        load(parquet(parcels(remark=[["a"], []])))
    assert (refusal.value.code, refusal.value.column) == ("type-error", "remark")


@pytest.mark.parametrize("cut", [40, 300, -20])
def test_what_is_cut_off_is_refused(load: Callable[..., Any], cut: int) -> None:
    with pytest.raises(FileRefused) as refusal:
        load(parquet(parcels())[:cut])
    assert refusal.value.code == "source-error"


def test_a_damaged_page_is_refused(load: Callable[..., Any]) -> None:
    content = bytearray(parquet(parcels(1_000), compression="gzip"))
    content[60:400] = bytes(340)
    with pytest.raises(FileRefused) as refusal:
        load(bytes(content))
    assert refusal.value.code == "source-error"


def test_no_rows_are_refused(load: Callable[..., Any]) -> None:
    with pytest.raises(FileRefused) as refusal:
        load(parquet({name: pa.array([], pa.string()) for name in parcels()}))
    assert refusal.value.code == "no-rows"


def test_a_few_bytes_do_not_become_gigabytes(load: Callable[..., Any]) -> None:
    """One long text, and a million rows that each name it: a few kilobytes of Parquet, and half a terabyte of texts."""
    rows = 1_000_000
    long = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), ["x" * 500_000])
    content = parquet(
        {"parcel": long, **{name: pa.nulls(rows, pa.string()) for name in ("sent", "pieces", "weight", "value")}}
    )
    assert len(content) < 1 << 20
    with pytest.raises(FileRefused) as refusal:
        load(content)
    assert refusal.value.code == "too-large-expanded"
