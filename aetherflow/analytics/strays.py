"""Dates far beyond the rest: one mistyped year must not move what is next week, nor become the newest snapshot.

There is no clock here, so what lies ahead of today cannot be known. What can be seen is that a few rows stand behind
a gap that is far longer than any in the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Bools, Days, Ints

MOST_SHARE = 0.005  # of the rows, at either end; one row always
LEAST_ROWS = 20  # fewer rows do not show what is usual
LEAST_GAP = 90  # days: shorter, a summer's closure and the first day after it would be a slip
FACTOR = 3  # times the longest gap within the rest
FEW_DAYS = 4  # distinct days that show usual gaps; fewer are taken to be a year apart


@dataclass(frozen=True, kw_only=True)
class Stray:
    """`rows` rows dated `first` to `last` at one end of the data."""

    rows: int
    first: str
    last: str

    def shown(self) -> dict[str, object]:
        return {"rows": self.rows, "first": self.first, "last": self.last}


@dataclass(frozen=True, kw_only=True)
class Strays:
    """kept: which of the days belong together. ends: what was left out, the past end first."""

    kept: Bools
    ends: tuple[Stray, ...]

    def told(self) -> str:
        """ " 3 rows dated 2062-01-01 left out: far beyond the rest." for each end; "" without any."""
        return "".join(
            f" {end.rows:,} {'row' if end.rows == 1 else 'rows'} dated {end.first}"
            f"{'' if end.first == end.last else f' to {end.last}'} left out: far beyond the rest."
            for end in self.ends
        )


def strays(days: Days, *, until: Days | None = None, counts: Ints | None = None) -> Strays:
    """A tail of at most MOST_SHARE of the rows is stray behind a gap of over LEAST_GAP days and over FACTOR times the
    longest gap of what remains when as many rows are taken off both ends.

    An entry is one row, or `counts` rows that are not far apart, the first of `days` and the last of `until`.
    """
    kept = np.ones(len(days), dtype=bool)
    counts = np.ones(len(days), dtype=np.int64) if counts is None else counts
    total = int(counts.sum())
    if total < LEAST_ROWS:
        return Strays(kept=kept, ends=())
    numbers = days.astype("datetime64[D]").astype(np.int64)
    ends = numbers if until is None else until.astype("datetime64[D]").astype(np.int64)
    first = int(numbers.min())
    count = _rows_of_days(numbers - first, ends - first, counts)
    found = np.flatnonzero(count)
    until_day = np.cumsum(count[found])
    most = max(1, int(MOST_SHARE * total))
    core = found[(until_day > most) & (until_day - count[found] < total - most)]
    usual = int(np.diff(core).max()) if len(core) >= FEW_DAYS else 365
    wide = np.diff(found) > max(LEAST_GAP, FACTOR * usual)
    low, high = _ends(wide, until_day, most)
    kept = (numbers >= first + found[low]) & (numbers <= first + found[high])
    dates = (first + found).astype("datetime64[D]").astype(str)
    tails = ((0, low - 1), (high + 1, len(found) - 1))
    tails_told = tuple(
        Stray(rows=int(count[found[begin : end + 1]].sum()), first=str(dates[begin]), last=str(dates[end]))
        for begin, end in tails
        if begin <= end
    )
    return Strays(kept=kept, ends=tails_told)


def _rows_of_days(first: Ints, last: Ints, counts: Ints) -> Ints:
    """How many rows each day has, of the days from 0 on: of an entry's rows one is of its last day, and all others
    count as of its first."""
    of_last = (last > first).astype(np.int64)
    size = int(last.max()) + 1
    rows = np.bincount(first, weights=counts - of_last, minlength=size)
    return np.rint(rows + np.bincount(last, weights=of_last, minlength=size)).astype(np.int64)


def _ends(wide: Bools, until: Ints, most: int) -> tuple[int, int]:
    """Places of the first and the last day that are kept: the longest tails of at most `most` rows before (after) a
    wide gap go."""
    total = int(until[-1])
    before = np.flatnonzero(wide & (until[:-1] <= most))
    after = np.flatnonzero(wide & (total - until[:-1] <= most))
    return (int(before[-1]) + 1 if len(before) else 0), (int(after[0]) if len(after) else len(until) - 1)
