"""Amounts against what is usual for them, on the log scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from aetherflow.analytics import groups as by_group
from aetherflow.analytics.columns import Floats, Ints
from aetherflow.analytics.evidence import Test

TAIL_FREEDOM = 3  # log amounts of real ledgers have far heavier tails than a normal distribution
LEAST_ROWS = 8  # fewer payments of a currency have no "normal" to be far from
FLOOR = 0.1  # log scale: amounts within 10 % of each other are the same
FIRM = 3.0  # rows' worth of the wider group in a payee's or a category's usual amount
SPREAD_FIRM = 10.0  # the same for the spread, which takes more rows to know
SLIPPED = 0.25  # a chance of zeros and place above which a large amount is only that


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """Size of each payment against the usual one: log distance, its standard score, and the usual size itself.

    company: share of the payee's payments of the kind, the row left out, that are at least two thirds as large: what
    a payee gets every month is its normal spending too, however far from the middle.
    """

    distance: Floats
    score: Floats
    usual: Floats
    company: Floats


def against_usual(*, sizes: Floats, currency: Ints, kind: Ints, payee: Ints, place: Ints) -> Amounts:
    """How far each size lies from the usual one of its kind, payee and place, on the log scale.

    kind: category, currency and sign; currency: with the sign; payee and place (cost centre) may be -1. The usual log
    size is built up from effects, each the median of what the wider groups leave unexplained in the *other* rows of
    the group, times n / (n + 3): kind within currency, then payee in all its categories, then payee within the kind,
    then cost centre within the kind (a median polish with shrinkage: Tukey 1977, Exploratory Data Analysis, ch. 11;
    Efron & Morris 1977). The spread is robust and shrunk likewise; the score is a robust z-score (Iglewicz & Hoaglin
    1993; Rousseeuw & Croux 1993).
    """
    logs = np.log(np.maximum(sizes, 0.01))
    pair = by_group.codes(kind, payee)
    usual = np.nan_to_num(by_group.others_median(logs, currency), nan=0.0)
    for group, known in (
        (kind, np.ones(len(logs), dtype=bool)),
        (by_group.codes(currency, payee), payee >= 0),
        (pair, payee >= 0),
        (by_group.codes(kind, place), place >= 0),
    ):
        usual = usual + _effect(logs - usual, group) * known
    distance = logs - usual
    spread = by_group.robust_spread(distance, currency, strength=0.0, floor=FLOOR)
    spread = by_group.robust_spread(distance, kind, strength=SPREAD_FIRM, floor=FLOOR, parent=spread)
    with_payee = np.where(payee >= 0, by_group.sizes(pair) - 1, 0)
    narrow = by_group.robust_spread(distance, pair, strength=SPREAD_FIRM, floor=FLOOR, parent=spread)
    spread = np.where(with_payee > 0, narrow, spread)
    spoken = by_group.sizes(currency) >= LEAST_ROWS
    alike = by_group.others_at_least(logs, pair, less=float(np.log(1.5)))
    return Amounts(
        distance=np.where(spoken, distance, 0.0),
        score=np.where(spoken, distance / spread, 0.0),
        usual=np.exp(usual),
        company=np.where(with_payee > 0, alike / np.maximum(with_payee, 1), 0.0),
    )


def _effect(left: Floats, group: Ints) -> Floats:
    others = by_group.sizes(group) - 1
    return np.nan_to_num(by_group.others_median(left, group), nan=0.0) * others / (others + FIRM)


def far_from_usual(amounts: Amounts) -> Test:
    """Student tail of the score. Unusually small payments count with the square root: they rarely cost anything."""
    tail = stdtr(TAIL_FREEDOM, -np.abs(amounts.score))
    probability = np.where(amounts.score < 0, np.sqrt(tail), np.maximum(tail, amounts.company))
    return Test(fired=np.abs(amounts.score) > 1.5, probability=probability)


def shifted_decimal(amounts: Amounts, *, cents: Floats, kind: Ints) -> Test:
    """A usual amount times 10, 100 or 1000: far above the usual one, ending in the zeros that the shift leaves, and
    the usual one again when it is shifted back.

    The three are independent for honest rows, so their chances multiply. An honest large amount lies anywhere between
    two powers of ten, so the chance of being so near to one is twice its distance over log 10, and no less than twice
    the spread over it: where amounts scatter widely everything is near.
    """
    score = amounts.score
    best = np.ones(len(score))
    spread = np.divide(amounts.distance, score, out=np.ones_like(score), where=np.abs(score) > 1e-9)
    tail = np.maximum(stdtr(TAIL_FREEDOM, -score), amounts.company)
    for zeros in (1, 2, 3):
        ends = np.mod(cents, 10.0**zeros) == 0
        back = np.abs(amounts.distance - zeros * np.log(10))
        share = by_group.others_share(ends, kind, parent=(ends.sum() + 0.5) / (len(ends) + 1), strength=FIRM)
        near = np.minimum(2 * np.maximum(back, spread) / np.log(10), 1.0)
        hit = ends & (back < 2 * spread) & (score > 1.5) & (share * near < SLIPPED)
        best = np.where(hit, np.minimum(best, tail * share * near), best)
    return Test(fired=best < 1.0, probability=best)
