"""Which items are still reported: a newest snapshot is a position only while snapshots of its kind keep coming."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aetherflow.analytics.columns import Bools, Days, Floats, Ints

INTERVALS = 2  # usual intervals between snapshots that an item may be missing from
LEAST_DAYS = 14
UNKNOWN_INTERVAL = 31.0  # days, of a place whose items were seen once: hardly any stock is looked at less often


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """Per item: days from its newest snapshot to the newest of all, and whether it is taken to be reported no more."""

    behind: Ints
    ended: Bools


def reporting(*, items: Ints, days: Days, places: Ints) -> Reporting:
    """From the rows of all snapshots: `items` codes from 0 without holes; `places` is each item's place (warehouse).

    An item has ended when its newest snapshot lies more than INTERVALS usual intervals, and more than LEAST_DAYS,
    before the newest one of its place; a place, with all its items, when that one lies so far before the newest of
    all. The usual interval is the median between two snapshots of an item there, so that places that count on other
    days or one shelf after the other are judged by their own rhythm, and an item counted more rarely by its own.
    """
    order = np.lexsort((days, items))
    item, day = items[order], days[order].astype(np.int64)
    last = np.append(np.flatnonzero(np.diff(item)), len(item) - 1)
    gap = np.diff(day)
    between = (np.diff(item) == 0) & (gap > 0)
    item, gap = item[1:][between], gap[between]
    newest = day[last]

    own_span = np.bincount(item, weights=gap, minlength=len(last))
    own = own_span / np.maximum(np.bincount(item, minlength=len(last)), 1)
    usual = _usual(places[item], gap, size=int(places.max()) + 1)[places]
    of_place = np.full(int(places.max()) + 1, newest.min())
    np.maximum.at(of_place, places, newest)
    behind_place, behind_all = of_place[places] - newest, newest.max() - of_place[places]
    return Reporting(
        behind=newest.max() - newest,
        ended=(behind_place > _allowed(np.maximum(usual, own))) | (behind_all > _allowed(usual)),
    )


def _usual(places: Ints, gaps: Ints, *, size: int) -> Floats:
    """The median gap of each place (size,); where there is none that of all, but UNKNOWN_INTERVAL at least."""
    found = pd.Series(gaps).groupby(places).median()
    unknown = max(UNKNOWN_INTERVAL, float(np.median(gaps))) if len(gaps) else UNKNOWN_INTERVAL
    return found.reindex(range(size), fill_value=unknown).to_numpy(dtype=np.float64)


def _allowed(interval: Floats) -> Floats:
    return np.maximum(INTERVALS * interval, LEAST_DAYS)
