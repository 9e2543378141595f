"""Single tests on payments, each answering with the probability that an honest row looks so strange by
chance.

All take arrays of one length; groups are codes from 0, -1 where the text is missing. Every usual figure is
taken from the other rows of the group (`aetherflow.analytics.groups`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from aetherflow.analytics import groups as by_group
from aetherflow.analytics.columns import Bools, Days, Floats, Ints

TAIL_FREEDOM = 4  # log amounts of real ledgers have far heavier tails than a normal distribution
LEAST_ROWS = 8  # fewer payments of a currency have no "normal" to be far from
FLOOR = 0.1  # log scale: amounts within 10 % of each other are the same
FIRM = 3.0  # rows' worth of the wider group in a payee's or a category's usual amount


@dataclass(frozen=True, kw_only=True)
class Test:
    """fired: where the test has something to say; probability: of it by chance, in (0, 1]."""

    fired: Bools
    probability: Floats


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """Size of each payment against the usual one: log distance, its standard score, and the usual size
    itself.

    company: share of the payee's payments of the kind, the row left out, that are at least two thirds as
    large: what a payee gets every month is its normal spending too, however far from the middle.
    """

    distance: Floats
    score: Floats
    usual: Floats
    company: Floats


def against_usual(*, sizes: Floats, currency: Ints, kind: Ints, payee: Ints) -> Amounts:
    """How far each size lies from the usual one of its kind (category, currency and sign) and payee, on the
    log scale.

    The usual log size is the median of the others of the kind, drawn towards the currency's, then mixed with
    the median of the payee's others within the kind by how many there are. The spread is robust and shrunk
    likewise. A robust z-score (Iglewicz & Hoaglin 1993; Rousseeuw & Croux 1993) with hierarchical shrinkage.
    """
    logs = np.log(np.maximum(sizes, 0.01))
    wide = np.nan_to_num(by_group.others_median(logs, currency), nan=0.0)
    own_kind = by_group.others_median(logs, kind)
    others = by_group.sizes(kind) - 1
    middle = _mix(own_kind, others, wide)
    pair = pairs(kind, payee)
    with_payee = np.where(payee >= 0, by_group.sizes(pair) - 1, 0)
    usual = _mix(by_group.others_median(logs, pair), with_payee, middle)
    distance = logs - usual
    spread = by_group.robust_spread(distance, currency, strength=0.0, floor=FLOOR)
    spread = by_group.robust_spread(distance, kind, strength=10.0, floor=FLOOR, parent=spread)
    narrow = by_group.robust_spread(distance, pair, strength=10.0, floor=FLOOR, parent=spread)
    spread = np.where(with_payee > 0, narrow, spread)
    spoken = by_group.sizes(currency) >= LEAST_ROWS
    return Amounts(
        distance=np.where(spoken, distance, 0.0),
        score=np.where(spoken, distance / spread, 0.0),
        usual=np.exp(usual),
        company=np.where(
            with_payee > 0,
            by_group.others_at_least(logs, pair, less=float(np.log(1.5))) / np.maximum(with_payee, 1),
            0.0,
        ),
    )


def far_from_usual(amounts: Amounts) -> Test:
    """Student tail of the score. Unusually small payments count with the square root: they rarely cost anything."""
    tail = stdtr(TAIL_FREEDOM, -np.abs(amounts.score))
    probability = np.where(amounts.score < 0, np.sqrt(tail), np.maximum(tail, amounts.company))
    return Test(fired=np.abs(amounts.score) > 1.5, probability=probability)


def shifted_decimal(amounts: Amounts, *, cents: Floats, kind: Ints) -> Test:
    """A usual amount times 10, 100 or 1000: far above the usual one, and ending in the zeros that the shift
    leaves.

    The two are independent for honest rows, so their chances multiply.
    """
    score = amounts.score
    best = np.ones(len(score))
    fired = np.zeros(len(score), dtype=bool)
    spread = np.divide(amounts.distance, score, out=np.ones_like(score), where=np.abs(score) > 1e-9)
    tail = np.maximum(stdtr(TAIL_FREEDOM, -score), amounts.company)
    for zeros in (1, 2, 3):
        ends = np.mod(cents, 10.0**zeros) == 0
        back = np.abs(amounts.distance - zeros * np.log(10)) < spread
        hit = ends & back & (score > 1.5)
        share = by_group.others_share(ends, kind, parent=(ends.sum() + 0.5) / (len(ends) + 1), strength=FIRM)
        best = np.where(hit, np.minimum(best, tail * share), best)
        fired |= hit
    return Test(fired=fired, probability=best)


def round_sum(*, cents: Floats, kind: Ints, payee: Ints) -> Test:
    """One or two leading digits and then zeros (at least hundreds), where hardly any other payment of this
    kind and payee is so round. Counting digits, not zeros, keeps large payments from being rounder than small
    ones."""
    probability = np.ones(len(cents))
    fired = np.zeros(len(cents), dtype=bool)
    decade = 10.0 ** np.floor(np.log10(np.maximum(cents, 1.0)))
    for unit in (decade, decade / 10):
        is_round = (np.mod(cents, unit) == 0) & (np.mod(cents, 10_000) == 0) & (cents > 0)
        share = rare_among(is_round, kind=kind, payee=payee)
        probability = np.where(is_round, np.minimum(probability, share), probability)
        fired |= is_round
    return Test(fired=fired, probability=probability)


def at_weekend(*, days: Days, kind: Ints, payee: Ints) -> Test:
    """On a Saturday or Sunday, where the ledger, the kind and the payee hardly ever have one.

    A weekend on which the whole office booked (a period end) is a working day: the chance is multiplied by
    how full the day is compared with the median day from Monday to Friday.
    """
    day = days.astype(np.int64)
    weekend = (day + 3) % 7 >= 5
    _, code, rows = np.unique(day, return_inverse=True, return_counts=True)
    working = np.unique(code[~weekend])
    usual = float(np.median(rows[working])) if len(working) else 1.0
    fullness = np.minimum(rows[code] / max(usual, 1.0), 1.0)
    return Test(fired=weekend, probability=rare_among(weekend, kind=kind, payee=payee) * fullness)


def single_payee(*, payee: Ints, kind: Ints, sizes: Floats) -> Test:
    """The only payment to its payee, and among the largest quarter of its kind."""
    single = (payee >= 0) & (by_group.sizes(payee + 1) == 1)
    tail = by_group.upper_tail(sizes, kind)
    return Test(fired=single & (tail <= 0.25), probability=rare_among(single, kind=kind, payee=None) * tail)


def odd_category(*, payee: Ints, category: Ints) -> Test:
    """The payee's only payment in this category, when its others hardly ever stray (at least four of them).

    The chance that a payee's next payment is of a new category is the share of categories it was seen in once
    (Good 1953, Biometrika 40).
    """
    pair = pairs(category + 1, payee)
    alone = (by_group.sizes(pair) == 1) & (category >= 0) & (payee >= 0)
    others = by_group.sizes(payee + 1) - 1
    strays = np.bincount(payee + 1, weights=alone)[payee + 1] - alone
    overall = (alone.sum() + 0.5) / (len(payee) + 1)
    return Test(fired=alone & (others >= 4), probability=(strays + 2 * overall) / (others + 2))


def flagged_and_high(flagged: Bools, *, kind: Ints, sizes: Floats) -> Test:
    """A rare mark (not approved, no payee) on a payment that is large for its kind."""
    share = rare_among(flagged, kind=kind, payee=None)
    return Test(fired=flagged, probability=share * by_group.upper_tail(sizes, kind))


def rare_among(flagged: Bools, *, kind: Ints, payee: Ints | None) -> Floats:
    """Share of flagged rows among the others of the payee, drawn towards the kind's, and that towards the ledger's."""
    overall = (flagged.sum() - flagged + 0.5) / max(len(flagged), 1)
    share = by_group.others_share(flagged, kind, parent=overall, strength=20.0)
    if payee is not None:
        narrow = by_group.others_share(flagged, payee + 1, parent=share, strength=5.0)
        share = np.where(payee >= 0, narrow, share)
    return np.clip(share, 1e-12, 1.0)


def pairs(first: Ints, second: Ints) -> Ints:
    """One code from 0 for every pair of codes that occurs; the second may be -1."""
    width = int(second.max()) + 2 if len(second) else 1
    _, codes = np.unique(first * width + second + 1, return_inverse=True)
    return np.asarray(codes, dtype=np.int64)


def _mix(own: Floats, others: Ints | Floats, parent: Floats) -> Floats:
    weight = others / (others + FIRM)
    return np.where(others > 0, weight * np.nan_to_num(own, nan=0.0) + (1 - weight) * parent, parent)
