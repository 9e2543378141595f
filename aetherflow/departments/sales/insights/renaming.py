"""Categories that go on under another name: told twice, the total would count them twice for their first weeks."""

from __future__ import annotations

import numpy as np

from aetherflow.analytics.columns import Bools, Floats, Ints

UNBROKEN = 8  # weeks without a gap before the silence: of what sells now and then, a silence says little
SIMILAR = 2.0  # times as large or as small as the other


def successors(revenue: Floats, sold: Bools) -> Ints:
    """(G,) the category that took each one's place, -1 for none; `revenue` and `sold` are (T, G), the newest week last.

    A category that sold in every one of UNBROKEN weeks or more and then in none has been replaced by one that began in
    its first silent week, sold ever since, and is of similar size; of several by the most similar, and each takes one
    place only.
    """
    count, size = sold.shape
    out = np.full(size, -1, dtype=np.int64)
    any_sold = sold.any(axis=0)
    first = np.where(any_sold, sold.argmax(axis=0), count)
    silent_from = np.where(any_sold, count - sold[::-1].argmax(axis=0), count)
    unbroken = sold.sum(axis=0) == silent_from - first
    gone = np.flatnonzero(any_sold & unbroken & (silent_from < count) & (silent_from - first >= UNBROKEN))
    pairs: list[tuple[float, int, int]] = []
    for week in np.unique(silent_from[gone]).tolist():
        ended = gone[silent_from[gone] == week]
        begun = np.flatnonzero((first == week) & (silent_from == count) & unbroken)
        pairs += _alike(
            ended, revenue[week - UNBROKEN : week, ended].mean(axis=0), begun, revenue[week:, begun].mean(axis=0)
        )
    taken: set[int] = set()
    for _, old, new in sorted(pairs):
        if out[old] < 0 and new not in taken:
            out[old] = new
            taken.add(new)
    return out


def _alike(old: Ints, before: Floats, new: Ints, after: Floats) -> list[tuple[float, int, int]]:
    """(distance, old, new): of each old category the nearest of the new ones above and below, where it is SIMILAR."""
    old, before = old[before > 0], np.log(before[before > 0])
    new, after = new[after > 0], np.log(after[after > 0])
    order = np.argsort(after, kind="stable")
    new, after = new[order], after[order]
    above = np.searchsorted(after, before)
    pairs: list[tuple[float, int, int]] = []
    for beside in (above - 1, above):
        inside = np.flatnonzero((beside >= 0) & (beside < len(after)))
        far = np.abs(after[beside[inside]] - before[inside])
        close = far <= np.log(SIMILAR)
        pairs += zip(far[close].tolist(), old[inside][close].tolist(), new[beside[inside]][close].tolist(), strict=True)
    return pairs
