"""A repeated key is found in its batch and in any later one, and points at the first."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aetherflow.etl import duplicates
from aetherflow.etl.digests import Digests, digests
from aetherflow.etl.duplicates import RECORD, SeenKeys

KEYS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), max_size=12)


@pytest.fixture
def seen() -> Iterator[SeenKeys]:
    with SeenKeys() as seen:
        yield seen


def of(keys: pa.Table) -> Digests:
    return digests(keys, key=keys.column_names, decimals={})


@settings(max_examples=200, deadline=None)
@given(batches=st.lists(KEYS, max_size=12))
def test_agrees_with_a_dictionary(batches: list[list[tuple[str, int]]]) -> None:
    seen, first, line = SeenKeys(), {}, 1  # so few keys need no file
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


def test_a_concatenation_of_keys_is_not_a_key(seen: SeenKeys) -> None:
    keys = pa.table({"one": ["a", "ab", "a b", ""], "two": ["bc", "c", "c", "abc"]})
    assert not seen.repeats(of(keys), np.arange(2, 6)).any()


@pytest.mark.parametrize("window", [1, 1 << 12])
def test_a_hundred_thousand_keys_over_many_batches(
    window: int, seen: SeenKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "LARGEST_RUN", 1 << 12)
    monkeypatch.setattr(duplicates, "_WINDOW", window)
    for start in range(0, 100_000, 5_000):
        keys = pa.table({"id": [f"T-{at}" for at in range(start, start + 5_000)]})
        assert not seen.repeats(of(keys), np.arange(start + 2, start + 5_002)).any()
    again = pa.table({"id": [f"T-{at}" for at in range(0, 100_000, 10)]})
    assert seen.repeats(of(again), np.arange(200_000, 210_000)).tolist() == list(range(2, 100_002, 10))


@pytest.mark.parametrize("bits", [0, 1, 5])
def test_what_was_seen_comes_out_once_and_in_the_order_of_keys(
    bits: int, seen: SeenKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "LARGEST_RUN", 64)
    expected: dict[int, tuple[int, int]] = {}
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


def random_digests(rows: int, *, series: int = 0) -> Digests:
    random = np.random.default_rng(series)
    return Digests(
        keys=random.integers(0, 2**64, rows, np.uint64),
        checks=random.integers(0, 2**32, rows, np.uint32),
        rows=random.integers(0, 2**32, rows, np.uint32),
    )


def files_without_a_name() -> int:
    files = (each for each in Path("/proc/self/fd").iterdir() if each.is_symlink())
    return sum("(deleted)" in str(each.readlink()) for each in files)


def test_half_of_a_hash_in_common_is_no_repeat_of_what_is_on_disk(
    seen: SeenKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "LARGEST_RUN", 100)
    found = random_digests(1_000)
    others = Digests(keys=found.keys, checks=found.checks + np.uint32(1), rows=found.rows)
    assert not seen.repeats(found, np.arange(2, 1_002)).any()
    assert not seen.repeats(others, np.arange(1_002, 2_002)).any()
    assert len(seen) == 2_000


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Open files are listed under /proc.")
def test_only_what_is_large_goes_to_a_file_and_nothing_stays_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "LARGEST_RUN", 100)
    before = files_without_a_name()

    def breaks_off() -> None:
        with SeenKeys() as seen:
            seen.repeats(random_digests(100), np.arange(2, 102))
            assert files_without_a_name() == before
            seen.repeats(random_digests(500, series=1), np.arange(102, 602))
            seen.repeats(random_digests(500, series=2), np.arange(602, 1_102))
            assert files_without_a_name() == before + 1
            raise KeyError

    with pytest.raises(KeyError):
        breaks_off()
    assert files_without_a_name() == before


def test_forgotten_keys_are_new_again(seen: SeenKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "LARGEST_RUN", 100)
    found = random_digests(1_000)
    for _ in range(2):
        assert not seen.repeats(found, np.arange(2, 1_002)).any()
        assert seen.repeats(found, np.arange(1_002, 2_002)).tolist() == list(range(2, 1_002))
        seen.clear()
        assert len(seen) == 0


def test_a_full_disk_is_told_as_one(seen: SeenKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the quota of a file's size, which is met half-way through a write too."""
    monkeypatch.setattr(duplicates, "LARGEST_RUN", 100)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            seen.repeats(random_digests(1_000), np.arange(2, 1_002))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
