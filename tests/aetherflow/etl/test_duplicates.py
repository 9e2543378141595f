"""A repeated key is found in its batch and in any later one, and points at the first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aetherflow.etl import duplicates
from aetherflow.etl.duplicates import SeenKeys

KEYS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(batches=st.lists(KEYS, max_size=12))
def test_agrees_with_a_dictionary(batches: list[list[tuple[str, int]]]) -> None:
    seen, first, line = SeenKeys(), {}, 1
    for batch in batches:
        lines = np.arange(line, line + len(batch))
        line += len(batch)
        keys = pa.table({"name": [name for name, _ in batch], "number": pa.array([n for _, n in batch], pa.int64())})
        expected = [
            0 if first.setdefault(key, at) == at else first[key] for key, at in zip(batch, lines.tolist(), strict=True)
        ]
        assert seen.repeats(keys, lines).tolist() == expected


def test_a_concatenation_of_keys_is_not_a_key() -> None:
    seen = SeenKeys()
    keys = pa.table({"one": ["a", "ab", "a b", ""], "two": ["bc", "c", "c", "abc"]})
    assert not seen.repeats(keys, np.arange(2, 6)).any()


def test_a_hundred_thousand_keys_over_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "LARGEST_RUN", 1 << 12)
    seen = SeenKeys()
    for start in range(0, 100_000, 5_000):
        keys = pa.table({"id": [f"T-{at}" for at in range(start, start + 5_000)]})
        assert not seen.repeats(keys, np.arange(start + 2, start + 5_002)).any()
    again = pa.table({"id": [f"T-{at}" for at in range(0, 100_000, 10)]})
    assert seen.repeats(again, np.arange(200_000, 210_000)).tolist() == list(range(2, 100_002, 10))
