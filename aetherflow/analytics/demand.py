"""The demand of stocked items, learnt from their snapshots, and how well it would have foretold the past.

Where the snapshots tell demand step by step (see depletion), an item's mean is seen with a long, a middling and a
short memory, and the department's own past decides how much each view counts: weights of the linear opinion pool
by expectation maximisation of the log score on what came after earlier snapshots (Hastie, Tibshirani & Friedman,
The Elements of Statistical Learning, 2nd ed., 8.5.3). Dispersion is Pearson's chi-square per degree of freedom,
shrunk to a Taylor power law of the mean (Taylor 1961, Nature 189).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from aetherflow.analytics import depletion, inventory
from aetherflow.analytics.columns import Bools, Days, Floats, Ints
from aetherflow.analytics.depletion import Steps
from aetherflow.analytics.inventory import Demand

PRIOR_FACTOR, PRIOR_POWER = 9.0, 0.45  # Taylor's law of real retail demand, for files without a past
LEAST_DISPERSION = 1.2  # demand steadier than Poisson is not believed: single customers buy several at a time
SHRINKAGE = 8.0  # an item's own dispersion counts as much as the department's once it has this many steps
NON_OVERLAPPING_DAYS = 28
LEAST_SNAPSHOTS = 6
LAW_ITEMS = 20  # items from which the department has a power law of its own
HALF_LIVES = (np.inf, 42.0, 14.0)  # days after which a step counts half: the views of the mean
PRIOR_ROWS = 10.0  # rows that each view starts with when the pool is weighed (a Dirichlet prior)
ROUNDS = 40
FOLDS = 12
FOLD_ITEMS = 1_000


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """What earlier snapshots would have foretold, each with weights from those before it only.

    brier: of the probability that demand of `days` exceeds stock; baseline: of the days-of-cover rule (stock over
    reported average below the horizon is 99 %, else 1 %). service: share of items whose demand of `days` stayed
    within the quantile of the wanted level. folds: snapshots; items: items in the largest of them.
    """

    days: int
    brier: float
    baseline: float
    service: float
    folds: int
    items: int


@dataclass(frozen=True, kw_only=True)
class Position:
    """One entry per item, in the order of the item codes.

    row: its newest snapshot's row. demand: what is expected. known: whether its demand is expected at all, False
    where no snapshot tells. learnt: steps or falls of stock its dispersion was learnt from. idle: days to its newest
    snapshot since stock last fell or demand was reported, since its first snapshot where neither ever happened.
    backtest: None where the snapshots do not tell past demand, or too little of it. window_days: of the reported
    moving average, 0 where it is none or the stock does not tell.
    """

    row: Ints
    demand: Demand
    known: Bools
    learnt: Ints
    idle: Ints
    backtest: Backtest | None
    window_days: int


@dataclass(frozen=True, kw_only=True)
class Law:
    """Dispersion as a power of units per day: exp(intercept) * daily ** slope."""

    intercept: float
    slope: float

    def of(self, daily: Floats) -> Floats:
        expected: Floats = np.exp(self.intercept + self.slope * np.log(np.maximum(daily, 1e-9)))
        return np.maximum(expected, LEAST_DISPERSION)


PRIOR = Law(intercept=float(np.log(PRIOR_FACTOR)), slope=PRIOR_POWER)


def positions(
    *, items: Ints, days: Days, stock: Floats, reported: Floats, horizon: int = 14, level: float = 0.95
) -> Position:
    """Each item's newest snapshot with its demand learnt from all of them; `items` are codes from 0 without holes,
    `reported` the average units per day as the snapshot says. `horizon` (days) and `level` are the backtest's."""
    order = np.lexsort((np.nan_to_num(reported, nan=-1.0), stock, days, items))
    items, days, stock, reported = items[order], days[order], stock[order], reported[order]
    last = np.flatnonzero(np.append(np.diff(items), 1))
    told = depletion.steps(items=items, days=days, stock=stock, reported=reported, last=last)
    fallen = _falls(items=items, days=days, stock=stock, size=len(last))
    mean = _reported_mean(items=items, days=days, reported=reported, last=last, fallen=fallen)
    rates, own, count = np.nan_to_num(fallen.rate), fallen.dispersion, fallen.count
    daily, weights, backtest = np.nan_to_num(mean)[None, :], np.ones(1), None
    known = np.flatnonzero(told.known)
    if len(known):
        units = told.units[known]
        daily = np.repeat(daily, len(HALF_LIVES), axis=0)
        daily[:, known] = _views(units, told.step)
        rates, own, count = rates.copy(), own.copy(), np.where(told.known, told.count, count)
        rates[known], own[known] = _spread(units, told.step)
        weights, backtest = _weighed(told, horizon=horizon, level=level)
    law = _law(rates, own, count, among=told.known if len(known) >= LAW_ITEMS else np.ones(len(last), dtype=bool))
    return Position(
        row=order[last],
        demand=Demand(weights=weights, daily=daily, dispersion=_shrunk(own, rates, count, law.of(daily))),
        known=np.isfinite(mean) | told.known,
        learnt=np.where((count >= 3) & (rates > 0), count, 0),
        idle=_idle(items=items, days=days, stock=stock, reported=reported, last=last),
        backtest=backtest,
        window_days=told.window * told.step,
    )


