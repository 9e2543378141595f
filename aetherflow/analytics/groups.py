"""What is usual in a group, seen without the row that is judged: medians, shares and tails, all vectorised.

A row that takes part in its own yardstick hides itself, most of all in small groups; so every figure here
leaves the row out, and small groups are drawn towards the larger group that holds them (empirical Bayes
shrinkage; Efron & Morris 1977, Scientific American 236).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Bools, Floats, Ints

NORMAL_CONSISTENT = 1.4826  # median absolute deviation to standard deviation of a normal distribution


def codes(*keys: Ints | Floats) -> Ints:
    """One code from 0 for every combination of values that occurs, in the order of the values."""
    combined = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        found, own = np.unique(key, return_inverse=True)
        _, combined = np.unique(combined * len(found) + own, return_inverse=True)
    return np.asarray(combined, dtype=np.int64)


def sizes(groups: Ints) -> Ints:
    """Rows in each row's group."""
    return np.bincount(groups)[groups]


def others_median(values: Floats, groups: Ints) -> Floats:
    """Median of the other rows of the row's group; NaN where there are none."""
    order, begin, size, place = _sorted(values, groups)
    ordered = values[order]
    rest = size - 1
    low, high = np.maximum((rest - 1) // 2, 0), np.minimum(rest // 2, size - 1)
    low, high = low + (low >= place), high + (high >= place)
    middle = (ordered[begin + np.minimum(low, size - 1)] + ordered[begin + np.minimum(high, size - 1)]) / 2
    out = np.empty(len(values))
    out[order] = np.where(rest > 0, middle, np.nan)
    return out


def company(of: Ints, within: Ints) -> tuple[Ints, Ints]:
    """How many other rows of the row's `within` have its `of` too, and how many others there are; -1 is unknown."""
    return sizes(codes(within, of)) - 1, sizes(within + 1) - 1


def others_share(flagged: Bools, groups: Ints, *, parent: Floats | float, strength: float) -> Floats:
    """Share of the other rows of the group that are flagged, with `strength` rows' worth of the parent share."""
    count = np.bincount(groups, weights=flagged)[groups] - flagged
    share: Floats = (count + strength * parent) / (sizes(groups) - 1 + strength)
    return share


def others_at_least(values: Floats, groups: Ints, *, less: float) -> Ints:
    """How many other rows of the group reach the row's value minus `less` (at least 0)."""
    order, begin, size, _ = _sorted(values, groups)
    width = float(np.ptp(values)) + abs(less) + 1.0 if len(values) else 1.0
    rank = np.repeat(np.arange(len(np.unique(groups))), np.bincount(groups)[np.unique(groups)])
    keys = rank * width + (values[order] - values.min(initial=np.inf))
    reached = np.searchsorted(keys, np.maximum(keys - less, rank * width), side="left")
    out = np.empty(len(values), dtype=np.int64)
    out[order] = begin + size - reached - 1
    return out


def upper_tail(values: Floats, groups: Ints) -> Floats:
    """Share of the group's rows that are at least as large, the row itself counted: in (0, 1]."""
    order, begin, size, _ = _sorted(values, groups)
    ordered, owner = values[order], groups[order]
    fresh = np.ones(len(values), dtype=bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]) | (owner[1:] != owner[:-1])
    first_equal = np.maximum.accumulate(np.where(fresh, np.arange(len(values)), 0))
    out = np.empty(len(values))
    out[order] = (begin + size - first_equal) / size
    return out


@dataclass(frozen=True, kw_only=True)
class Range:
    """Per row, of its whole group: `low` and `high` are the 10 % and 90 % points, `size` the number of rows."""

    low: Floats
    median: Floats
    high: Floats
    size: Ints


def usual_range(values: Floats, groups: Ints) -> Range:
    """What most of the group's rows are: the middle 80 %."""
    low, median, high = _points(values, groups, (0.1, 0.5, 0.9))
    return Range(low=low, median=median, high=high, size=sizes(groups))


def _points(values: Floats, groups: Ints, levels: Sequence[float]) -> list[Floats]:
    """Quantiles of each row's group, between the two nearest of its rows."""
    order, begin, size, _ = _sorted(values, groups)
    ordered = values[order]
    points = []
    for level in levels:
        position = level * (size - 1)
        below = np.floor(position).astype(np.int64)
        above = np.minimum(below + 1, size - 1)
        part = position - below
        point = np.empty(len(values))
        point[order] = ordered[begin + below] * (1 - part) + ordered[begin + above] * part
        points.append(point)
    return points


def robust_spread(
    residuals: Floats, groups: Ints, *, strength: float, floor: float, parent: Floats | None = None
) -> Floats:
    """1.4826 times the median absolute residual of the group, as if `strength` rows had the parent's (or
    overall) one.

    Source of the estimator: Rousseeuw & Croux (1993), JASA 88. `floor` keeps a group of equal amounts from
    calling the first cent of difference infinitely strange.
    """
    size = sizes(groups)
    overall = np.median(np.abs(residuals)) * NORMAL_CONSISTENT if parent is None else parent
    (median,) = _points(np.abs(residuals), groups, (0.5,))
    own = median * NORMAL_CONSISTENT
    spread: Floats = np.maximum((size * own + strength * overall) / (size + strength), floor)
    return spread


def _sorted(values: Floats, groups: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Order by group and value; for each sorted row its group's begin and size, and its place in the group."""
    order = np.lexsort((values, groups))
    counts = np.bincount(groups)
    counts = counts[counts > 0]
    starts = np.cumsum(counts) - counts
    begin, size = np.repeat(starts, counts), np.repeat(counts, counts)
    return order, begin, size, np.arange(len(values)) - begin
