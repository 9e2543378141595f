"""A batch as COPY's CSV, whether its values are spelled one by one or once for all that share them."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pyarrow as pa
import pytest

from apps.datasets.copytext import ENOUGH_ROWS, CopyText

DAY = dt.date(2026, 2, 28)


def batch(rows: int, *, prices: int) -> pa.Table:
    """Of `prices` different ones, and every seventh row without any."""
    each = range(rows)
    return pa.table(
        {
            "line": pa.array(each, pa.int64()),
            "sku": pa.array([f"S-{at}" if at % 5 else None for at in each]),
            "note": pa.array(['a "b", c' if at % 3 else "" for at in each]),
            "day": pa.array([DAY + dt.timedelta(days=at % 3) if at % 11 else None for at in each], pa.date32()),
            "price": pa.array([(at % prices) * 0.25 if at % 7 else None for at in each], pa.float64()),
            "pieces": pa.array([at % 9 - 4 for at in each], pa.int64()),
        }
    )


def read(text: bytes) -> list[tuple[object, ...]]:
    found = csv.reader(io.StringIO(text.decode(), newline=""))
    return [
        (int(line), sku, note, day, float(price) if price else None, int(pieces))
        for line, sku, note, day, price, pieces in found
    ]


def expected(rows: pa.Table) -> list[tuple[object, ...]]:
    return [
        (
            row["line"],
            row["sku"] or "",
            row["note"],
            row["day"].isoformat() if row["day"] else "",
            row["price"],
            row["pieces"],
        )
        for row in rows.to_pylist()
    ]


@pytest.mark.parametrize(
    "batches",
    [
        [(3, 2)],
        [(ENOUGH_ROWS, 3)],
        [(ENOUGH_ROWS, ENOUGH_ROWS)],
        [(ENOUGH_ROWS, 3), (ENOUGH_ROWS, ENOUGH_ROWS), (9, 2)],
    ],
)
def test_says_what_is_in_the_rows(batches: list[tuple[int, int]]) -> None:
    text = CopyText()
    for rows, prices in batches:
        table = batch(rows, prices=prices)
        assert read(text.of(table)) == expected(table)


@pytest.mark.parametrize("rows", [20, ENOUGH_ROWS])
def test_nothing_is_another_thing_than_an_empty_text(rows: int) -> None:
    table = batch(rows, prices=3)
    first, *_ = CopyText().of(table).decode().splitlines()
    assert first.split(",") == ["0", "", '""', "", "", *('"-4"' if rows == ENOUGH_ROWS else "-4",)]
