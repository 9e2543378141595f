"""A repeated key is found in its batch and in any later one, and points at the first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aetherflow.etl import duplicates
from aetherflow.etl.digests import Digests, digests
from aetherflow.etl.duplicates import RECORD, SeenKeys

KEYS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), max_size=12)


def of(keys: pa.Table) -> Digests:
    return digests(keys, key=keys.column_names, decimals={})


@settings(max_examples=200, deadline=None)
@given(batches=st.lists(KEYS, max_size=12))
def test_agrees_with_a_dictionary(batches: list[list[tuple[str, int]]]) -> None:
    seen, first, line = SeenKeys(), {}, 1
    for batch in batches:
        lines = np.arange(line, line + len(batch))
        line += len(batch)
        keys = pa.table(
            {
                "name": pa.array([name for name, _ in batch], pa.string()),
                "number": pa.array([n for _, n in batch], pa.int64()),
            }
        )
        expected = [
            0 if first.setdefault(key, at) == at else first[key] for key, at in zip(batch, lines.tolist(), strict=True)
        ]
        assert seen.repeats(of(keys), lines).tolist() == expected


def test_a_concatenation_of_keys_is_not_a_key() -> None:
    seen = SeenKeys()
    keys = pa.table({"one": ["a", "ab", "a b", ""], "two": ["bc", "c", "c", "abc"]})
    assert not seen.repeats(of(keys), np.arange(2, 6)).any()


def test_a_hundred_thousand_keys_over_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "LARGEST_RUN", 1 << 12)
    seen = SeenKeys()
    for start in range(0, 100_000, 5_000):
        keys = pa.table({"id": [f"T-{at}" for at in range(start, start + 5_000)]})
        assert not seen.repeats(of(keys), np.arange(start + 2, start + 5_002)).any()
    again = pa.table({"id": [f"T-{at}" for at in range(0, 100_000, 10)]})
    assert seen.repeats(of(again), np.arange(200_000, 210_000)).tolist() == list(range(2, 100_002, 10))


@pytest.mark.parametrize("bits", [0, 1, 5])
def test_what_was_seen_comes_out_once_and_in_the_order_of_keys(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    monkeypatch.setattr(duplicates, "LARGEST_RUN", 64)
    seen, expected = SeenKeys(), {}
    for start in range(0, 600, 100):
        # The last fifty of each batch are the first of the next, with another price.
        rows = pa.table({"id": [f"T-{at}" for at in range(start, start + 150)], "price": [start] * 150})
        found = digests(rows, key=["id"], decimals={})
        seen.repeats(found, np.arange(start + 2, start + 152))
        for key, check, row in zip(found.keys.tolist(), found.checks.tolist(), found.rows.tolist(), strict=True):
            expected.setdefault(key, (check, row))
    ranges = list(seen.ranges(bits=bits))
    assert len(ranges) == 1 << bits
    for at, records in enumerate(ranges):
        assert all(key >> (64 - bits) == at for key in records["key"].tolist())
    records = np.concatenate(ranges)
    assert records.dtype == RECORD
    assert len(seen) == len(records) == 650
    assert records.tolist() == [(key, *rest) for key, rest in sorted(expected.items())]


def test_nothing_seen_has_no_rows_in_any_range() -> None:
    assert [len(records) for records in SeenKeys().ranges(bits=2)] == [0, 0, 0, 0]
