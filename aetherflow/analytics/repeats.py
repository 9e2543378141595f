"""Payments that repeat: the same sum paid again, and a sum cut into pieces below an approval limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from aetherflow.analytics import groups as by_group
from aetherflow.analytics.columns import Bools, Days, Floats, Ints

WINDOW_DAYS = 45  # a later repeat is next month's bill far more often than a second payment
SPLIT_GAP_DAYS = 3
LIMITS = (1.0, 2.0, 2.5, 5.0)  # approval limits are round: these times a power of ten
BELOW = 0.9  # "just below" is the last tenth under the limit

SAME_REFERENCE, ALTERED_REFERENCE, OTHER_SPELLING, MONTHLY = 0.01, 0.003, 0.2, 3.0


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Per row: fired, the chance that it is a coincidence, the row it repeats (-1), days in between, and
    whether the reference is the same (1), the same but for a last letter (2), or no evidence (0)."""

    fired: Bools
    probability: Floats
    twin: Ints
    gap: Ints
    reference: Ints


def repeated_payments(
    *, payee: Ints, spelling: Ints, cents: Floats, days: Days, reference: Ints, written: Ints, tie: Ints
) -> Repeats:
    """Rows whose payee had got exactly this sum at most 45 days before.

    payee: code of the normalised name, -1 unknown; spelling: code of the name as written; reference: code of
    the reference without its last letter, -1 none; written: as written. tie: breaks ties of one day. The
    chance of a coincidence is the share of such repeats among the payee's other payments, drawn towards the
    ledger's share of the same kind (same day or later, round sum or not), at least the share of this very sum
    that recurs; then multiplied for what real double payments show: the same reference on another day, a
    reference with a letter added, another spelling of the name; a gap of a month speaks for a standing order.
    Kinds of double payments: ACFE, Fraud Examiners Manual, billing schemes; Nigrini, Forensic Analytics (2nd
    ed., 2020), ch. 12.
    """
    size = len(cents)
    order = np.lexsort((tie, days, cents, payee))
    known = (payee[order] >= 0) & (cents[order] != 0)
    same = np.zeros(size, dtype=bool)
    same[1:] = known[1:] & (payee[order][1:] == payee[order][:-1]) & (cents[order][1:] == cents[order][:-1])
    apart = np.zeros(size, dtype=np.int64)
    apart[1:] = np.diff(days[order].astype(np.int64))
    twin, gap = np.full(size, -1), np.zeros(size, dtype=np.int64)
    near = same & (apart <= WINDOW_DAYS)
    twin[order[near]] = order[np.flatnonzero(near) - 1]
    gap[order] = np.where(near, apart, 0)
    fired = twin >= 0
    family = np.empty(size, dtype=np.int64)
    family[order] = np.cumsum(~same) - 1
    times = by_group.sizes(family)

    kind = 2 * (gap > 0) + (np.mod(cents, 1000) == 0)
    usual = np.zeros(size)
    for value in range(4):
        of_kind = fired & (kind == value)
        usual = np.where(kind == value, (of_kind.sum() + 0.5) / (size + 1), usual)
    chance = by_group.others_share(fired, payee + 1, parent=usual, strength=2.0)
    chance = np.maximum(chance, (times - 2) / times)

    mate = np.maximum(twin, 0)
    same_core = fired & (reference >= 0) & (reference == reference[mate])
    altered = same_core & (written != written[mate])
    repeated = same_core & ~altered & (gap > 0)
    factor = np.where(altered, ALTERED_REFERENCE, np.where(repeated, SAME_REFERENCE, 1.0))
    factor *= np.where(spelling != spelling[mate], OTHER_SPELLING, 1.0)
    factor *= np.where((gap >= 28) & (gap <= 31) & ~same_core, MONTHLY, 1.0)
    return Repeats(
        fired=fired,
        probability=np.clip(chance * factor, 1e-12, 1.0),
        twin=twin,
        gap=gap,
        reference=np.where(altered, 2, np.where(repeated, 1, 0)),
    )


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Per row: fired, chance of a coincidence, the limit it stays below, and the code of its cluster."""

    fired: Bools
    probability: Floats
    limit: Floats
    cluster: Ints
    pieces: Ints


def split_payments(*, payee: Ints, amounts: Floats, days: Days) -> Splits:
    """Two or more payments to one payee within days of each other, each just below the same round limit.

    Binomial chance that so many of the payee's payments in those days fall into the last tenth below a limit,
    with the payee's own share of such sums at other times, drawn towards the ledger's. Threshold splitting:
    Nigrini, Forensic Analytics (2nd ed., 2020), ch. 5.
    """
    limit = limit_above(amounts)
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
    overall = (inside.sum() + 0.5) / (size + 1)
    total = np.bincount(payee + 1)[payee + 1]
    just_below = np.bincount(payee + 1, weights=inside)[payee + 1]
    usual = (just_below - pieces + 5 * overall) / (total - pieces + 5)
    begin, end = _extent(day, cluster)
    tried = np.maximum(_payments_between(payee, day, begin, end), pieces)
    chance = betainc(pieces, tried - pieces + 1, np.clip(usual, 1e-6, 1.0))  # P(at least so many of the tried)
    return Splits(
        fired=fired,
        probability=np.where(fired, np.clip(chance, 1e-12, 1.0), 1.0),
        limit=limit,
        cluster=cluster,
        pieces=pieces,
    )


def limit_above(amounts: Floats) -> Floats:
    """The round limit that an amount of at least 90 is just below, NaN where there is none."""
    size = np.maximum(np.abs(amounts), 1e-9)
    decade = 10.0 ** np.floor(np.log10(size))
    out = np.full(len(amounts), np.nan)
    for step in (*LIMITS[1:], 10.0):
        limit = step * decade
        out = np.where((size >= BELOW * limit) & (size < limit) & (amounts >= 90), limit, out)
    return out


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
