"""What is told of a column's values that are not null: by kind, and by whether all are counted or too many differ.

Every summary has `add(cells)` and, once it has a value, `describe()`: the fields of `ColumnProfile` that are its own.
Its `state()` is JSON-ready, and `add_state()` takes that of another which has a value; Few takes that of Few only.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from heapq import nlargest
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.columns import ARROW_TYPES, Column
from aetherflow.etl.repeating import plain
from aetherflow.etl.sketches import DistinctSketch, FrequentTexts, NumberBins, ValueCounts, hashes_of

FEW = 5_000
FEW_TEXT_BYTES = 1 << 20
TOP = 10
# So many categories are kept with their counts, for the next upload to be compared with. Where a value does not fill
# so many rows on average, it is no category: a short file has few keys, and the next one others.
CATEGORIES = 100
ROWS_A_CATEGORY = 5
PERCENTS = (1, 5, 25, 50, 75, 95, 99)
LONGEST_SHOWN = 100
EPOCH = dt.date(1970, 1, 1)

Cell = str | int | float


class FewTexts:
    """Every text with its rows."""

    def __init__(self) -> None:
        self._counted = ValueCounts(pa.string())

    def add(self, cells: pa.Array) -> None:
        self._counted.add(cells)

    def state(self) -> dict[str, Any]:
        return {"many": False, "counted": self._counted.state()}

    def add_state(self, state: Mapping[str, Any]) -> None:
        self._counted.add_state(state["counted"])

    @property
    def too_many(self) -> bool:
        return len(self._counted) > FEW or self._counted.values.nbytes > FEW_TEXT_BYTES

    def as_many(self) -> ManyTexts:
        return ManyTexts.of(self._counted)

    def rows_of_each(self) -> dict[str, int]:
        """In the texts' order, so that of texts equally frequent the first in it comes first."""
        counted = zip(self._counted.values.to_pylist(), self._counted.counts.tolist(), strict=True)
        return dict(sorted(counted))

    def describe(self) -> dict[str, Any]:
        rows = self.rows_of_each()
        texts = list(rows)
        repeat = len(texts) <= min(CATEGORIES, sum(rows.values()) / ROWS_A_CATEGORY)
        shortest, longest = _lengths(self._counted.values)
        return {
            "distinct": len(texts),
            "min": _short(texts[0]),
            "max": _short(texts[-1]),
            "shortest": shortest,
            "longest": longest,
            "top": [_top(_short(text), rows[text]) for text in nlargest(TOP, texts, key=rows.__getitem__)],
            "categories": rows if repeat and longest <= LONGEST_SHOWN else None,
        }


@dataclass
class ManyTexts:
    _low: str
    _high: str
    _shortest: int
    _longest: int
    _distinct: DistinctSketch
    _frequent: FrequentTexts

    @classmethod
    def of(cls, seen: ValueCounts) -> ManyTexts:
        texts = pl.Series(seen.values)
        distinct = DistinctSketch()
        distinct.add(hashes_of(texts))
        return cls(str(texts.min()), str(texts.max()), *_lengths(seen.values), distinct, FrequentTexts(seen))

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> ManyTexts:
        distinct, frequent = DistinctSketch.of_state(state["distinct"]), FrequentTexts.of_state(state["frequent"])
        (low, high), (shortest, longest) = state["bounds"], state["lengths"]
        return cls(low, high, shortest, longest, distinct, frequent)

    def state(self) -> dict[str, Any]:
        return {
            "many": True,
            "bounds": [self._low, self._high],
            "lengths": [self._shortest, self._longest],
            "distinct": self._distinct.state(),
            "frequent": self._frequent.state(),
        }

    def add_state(self, state: Mapping[str, Any]) -> None:
        if not state["many"]:
            few = FewTexts()
            few.add_state(state)
            state = few.as_many().state()
        self._reach(*state["bounds"], *state["lengths"])
        self._distinct.add_state(state["distinct"])
        self._frequent.add_state(state["frequent"])

    def _reach(self, low: str, high: str, shortest: int, longest: int) -> None:
        self._low, self._high = min(self._low, low), max(self._high, high)
        self._shortest, self._longest = min(self._shortest, shortest), max(self._longest, longest)

    def add(self, cells: pa.Array) -> None:
        cells = plain(cells)
        texts = pl.Series(cells)
        self._reach(str(texts.min()), str(texts.max()), *_lengths(cells))
        hashes = hashes_of(texts)
        self._distinct.add(hashes)
        self._frequent.add(texts, hashes)

    def describe(self) -> dict[str, Any]:
        return {
            **_estimated(self._distinct),
            "min": _short(self._low),
            "max": _short(self._high),
            "shortest": self._shortest,
            "longest": self._longest,
            "top": [_top(_short(text), rows) for text, rows in self._frequent.top(TOP)],
            "top_short_by": self._frequent.short_by,
        }