def _views(units: Floats, step: int) -> Floats:
    """Mean units per day with each memory, (views, n); `units` per step, NaN before an item's first."""
    age = np.arange(units.shape[1])[::-1] * step
    present, filled = np.isfinite(units), np.nan_to_num(units)
    means = []
    for half_life in HALF_LIVES:
        weight = 0.5 ** (age / half_life)
        means.append(filled @ weight / np.maximum(present @ weight, 1e-9) / step)
    return np.array(means)


def _spread(units: Floats, step: int) -> tuple[Floats, Floats]:
    """Mean units per day and Pearson's chi-square per degree of freedom, (n,) each."""
    count = np.isfinite(units).sum(axis=1)
    mean = np.nan_to_num(units).sum(axis=1) / np.maximum(count, 1)
    square = np.nansum(np.square(units - mean[:, None]), axis=1)
    return mean / step, square / np.maximum(mean, 1e-9) / np.maximum(count - 1, 1)


def _law(rates: Floats, own: Floats, count: Ints, *, among: Bools) -> Law:
    """The items' own law, its level such that their variances add up (a mean of logarithms would leave out the few
    wild ones that empty the shelves); the prior with fewer than 20 items to fit it."""
    sample = among & (count >= LEAST_SNAPSHOTS) & (rates > 0)
    level, seen = np.log(rates[sample]), np.maximum(own[sample], LEAST_DISPERSION)
    if len(level) < LAW_ITEMS or np.ptp(level) <= 0:
        return PRIOR
    slope = float(np.clip(np.polyfit(level, np.log(seen), 1)[0], 0.0, 1.0))
    return Law(intercept=float(np.log(seen.sum() / np.exp(slope * level).sum())), slope=slope)


def _shrunk(own: Floats, rates: Floats, count: Ints, expected: Floats) -> Floats:
    weight = np.where((count >= 3) & (rates > 0), count / (count + SHRINKAGE), 0.0)
    return np.maximum(weight * own + (1 - weight) * expected, LEAST_DISPERSION)


