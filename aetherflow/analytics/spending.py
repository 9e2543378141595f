"""Single marks on payments, each answering with the probability that an honest row carries it by chance: a round
sum, a weekend, the end of a period.

All take arrays of one length; groups are codes from 0, -1 where the text is missing. Every usual figure is taken from
the other rows of the group (`aetherflow.analytics.groups`).
"""

from __future__ import annotations

import numpy as np

from aetherflow.analytics import groups as by_group
from aetherflow.analytics.columns import Bools, Days, Floats, Ints
from aetherflow.analytics.evidence import Test
from aetherflow.analytics.habits import LARGER_HALF, RARE, rare_among

LAST_DAYS = 3


def round_sum(*, cents: Floats, kind: Ints, payee: Ints) -> Test:
    """One or two leading digits and then zeros (at least hundreds), where hardly any other payment of this kind and
    payee is so round. Counting digits, not zeros, keeps large payments from being rounder than small ones."""
    probability = np.ones(len(cents))
    fired = np.zeros(len(cents), dtype=bool)
    decade = 10.0 ** np.floor(np.log10(np.maximum(cents, 1.0)))
    for unit in (decade, decade / 10):
        is_round = (np.mod(cents, unit) == 0) & (np.mod(cents, 10_000) == 0) & (cents > 0)
        share = rare_among(is_round, kind, payee)
        rare = is_round & (share <= RARE)
        probability = np.where(rare, np.minimum(probability, share), probability)
        fired |= rare
    return Test(fired=fired, probability=probability)


def at_weekend(*, days: Days, kind: Ints, payee: Ints, place: Ints) -> Test:
    """On a Saturday or Sunday, where the ledger, the kind, the cost centre and the payee hardly ever have one.

    A weekend on which the whole office booked (a period end) is a working day: the chance is multiplied by how full
    the day is compared with the median day from Monday to Friday.
    """
    day = days.astype(np.int64)
    weekend = on_weekend(days)
    _, code, rows = np.unique(day, return_inverse=True, return_counts=True)
    working = np.unique(code[~weekend])
    usual = float(np.median(rows[working])) if len(working) else 1.0
    fullness = np.minimum(rows[code] / max(usual, 1.0), 1.0)
    return Test(fired=weekend, probability=rare_among(weekend, kind, place, payee) * fullness)


def at_period_end(*, days: Days, kind: Ints, payee: Ints, sizes: Floats) -> Test:
    """In the last three days of a month, where this kind and payee are hardly ever paid then, and large for its kind
    (cut-off tests: Nigrini 2020, Forensic Analytics, 2nd ed.)."""
    late = in_last_days(days)
    share, tail = rare_among(late, kind, payee), by_group.upper_tail(sizes, kind)
    told = (share < late.mean() / 2) | (tail <= LARGER_HALF)
    return Test(fired=late & told, probability=share * tail)


def on_weekend(days: Days) -> Bools:
    return np.asarray((days.astype(np.int64) + 3) % 7 >= 5)


def in_last_days(days: Days) -> Bools:
    months = days.astype("datetime64[M]")
    return ((months + 1).astype("datetime64[D]") - days).astype(np.int64) <= LAST_DAYS


def third_of_month(days: Days) -> Ints:
    """0 up to the 10th, 1 up to the 20th, 2 after it."""
    first = days.astype("datetime64[M]").astype("datetime64[D]")
    return np.minimum((days - first).astype(np.int64) // 10, 2)
