"""A digest is the same wherever and whenever it is made, and tells rows apart that differ in anything."""

from __future__ import annotations

import datetime as dt
import math
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aetherflow.etl import digests as module
from aetherflow.etl.digests import digests

KEY = ("id", "day")
DECIMALS = {"price": 2}
SCHEMA = pa.schema([("id", pa.string()), ("day", pa.date32()), ("price", pa.float64()), ("n", pa.int64())])
TEXTS = st.text(max_size=40).filter(lambda text: "\0" not in text)
ROWS = st.tuples(
    TEXTS,
    st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)),
    st.none() | st.integers(-(10**9), 10**9).map(lambda cents: cents / 100),
    st.none() | st.integers(-(2**53), 2**53),
)
Row = tuple[Any, ...]


def table(rows: list[Row], schema: pa.Schema = SCHEMA) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def made(rows: list[Row]) -> list[tuple[int, int, int]]:
    found = digests(table(rows), key=KEY, decimals=DECIMALS)
    return list(zip(found.keys.tolist(), found.checks.tolist(), found.rows.tolist(), strict=True))


def test_digests_kept_by_an_earlier_release_are_those_made_now() -> None:
    """If this fails, what is stored can no longer be compared: raise VERSION, or take the change back."""
    rows = [
        ("T-1", dt.date(2026, 3, 2), 12.34, 7),
        ("T-1", dt.date(2026, 3, 3), None, None),
        ("a text of more than eight bytes: Größe, 尺寸", dt.date(1900, 1, 1), -0.0, -1),
        ("", dt.date(2100, 12, 31), 0.0, 0),
    ]
    kept = [
        (15815697642957997020, 4186877104, 2636788061),
        (10327809405554173019, 645238501, 2404630511),
        (9259926118741030118, 4194355810, 1556947248),
        (3914303636516770841, 3770022430, 2577071775),
    ]
    assert (module.VERSION, made(rows)) == (1, kept)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(ROWS, max_size=30))
def test_agrees_with_the_rule_written_out_row_by_row(rows: list[Row]) -> None:
    assert made(rows) == [plainly(row) for row in rows]


def plainly(row: Row) -> tuple[int, int, int]:
    numbers = {
        "day": (row[1] - dt.date(1970, 1, 1)).days,
        "price": None if row[2] is None else round(row[2] * 100),
        "n": row[3],
    }

    def hashed(name: str, purpose: str) -> int:
        seed = int.from_bytes(blake2b(f"{purpose}:{name}".encode(), digest_size=8).digest(), "little")
        if name != "id":
            return 0 if numbers[name] is None else mixed(numbers[name] % 2**64 ^ seed)
        text = row[0].encode()
        words = [int.from_bytes(text[at : at + 8], "little") for at in range(0, max(len(text), 1), 8)]
        found = mixed(words[0] ^ len(text) ^ seed)
        for word in words[1:]:
            found = mixed(found ^ word)
        return found

    key, check = (sum(hashed(name, purpose) for name in KEY) % 2**64 for purpose in ("row", "check"))
    return key, check >> 32, sum(hashed(name, "row") for name in SCHEMA.names) % 2**64 >> 32


def mixed(value: int) -> int:
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
    return value ^ value >> 31


def test_rows_of_a_slice_of_a_table_have_the_digests_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"T-{at}" * (at % 7), dt.date(2026, 1, 1), None if at % 5 else 1.5, at) for at in range(100)]
    whole = digests(table(rows), key=KEY, decimals=DECIMALS)
    monkeypatch.setattr(module, "_BLOCK", 7)
    pieces = pa.concat_tables([table(rows).slice(0, 33), table(rows).slice(33)])
    again = digests(pieces, key=KEY, decimals=DECIMALS)
    for name in ("keys", "checks", "rows"):
        assert getattr(again, name).tolist() == getattr(whole, name).tolist()


def test_a_column_that_comes_later_leaves_rows_without_it_as_they_are() -> None:
    rows = table([("T-1", dt.date(2026, 3, 2), 12.34, 7)] * 2)
    wider = rows.add_column(0, "note", pa.array([None, "new"], pa.string()))
    before = digests(rows, key=KEY, decimals=DECIMALS).rows.tolist()
    after = digests(wider, key=KEY, decimals=DECIMALS).rows.tolist()
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


def test_the_same_decimal_number_from_two_calculations_is_the_same() -> None:
    sums = [0.1 + 0.2, 0.3, math.nextafter(0.3, 1)]
    found = digests(table([("T", dt.date(2026, 1, 1), each, 1) for each in sums]), key=KEY, decimals=DECIMALS)
    assert len(set(found.rows.tolist())) == 1


@pytest.mark.parametrize("name", ["T-{:07d}", "TX-0-{:08d}", "{}", "{:016d}", "2026-{:05d}-a-long-prefix-{}"])
def test_numbered_names_spread_like_noise(name: str) -> None:
    """What people number is one bit apart; neither keys nor parts of them may bunch."""
    count = 100_000
    rows = pa.table({"id": [name.format(at, at % 97) for at in range(count)]})
    found = digests(rows, key=["id"], decimals={})
    assert len(np.unique(found.keys)) == count
    assert count - len(np.unique(found.rows)) < 10
    for bits, shift in ((10, 54), (10, 0)):
        spread = np.bincount((found.keys >> np.uint64(shift)).astype(np.int64) & 1023, minlength=1 << bits)
        assert 0.8 < spread.std() / math.sqrt(count / 1024) < 1.2
