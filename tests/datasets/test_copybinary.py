"""A batch as COPY's binary format: what PostgreSQL makes of it is what was in the rows."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from itertools import chain

import pyarrow as pa
import pytest
from django.db import connection

from apps.datasets.copybinary import BinaryRows, in_order
from apps.datasets.copying import BINARY_END, BINARY_HEAD

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 2, 28)
# Widths of numbers: without decimals, with whole digits of base 10,000 behind the point, and with parts of one.
COLUMNS = {
    "line": "bigint",
    "day": "date",
    "pieces": "bigint",
    "price": "numeric(15, 2)",
    "share": "numeric(15, 6)",
    "rate": "numeric(15, 4)",
    "whole": "numeric(15, 0)",
    "sku": "varchar(20)",
    "note": "text",
}
DECIMALS = {"price": 2, "share": 6, "rate": 4, "whole": 0}
TYPES = {"line": pa.int64(), "day": pa.date32(), "pieces": pa.int64(), "sku": pa.string(), "note": pa.string()}


def table(**columns: list[object]) -> pa.Table:
    """A row for each value given; all else is null, and lines count from 1."""
    rows = max(map(len, columns.values()))
    given = {"line": list(range(1, rows + 1)), **columns}
    return pa.table(
        {name: pa.array(given.get(name, [None] * rows), TYPES.get(name, pa.float64())) for name in reversed(COLUMNS)}
    )


def read(*batches: pa.Table) -> list[dict[str, object]]:
    """What PostgreSQL has, by line, once they are copied."""
    rows = BinaryRows(list(COLUMNS), decimals=DECIMALS)
    written = b"".join([BINARY_HEAD, *chain.from_iterable(map(rows.of, batches)), BINARY_END])
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE given ({', '.join(map(' '.join, COLUMNS.items()))}) ON COMMIT DROP")
        cursor.copy_expert(f"COPY given ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)", io.BytesIO(written))
        cursor.execute("SELECT * FROM given ORDER BY line")
        found = [dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()]
        cursor.execute("DROP TABLE given")
    return found


def column(name: str, values: list[object]) -> list[object]:
    return [row[name] for row in read(table(**{name: values}))]


@pytest.mark.parametrize("name", sorted(DECIMALS))
def test_a_number_has_its_decimal_places_and_no_others(name: str) -> None:
    places = DECIMALS[name]
    unit = Decimal(1).scaleb(-places)
    whole = [0, 1, -1, 9_999, 10_000, -10_001, 99_999_999, 100_000_000, 123_456_780, 999_999_999 - places]
    exact = [each + sign * unit for each in map(Decimal, whole) for sign in (-1, 0, 1)]
    exact += [Decimal(10) ** at * unit for at in range(12)]
    found = column(name, [float(each) for each in exact])
    assert found == [each.quantize(unit) for each in exact]
    assert {-each.as_tuple().exponent for each in found} == {places}  # type: ignore[union-attr, operator]


def test_the_largest_numbers() -> None:
    assert column("price", [9_999_999_999_999.99, -9_999_999_999_999.99]) == [
        Decimal("9999999999999.99"),
        Decimal("-9999999999999.99"),
    ]
    assert column("whole", [999_999_999_999_999.0]) == [Decimal(999999999999999)]


def test_no_number_is_less_than_none() -> None:
    """-0.0, and what rounds to it."""
    assert [str(each) for each in column("price", [-0.0, 0.0, -0.001])] == ["0.00", "0.00", "0.00"]


def test_days_and_whole_numbers() -> None:
    days = [dt.date(1900, 1, 1), dt.date(1999, 12, 31), dt.date(2000, 1, 1), DAY, dt.date(2100, 12, 31)]
    assert column("day", [*days]) == days
    wholes = [0, -1, 2**53, -(2**53)]
    assert column("pieces", [*wholes]) == wholes


@pytest.mark.parametrize(
    "note",
    ["", "\\N", "\\.", "\\", "a\tb", "one\ntwo\r\nthree\rfour", '"quoted", and more', "Größe\u2028€", "x" * 70_000],
)
def test_a_text_is_what_it_was(note: str) -> None:
    assert column("note", ["plain", note, None]) == ["plain", note, None]


def test_nulls_may_come_and_go_from_batch_to_batch() -> None:
    """Where a column has some it is written on its own, where it has none as part of a record; both of slices too."""
    full: dict[str, list[object]] = {
        "day": [DAY, DAY, dt.date(1969, 7, 20)],
        "pieces": [4, -5, 6],
        "price": [1.25, -10_000.5, 0.0],
        "share": [0.000001, 3.0, -0.5],
        "rate": [1.0, 2.0, 3.0],
        "whole": [7.0, 8.0, 9.0],
        "sku": ["S-1", "", "S-3"],
        "note": ["one", "zwei", ""],
    }
    batches = [table(**full), table(**{name: [None] * 3 for name in full})]
    batches += [table(**{**full, name: [values[0], None, values[2]]}) for name, values in full.items()]
    for batch in (*batches, *(batch.slice(1) for batch in batches)):
        found = [
            {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
            for row in read(batch)
        ]
        assert found == [{name: row[name] for name in COLUMNS} for row in batch.to_pylist()]
    assert len(read(*(batch.slice(0, 2) for batch in batches))) == 2 * len(batches)


@pytest.mark.parametrize("different", [(2, 3), (60, 80), (5_000, 3)])
def test_encoded_texts_are_what_they_were_alone_and_put_together(different: tuple[int, int]) -> None:
    """Few of both are looked up in one table, more of them one by one."""
    rows = 40_000
    skus, notes = (
        [None if at % 13 == 0 else f"{at % each}" * (at % each % 5) for at in range(rows)] for each in different
    )
    batch = table(sku=[*skus], note=[*notes], price=[1.5] * rows)
    for name in ("sku", "note"):
        at = batch.column_names.index(name)
        batch = batch.set_column(at, name, batch.column(name).combine_chunks().dictionary_encode())
    found = read(batch.slice(1), batch.slice(0, 1))
    assert [(row["sku"], row["note"]) for row in found] == list(zip(skus, notes, strict=True))


def test_texts_stand_behind_and_those_that_repeat_most_first() -> None:
    batch = table(note=["a", "b", "c"], sku=["x", "x", "y"], day=[DAY, None, DAY], price=[1.0, 2.0, 3.0]).select(
        ["note", "sku", "day", "line", "price"]
    )
    assert in_order(batch) == ["line", "price", "day", "sku", "note"]