def _weighed(told: Steps, *, horizon: int, level: float) -> tuple[Floats, Backtest | None]:
    """How much each view counts, and the backtest: demand after earlier snapshots, those a horizon apart."""
    ahead = -(-horizon // told.step)
    longest = np.argsort(-np.where(told.known, told.count, 0), kind="stable")[: np.count_nonzero(told.known)]
    sample = np.sort(longest[: FOLD_ITEMS * max(1, len(longest) // FOLD_ITEMS) : max(1, len(longest) // FOLD_ITEMS)])
    units, width = told.units[sample], told.units.shape[1]
    cuts = [width - ahead * back for back in range(FOLDS, 0, -1)]
    least = told.window + LEAST_SNAPSHOTS
    scores: list[Floats] = []
    briers, rules, kept = [], [], []
    weights = _pooled(scores)
    for cut in cuts:
        usable = np.flatnonzero(told.count[sample] - (width - cut) >= least)
        if cut < least or not len(usable):
            continue
        demand = _as_of(units[usable, :cut], told.step, weights)
        came, days = units[usable, cut : cut + ahead].sum(axis=1), float(ahead * told.step)
        stock, reported = told.stock[sample[usable], cut - 1], told.reported[sample[usable], cut - 1]
        chance = inventory.stockout_probability(demand, stock=stock, days=days)
        rule = np.where(stock < reported * days, 0.99, 0.01)
        enough = inventory.demand_quantile(demand, level=level, days=np.full(len(usable), days))
        briers.append(np.square(chance - (came > stock)))
        rules.append(np.square(rule - (came > stock)))
        kept.append(came <= enough)
        scores.append(_log_score(came, demand, days))
        weights = _pooled(scores)
    if not scores:
        return weights, None
    return weights, Backtest(
        days=ahead * told.step,
        brier=float(np.concatenate(briers).mean()),
        baseline=float(np.concatenate(rules).mean()),
        service=float(np.concatenate(kept).mean()),
        folds=len(scores),
        items=max(len(each) for each in scores),
    )


def _as_of(units: Floats, step: int, weights: Floats) -> Demand:
    rates, own = _spread(units, step)
    count = np.isfinite(units).sum(axis=1)
    daily = _views(units, step)
    law = _law(rates, own, count, among=np.ones(len(rates), dtype=bool))
    return Demand(weights=weights, daily=daily, dispersion=_shrunk(own, rates, count, law.of(daily)))


def _log_score(came: Floats, demand: Demand, days: float) -> Floats:
    """Logarithm of the probability of what came in each view, (n, views)."""
    phi = demand.aged(np.full(len(came), days))
    size = np.maximum(demand.daily * days, 1e-6) / (phi - 1)
    score: Floats = (
        gammaln(came + size) - gammaln(size) - gammaln(came + 1) - size * np.log(phi) + came * np.log1p(-1 / phi)
    )
    return score.T


def _pooled(scores: list[Floats]) -> Floats:
    """Weights of the views, equal before anything came."""
    weights = np.full(len(HALF_LIVES), 1 / len(HALF_LIVES))
    if not scores:
        return weights
    rows = np.concatenate(scores)
    likelihood = np.exp(rows - rows.max(axis=1, keepdims=True))
    for _ in range(ROUNDS):
        share = likelihood * weights
        share /= share.sum(axis=1, keepdims=True)
        weights = share.sum(axis=0) + PRIOR_ROWS
        weights /= weights.sum()
    return weights


@dataclass(frozen=True, kw_only=True)
class _Falls:
    """What stock alone tells of each item, intervals with a receipt left out: units per day (NaN without a usable
    interval), Pearson's chi-square per degree of freedom, usable intervals."""

    rate: Floats
    dispersion: Floats
    count: Ints


def _falls(*, items: Ints, days: Days, stock: Floats, size: int) -> _Falls:
    """A rise of stock hides what was sold in that interval; an empty shelf at its end hides what could have been."""
    apart = np.diff(days.astype(np.int64)).astype(float)
    sold = stock[:-1] - stock[1:]
    usable = (items[1:] == items[:-1]) & (apart > 0) & (apart <= 31) & (sold >= 0) & (stock[1:] > 0)
    item, units, time = items[1:][usable], sold[usable], apart[usable]
    count = np.bincount(item, minlength=size)
    watched = np.bincount(item, weights=time, minlength=size)
    rate = np.bincount(item, weights=units, minlength=size) / np.maximum(watched, 1)
    expected = np.maximum(rate[item] * time, 1e-9)
    chi = np.bincount(item, weights=np.square(units - expected) / expected, minlength=size)
    return _Falls(
        rate=np.where(watched > 0, rate, np.nan),
        dispersion=chi / np.maximum(count - 1, 1),
        count=count.astype(np.int64),
    )


def _reported_mean(*, items: Ints, days: Days, reported: Floats, last: Ints, fallen: _Falls) -> Floats:
    """Newest reported average; with six snapshots or more, half of it and half the mean of earlier averages
    that do not overlap (28 days apart). Without any report, what the depletion of stock says."""
    size = len(last)
    usable = np.isfinite(reported) & (reported >= 0)
    place = np.where(usable, np.arange(len(items)), -1)
    newest = np.maximum.accumulate(np.where(usable, place, -1))[last]
    first = np.append(0, last[:-1] + 1)
    known = newest >= first
    latest = np.where(known, reported[np.maximum(newest, 0)], np.nan)

    age = (days[last][items] - days).astype(np.int64)
    slot = age // NON_OVERLAPPING_DAYS
    earlier = usable & (slot >= 1)
    # one report per 28-day slot: the newest in it, so that two overlapping averages are not counted twice
    in_slot = np.flatnonzero(earlier)
    follows = np.zeros(len(in_slot), dtype=bool)
    follows[:-1] = (items[in_slot[1:]] == items[in_slot[:-1]]) & (slot[in_slot[1:]] == slot[in_slot[:-1]])
    chosen = in_slot[~follows]
    count = np.bincount(items[chosen], minlength=size)
    past = np.bincount(items[chosen], weights=reported[chosen], minlength=size) / np.maximum(count, 1)
    snapshots = np.bincount(items, minlength=size)
    blended = (snapshots >= LEAST_SNAPSHOTS) & (count > 0)
    mean = np.where(blended, 0.5 * latest + 0.5 * past, latest)
    return np.where(np.isfinite(mean), mean, fallen.rate)


def _idle(*, items: Ints, days: Days, stock: Floats, reported: Floats, last: Ints) -> Ints:
    first = np.append(0, last[:-1] + 1)
    moved = np.nan_to_num(reported) > 0
    moved[1:] |= (items[1:] == items[:-1]) & (stock[1:] < stock[:-1])
    newest = np.maximum.accumulate(np.where(moved, np.arange(len(items)), -1))[last]
    since = np.where(newest >= first, newest, first)
    return (days[last] - days[since]).astype(np.int64)
