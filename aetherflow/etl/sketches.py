"""What a profile remembers of a column of any length, in bounded memory: exact counts while few values differ, then
sketches whose error is stated. None of them draws lots: the same file always gives the same answer."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

_SEED = 0xC0DE
_ALL = np.uint64(2**64 - 1)


def hashes_of(values: pl.Series) -> np.ndarray:
    hashes: np.ndarray = values.hash(_SEED).to_numpy()
    return hashes


def packed(numbers: np.ndarray, kind: str) -> str:
    """As base64, of the little-endian `kind` that `unpacked` is given again."""
    return b64encode(numbers.astype(kind).tobytes()).decode()


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(b64decode(text), dtype=kind)


class ValueCounts:
    """How often each value occurs, exactly, in the order in which the values were first seen."""

    def __init__(self, values: pa.DataType) -> None:
        self.values = pa.array([], values)
        self.counts = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.values)

    def add(self, cells: pa.Array) -> None:
        """Count `cells`, none of which is null."""
        self._add(*_counted(cells))

    def state(self) -> str:
        """An Arrow stream as base64: exact for every type of values."""
        counted = pa.record_batch({"values": self.values, "counts": pa.array(self.counts)})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, counted.schema) as stream:
            stream.write_batch(counted)
        return b64encode(sink.getvalue()).decode()

    def add_state(self, state: str) -> None:
        with pa.ipc.open_stream(b64decode(state)) as stream:
            counted = stream.read_next_batch()
        self._add(counted.column("values"), counted.column("counts").to_numpy())

    def _add(self, values: pa.Array, counts: np.ndarray) -> None:
        places = pc.index_in(values, value_set=self.values)
        known = pc.is_valid(places).to_numpy(zero_copy_only=False)
        self.counts[places.drop_null().to_numpy()] += counts[known]
        if not known.all():
            new = pa.array(~known)
            self.values = pa.concat_arrays([self.values, values.filter(new)])
            self.counts = np.concatenate([self.counts, counts[~known]])


def _counted(cells: pa.Array) -> tuple[pa.Array, np.ndarray]:
    if pa.types.is_dictionary(cells.type):
        counts = np.bincount(cells.indices.to_numpy(), minlength=len(cells.dictionary))
        places = np.flatnonzero(counts)
        return cells.dictionary.take(pa.array(places)), counts[places]
    if pa.types.is_integer(cells.type) or pa.types.is_date32(cells.type):
        whole = cells.view(pa.int32() if cells.type.bit_width == 32 else pa.int64()).to_numpy()
        low = int(whole.min())
        # Counting by place takes a third of the time of a hash table, where the places are not too many.
        if int(whole.max()) - low < 4 * len(whole):
            counts = np.bincount(whole - low)
            places = np.flatnonzero(counts)
            return pa.array((places + low).astype(whole.dtype)).view(cells.type), counts[places]
    values, counts = pc.value_counts(cells).flatten()
    return values, counts.to_numpy()


class DistinctSketch:
    """How many values differ, from the KEPT smallest of their hashes.

    Hashes lie evenly over their range, so the k-th smallest of n different ones lies near k/n of it, and n is about
    (k - 1) divided by where it lies, with a relative standard error of 1/sqrt(k - 2) (Beyer et al. 2007, "On synopses
    for distinct-value estimation under multiset operations"). Up to KEPT different values are counted exactly.
    """

    KEPT = 1 << 14
    ERROR = (KEPT - 2) ** -0.5

    def __init__(self) -> None:
        self._least = np.zeros(0, dtype=np.uint64)
        self._highest = _ALL
        self._waiting: list[np.ndarray] = []

    def add(self, hashes: np.ndarray) -> None:
        self._waiting.append(hashes[hashes <= self._highest])
        if sum(map(len, self._waiting)) >= self.KEPT:
            self._settle()

    def count(self) -> tuple[int, bool]:
        """How many, and whether that is an estimate."""
        self._settle()
        if len(self._least) < self.KEPT:
            return len(self._least), False
        place = (int(self._highest) + 1) / 2**64
        return round((self.KEPT - 1) / place), True

    def state(self) -> str:
        self._settle()
        return packed(self._least, "<u8")

    def add_state(self, state: str) -> None:
        """As exact as one sketch of all: the least hashes of all are among the least of each part."""
        self.add(unpacked(state, "<u8"))

    @classmethod
    def of_state(cls, state: str) -> DistinctSketch:
        sketch = cls()
        sketch.add_state(state)
        return sketch

    def _settle(self) -> None:
        # Sorted, not np.unique: its hash table takes ten times as long for hashes most of which differ.
        hashes = np.sort(np.concatenate([self._least, *self._waiting]))
        self._least = hashes[np.r_[True, hashes[1:] != hashes[:-1]][: len(hashes)]][: self.KEPT]
        self._waiting = []
        if len(self._least) == self.KEPT:
            self._highest = self._least[-1]


class FrequentTexts:
    """Texts that make up a good part of a long column, each with at least how often it occurs.

    Of a batch only texts that fill 1 in SPARSE of its rows are counted; any other text loses what it had there. No
    count is ever too high, and none, nor that of a text not listed, is short by more than `short_by` (the bound of
    lossy counting, Manku and Motwani 2002). To find those texts without a hash table of all, rows are counted by 16
    bits of their hash: a frequent text is in a well-filled slot.
    """

    SPARSE = 2048
    KEPT = 1_000

    def __init__(self, seen: ValueCounts) -> None:
        order = np.argsort(-seen.counts, kind="stable")
        kept, left = order[: self.KEPT], order[self.KEPT :]
        texts = seen.values.take(pa.array(kept)).to_pylist()
        self.short_by = int(seen.counts[left[0]]) if len(left) else 0
        self._counts: dict[str, int] = dict(zip(texts, seen.counts[kept].tolist(), strict=True))

    def add(self, texts: pl.Series, hashes: np.ndarray) -> None:
        least = max(1, len(texts) // self.SPARSE)
        slots = hashes.view(np.uint16)[::4]
        filled = np.bincount(slots, minlength=1 << 16) >= least
        if filled.any():
            candidates = texts.filter(pl.Series(filled[slots])).value_counts(name="rows")
            for text, rows in candidates.filter(pl.col("rows") >= least).iter_rows():
                self._counts[text] = self._counts.get(text, 0) + rows
        self.short_by += least - 1
        self._bound()

    def top(self, most: int) -> list[tuple[str, int]]:
        """The most frequent, without those that a text not listed may outnumber."""
        return [(text, rows) for text, rows in self._ranked()[:most] if rows > self.short_by]

    def state(self) -> dict[str, Any]:
        return {"counts": dict(self._counts), "short_by": self.short_by}

    def add_state(self, state: Mapping[str, Any]) -> None:
        """A text is short here by at most `short_by`, and there by at most the other, whether listed or not: by at
        most their sum in all.
        """
        for text, rows in state["counts"].items():
            self._counts[text] = self._counts.get(text, 0) + rows
        self.short_by += state["short_by"]
        self._bound()

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> FrequentTexts:
        frequent = cls(ValueCounts(pa.string()))
        frequent.add_state(state)
        return frequent

    def _ranked(self) -> list[tuple[str, int]]:
        return sorted(self._counts.items(), key=lambda each: (-each[1], each[0]))

    def _bound(self) -> None:
        if len(self._counts) <= 2 * self.KEPT:
            return
        ranked = self._ranked()
        self._counts = dict(ranked[: self.KEPT])
        self.short_by += ranked[self.KEPT][1]


class NumberBins:
    """How many numbers lie where, in bins of 1/512 of a power of two: any number is known to within ERROR of itself.

    A bin is the number's exponent and the first 9 bits of its fraction, so finding it is a shift (as in HdrHistogram),
    and batches add up in any order. Whole numbers up to 1,024 in size have bins of their own. What is smaller in size
    than 2**-64 counts as that, what is larger than 2**64 too.
    """

    _SHIFT = 52 - 9
    _SMALLEST = ((1023 - 64) << 9) - 1
    _LARGEST = 128 << 9
    ERROR = 2.0**-10

    def __init__(self) -> None:
        self._low = 0
        self._counts = np.zeros(1, dtype=np.int64)

    def add(self, numbers: np.ndarray, counts: np.ndarray | None = None) -> None:
        """Count float64 `numbers`, each once or as often as `counts` says."""
        bins = self._bins(numbers)
        low, high = int(bins.min()), int(bins.max())
        self._reach(low, high)
        found = np.bincount(bins - low, weights=counts)
        self._counts[low - self._low : high - self._low + 1] += found.astype(np.int64)

    def state(self) -> dict[str, Any]:
        """Only of the bins that hold something: most between the smallest and the largest number do not."""
        filled = np.flatnonzero(self._counts)
        return {"bins": packed(filled + self._low, "<i4"), "counts": packed(self._counts[filled], "<i8")}

    def add_state(self, state: Mapping[str, Any]) -> None:
        bins, counts = unpacked(state["bins"], "<i4"), unpacked(state["counts"], "<i8")
        self._reach(int(bins[0]), int(bins[-1]))
        self._counts[bins - self._low] += counts

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> NumberBins:
        bins = cls()
        bins.add_state(state)
        return bins

    def at_ranks(self, ranks: np.ndarray) -> np.ndarray:
        """The middle of the bin of the number at each rank, 1 being the smallest number's."""
        bins = np.searchsorted(np.cumsum(self._counts), ranks) + self._low
        size = ((np.abs(bins) + self._SMALLEST) << self._SHIFT).view(np.float64)
        above = ((np.abs(bins) + self._SMALLEST + 1) << self._SHIFT).view(np.float64)
        return np.sign(bins) * (size + above) / 2

    def up_to(self, edges: np.ndarray) -> np.ndarray:
        """How many numbers are at most each of `edges`; all of an edge's own bin are counted to it."""
        totals = np.concatenate([[0], np.cumsum(self._counts)])
        counts: np.ndarray = totals[np.clip(self._bins(edges) - self._low + 1, 0, len(self._counts))]
        return counts

    def _bins(self, numbers: np.ndarray) -> np.ndarray:
        sizes = (np.abs(numbers).view(np.int64) >> self._SHIFT) - self._SMALLEST
        bins: np.ndarray = np.clip(sizes, 1, self._LARGEST) * np.sign(numbers).astype(np.int64)
        return bins

    def _reach(self, low: int, high: int) -> None:
        before, after = max(0, self._low - low), max(0, high - self._low + 1 - len(self._counts))
        if before or after:
            self._counts = np.pad(self._counts, (before, after))
            self._low -= before