class FewNumbers:
    """Every number, or day as a number, with its rows."""

    def __init__(self, declared: Column) -> None:
        self._declared = declared
        self._counted = ValueCounts(ARROW_TYPES[declared.kind])

    def add(self, cells: pa.Array) -> None:
        # 0 for -0, which is another key to a hash table.
        self._counted.add(pc.add(cells, 0.0) if self._declared.kind == "number" else cells)

    def state(self) -> dict[str, Any]:
        return {"many": False, "counted": self._counted.state()}

    def add_state(self, state: Mapping[str, Any]) -> None:
        self._counted.add_state(state["counted"])

    @property
    def too_many(self) -> bool:
        # There are 73,000 days from 1900 to 2100: each has its place.
        return self._declared.kind != "date" and len(self._counted) > FEW

    def as_many(self) -> ManyNumbers:
        return ManyNumbers.of(self._declared, self._counted)

    def describe(self) -> dict[str, Any]:
        numbers, counts = self._in_order()
        totals = np.cumsum(counts)
        top = np.argsort(-counts, kind="stable")[:TOP]
        return {
            "distinct": len(numbers),
            "min": _cell(float(numbers[0]), self._declared),
            "max": _cell(float(numbers[-1]), self._declared),
            "top": [_top(_cell(float(numbers[at]), self._declared), int(counts[at])) for at in top],
            **_distribution(
                int(totals[-1]),
                at_ranks=lambda ranks: numbers[np.searchsorted(totals, ranks)],
                up_to=self.up_to,
                low=numbers[0],
                declared=self._declared,
            ),
            **({} if self._declared.kind == "date" else Moments.of(numbers, counts).describe()),
        }

    def up_to(self, edges: np.ndarray) -> np.ndarray:
        numbers, counts = self._in_order()
        totals = np.concatenate([[0], np.cumsum(counts)])
        found: np.ndarray = totals[np.searchsorted(numbers, edges, side="right")]
        return found

    def _in_order(self) -> tuple[np.ndarray, np.ndarray]:
        numbers = _floats(self._counted.values)
        order = np.argsort(numbers)
        return numbers[order], self._counted.counts[order]


