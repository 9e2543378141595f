"""A sum cut into pieces, each just below an approval limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, pdtrc

from aetherflow.analytics import groups as by_group
from aetherflow.analytics.columns import Bools, Days, Floats, Ints

SPLIT_GAP_DAYS = 3
LIMITS = (1.0, 2.0, 2.5, 5.0)  # approval limits are round: these times a power of ten
OTHER_LIMITS = (1.5, 3.0, 4.0, 6.0, 7.5, 8.0)  # limits too where the ledger itself crowds below them
BELOW = 0.9  # "just below" is the last tenth under the limit
CROWDED = 1e-3  # chance under which a crowd below a sum is taken for a limit
MOST_PIECES = 4  # a sum is cut into few pieces; twenty bills below a limit are twenty bills
OWN = 5.0  # rows' worth of the ledger's share in a group's own


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Per row: fired, chance of a coincidence, the limit it stays below, and the code of its cluster."""

    fired: Bools
    probability: Floats
    limit: Floats
    cluster: Ints
    pieces: Ints


def split_payments(*, payee: Ints, amounts: Floats, days: Days) -> Splits:
    """Two or more payments to one payee within days of each other, each just below the same limit.

    payee: code of who is paid by whom, -1 unknown. Binomial chance that so many of the payee's payments in those days
    fall into the last tenth below that limit, with the payee's own share of such sums at other times, drawn towards
    the ledger's. Threshold splitting: Nigrini, Forensic Analytics (2nd ed., 2020), ch. 5.
    """
    limit = limit_above(amounts, learnt_limits(np.abs(amounts), payee))
    inside = np.isfinite(limit) & (payee >= 0)
    size = len(amounts)
    order = np.lexsort((days, np.nan_to_num(limit), inside, payee))
    day = days.astype(np.int64)
    fresh = np.ones(size, dtype=bool)
    fresh[1:] = (
        ~inside[order][1:]
        | (payee[order][1:] != payee[order][:-1])
        | (limit[order][1:] != limit[order][:-1])
        | (np.diff(day[order]) > SPLIT_GAP_DAYS)
    )
    cluster = np.empty(size, dtype=np.int64)
    cluster[order] = np.cumsum(fresh) - 1
    pieces = _distinct(cluster, amounts)
    fired = inside & (pieces >= 2)
    at_limit = np.nan_to_num(limit)
    overall = (by_group.sizes(by_group.codes(at_limit)) + 0.5) / (size + 1)
    total = by_group.sizes(payee + 1)
    just_below = by_group.sizes(by_group.codes(payee, at_limit))
    usual = (just_below - pieces + OWN * overall) / (total - pieces + OWN)
    begin, end = _extent(day, cluster)
    tried = np.maximum(_payments_between(payee, day, begin, end), pieces)
    chance = betainc(pieces, tried - pieces + 1, np.clip(usual, 1e-6, 1.0))  # P(at least so many of the tried)
    # A payee's bills of a few days resemble each other, limit or not: one below a limit brings the others with it.
    crowd = usual * _alike(payee, amounts, day) ** np.minimum(pieces - 1.0, MOST_PIECES - 1)
    chance = np.maximum(chance, crowd)
    return Splits(
        fired=fired,
        probability=np.where(fired, np.clip(chance, 1e-12, 1.0), 1.0),
        limit=limit,
        cluster=cluster,
        pieces=pieces,
    )


def limit_above(amounts: Floats, limits: Floats | None = None) -> Floats:
    """The smallest of the limits that an amount of at least 90 is just below, NaN where there is none."""
    size = np.abs(amounts)
    known = round_limits(size) if limits is None else limits
    place = np.minimum(np.searchsorted(known, size, side="right"), max(len(known) - 1, 0))
    above = known[place] if len(known) else np.full(len(size), np.nan)
    return np.where((size >= BELOW * above) & (size < above) & (size >= 90), above, np.nan)


