"""A batch as COPY's text, whether its values are spelled one by one or once for all that share them."""

from __future__ import annotations

import datetime as dt
import io

import pyarrow as pa
import pytest
from django.db import connection

from apps.datasets.copytext import ENOUGH_ROWS, CopyText

pytestmark = pytest.mark.django_db

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
    """What PostgreSQL makes of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE given"
            " (line bigint, sku text, note text, day date, price double precision, pieces bigint) ON COMMIT DROP"
        )
        cursor.copy_expert("COPY given FROM STDIN", io.BytesIO(text))
        cursor.execute("SELECT * FROM given ORDER BY line")
        found: list[tuple[object, ...]] = cursor.fetchall()
        cursor.execute("DROP TABLE given")
    return found


def expected(rows: pa.Table) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in rows.to_pylist()]


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


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\\N",
        "\\.",
        "\\",
        "\\t",
        "a\tb",
        "one\ntwo\r\nthree\rfour",
        '"quoted", and more',
        "ends in \\",
        "Größe\u2028€",
    ],
)
def test_a_text_is_what_it_was(note: str) -> None:
    table = batch(3, prices=2).set_column(2, "note", pa.array(["plain", note, None]))
    assert [row[2] for row in read(CopyText().of(table))] == ["plain", note, None]