@dataclass
class ManyNumbers:
    _declared: Column
    _low: float
    _high: float
    _moments: Moments
    _bins: NumberBins
    _distinct: DistinctSketch

    @classmethod
    def of(cls, declared: Column, seen: ValueCounts) -> ManyNumbers:
        numbers = _floats(seen.values)
        bins, distinct = NumberBins(), DistinctSketch()
        bins.add(numbers, seen.counts)
        distinct.add(hashes_of(pl.Series(seen.values)))
        moments = Moments.of(numbers, seen.counts)
        return cls(declared, float(numbers.min()), float(numbers.max()), moments, bins, distinct)

    @classmethod
    def of_state(cls, declared: Column, state: Mapping[str, Any]) -> ManyNumbers:
        bins, distinct = NumberBins.of_state(state["bins"]), DistinctSketch.of_state(state["distinct"])
        low, high = state["bounds"]
        return cls(declared, low, high, Moments(*state["moments"]), bins, distinct)

    def state(self) -> dict[str, Any]:
        return {
            "many": True,
            "bounds": [self._low, self._high],
            "moments": astuple(self._moments),
            "bins": self._bins.state(),
            "distinct": self._distinct.state(),
        }

    def add_state(self, state: Mapping[str, Any]) -> None:
        if not state["many"]:
            few = FewNumbers(self._declared)
            few.add_state(state)
            state = few.as_many().state()
        self._reach(*state["bounds"])
        self._moments += Moments(*state["moments"])
        self._bins.add_state(state["bins"])
        self._distinct.add_state(state["distinct"])

    def _reach(self, low: float, high: float) -> None:
        self._low, self._high = min(self._low, low), max(self._high, high)

    def add(self, cells: pa.Array) -> None:
        numbers = _floats(cells)
        self._reach(float(numbers.min()), float(numbers.max()))
        self._moments += Moments.of(numbers)
        self._bins.add(numbers)
        self._distinct.add(hashes_of(pl.Series(cells)))

    def describe(self) -> dict[str, Any]:
        return {
            **_estimated(self._distinct),
            "min": _cell(self._low, self._declared),
            "max": _cell(self._high, self._declared),
            "quantile_error": NumberBins.ERROR,
            **_distribution(
                self._moments.count,
                at_ranks=lambda ranks: np.clip(self._bins.at_ranks(ranks), self._low, self._high),
                up_to=self.up_to,
                low=self._low,
                declared=self._declared,
            ),
            **self._moments.describe(),
        }

    def up_to(self, edges: np.ndarray) -> np.ndarray:
        return self._bins.up_to(edges)


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squared distances from it: added up batch by batch without cancelling digits (Chan,
    Golub and LeVeque 1979)."""

    count: int
    mean: float
    squares: float

    @classmethod
    def of(cls, numbers: np.ndarray, counts: np.ndarray | None = None) -> Moments:
        # Sums, not np.dot: for so many numbers BLAS wakes a thread a core.
        rows = len(numbers) if counts is None else int(counts.sum())
        mean = float(numbers.mean() if counts is None else (numbers * counts).sum() / rows)
        squares = (numbers - mean) ** 2
        return cls(rows, mean, float((squares if counts is None else squares * counts).sum()))

    def __add__(self, other: Moments) -> Moments:
        count = self.count + other.count
        apart = other.mean - self.mean
        return Moments(
            count,
            self.mean + apart * other.count / count,
            self.squares + other.squares + apart * apart * self.count * other.count / count,
        )

    def describe(self) -> dict[str, Any]:
        return {"mean": self.mean, "std": math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else None}


def _distribution(
    count: int,
    *,
    at_ranks: Callable[[np.ndarray], np.ndarray],
    up_to: Callable[[np.ndarray], np.ndarray],
    low: float,
    declared: Column,
) -> dict[str, Any]:
    """Quantiles and histogram of `count` numbers, from the number at a rank and the rank of a number."""

    def at(percents: Iterable[int]) -> list[Cell]:
        ranks = np.array([-(-percent * count // 100) for percent in percents])
        return [_cell(number, declared) for number in at_ranks(ranks).tolist()]

    edges = sorted({number_of(cell) for cell in at(range(10, 101, 10))})
    rows = np.diff(up_to(np.array(edges)), prepend=0).tolist()
    bounds = [_cell(edge, declared) for edge in (low, *edges)]
    return {
        "quantiles": dict(zip((f"p{percent:02d}" for percent in PERCENTS), at(PERCENTS), strict=True)),
        "histogram": [
            {"low": below, "high": above, "rows": each}
            for (below, above), each in zip(pairwise(bounds), rows, strict=True)
        ],
    }


def _estimated(sketch: DistinctSketch) -> dict[str, Any]:
    distinct, is_estimate = sketch.count()
    return {
        "distinct": distinct,
        "distinct_is_estimate": is_estimate,
        "distinct_error": DistinctSketch.ERROR if is_estimate else 0.0,
    }


def _top(value: Cell, rows: int) -> dict[str, Any]:
    return {"value": value, "rows": rows}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _cell(number: float, declared: Column) -> Cell:
    match declared.kind:
        case "date":
            return (EPOCH + dt.timedelta(days=number)).isoformat()
        case "integer":
            # Towards zero: a bin of one whole number has it at its smaller end.
            return math.trunc(number)
        case _:
            return round(float(number), declared.decimal_places)


def number_of(cell: Cell) -> float:
    """The number `_cell` was given."""
    return float((dt.date.fromisoformat(cell) - EPOCH).days if isinstance(cell, str) else cell)


def _floats(values: pa.Array) -> np.ndarray:
    """As float64, days as days since 1970."""
    numbers = values.view(pa.int32()) if values.type == pa.date32() else values
    floats: np.ndarray = numbers.to_numpy().astype(np.float64, copy=False)
    return floats


def _lengths(texts: pa.Array) -> tuple[int, int]:
    """Of the shortest and the longest, in characters."""
    letters = np.frombuffer(texts.buffers()[2] or b"", dtype=np.uint8)
    # Counting bytes takes a tenth of the time, and most keys are plain ASCII.
    plain = int(letters.max(initial=0)) < 128
    found = pc.min_max(pc.binary_length(texts) if plain else pc.utf8_length(texts)).as_py()
    return found["min"], found["max"]