def round_limits(sizes: Floats) -> Floats:
    """1, 2, 2.5 and 5 times powers of ten in the range of the sizes, ascending."""
    return _grid(sizes, LIMITS)


def learnt_limits(sizes: Floats, payee: Ints) -> Floats:
    """Round limits, and the other plain sums below which the ledger crowds.

    A limit makes people stay below it: more payees with a sum in the last tenth under it than in the tenth above
    (payees, since the rent of one is no crowd). The chance of so uneven a division is Poisson's, given twice the count
    above and one more, corrected for the number of candidates. A density that breaks at a threshold: McCrary (2008),
    Journal of Econometrics 142.
    """
    order = np.argsort(sizes, kind="stable")
    ordered, who = sizes[order], payee[order]
    candidates = _grid(sizes, OTHER_LIMITS)
    below, at, over = (np.searchsorted(ordered, edge * candidates) for edge in (BELOW, 1.0, 2 - BELOW))
    under = np.array([len(np.unique(who[begin:end])) for begin, end in zip(below, at, strict=True)])
    above = np.array([len(np.unique(who[begin:end])) for begin, end in zip(at, over, strict=True)])
    # At least so many where so many are expected: Poisson's upper tail.
    chance = np.where(under > 0, pdtrc(np.maximum(under - 1, 0), 2.0 * (above + 1)), 1.0)
    learnt = candidates[chance * len(candidates) < CROWDED]
    return np.sort(np.concatenate([round_limits(sizes), learnt]))


def _grid(sizes: Floats, steps: tuple[float, ...]) -> Floats:
    most = float(sizes.max(initial=0.0))
    decades = 10.0 ** np.arange(2, max(int(np.ceil(np.log10(max(most, 100.0)))), 2) + 2)
    return np.sort(np.outer(decades, steps).ravel())


def _alike(payee: Ints, amounts: Floats, day: Ints) -> Floats:
    """How often different sums of the payee within days of each other are within a tenth, drawn towards the ledger's
    share."""
    order = np.lexsort((amounts, day, payee))
    sums = np.abs(amounts[order])
    near_in_time = (payee[order][1:] == payee[order][:-1]) & (payee[order][1:] >= 0)
    near_in_time &= (np.diff(day[order]) <= SPLIT_GAP_DAYS) & (sums[1:] != sums[:-1])
    near = near_in_time & (np.minimum(sums[1:], sums[:-1]) >= BELOW * np.maximum(sums[1:], sums[:-1]))
    overall = (near.sum() + 0.5) / (near_in_time.sum() + 1.0)
    who = payee[order][1:] + 1
    count = int(payee.max(initial=-1)) + 2
    found = np.bincount(who, weights=near, minlength=count)
    of = np.bincount(who, weights=near_in_time, minlength=count)
    share: Floats = ((found + OWN * overall) / (of + OWN))[payee + 1]
    return share


def _distinct(cluster: Ints, amounts: Floats) -> Ints:
    """Different sums in the row's cluster: the same bill for many meters is no split."""
    order = np.lexsort((amounts, cluster))
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(cluster[order]) != 0) | (np.diff(amounts[order]) != 0)
    return np.bincount(cluster[order], weights=fresh).astype(np.int64)[cluster]


def _extent(day: Ints, cluster: Ints) -> tuple[Ints, Ints]:
    count = int(cluster.max()) + 1 if len(cluster) else 0
    first, last = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, cluster, day)
    np.maximum.at(last, cluster, day)
    return first[cluster], last[cluster]


def _payments_between(payee: Ints, day: Ints, begin: Ints, end: Ints) -> Ints:
    """How many payments the row's payee got from `begin` to `end`, both included."""
    if not len(day):
        return day
    base = int(day.min())
    width = int(day.max()) - base + 2
    keys = np.sort(payee * width + (day - base))
    low = np.searchsorted(keys, payee * width + (begin - base), side="left")
    high = np.searchsorted(keys, payee * width + (end - base), side="right")
    return np.asarray(high - low, dtype=np.int64)
