"""Stock-out probabilities, safety stock and order quantities under negative binomial demand.

Demand of retail items is over-dispersed: over two weeks its variance is often ten times its mean and more, so
a Poisson model sees no danger where there is much. Demand over t days has mean m = t * mu and variance phi *
m. Sources: Silver, Pyke & Thomas, Inventory and Production Management in Supply Chains (2017), ch. 6-7;
Syntetos & Boylan (2006), Int. J. Production Economics 103; the negative binomial as a compound Poisson
process: Axsaeter, Inventory Control, ch. 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincc, gammaincinv

from aetherflow.analytics.columns import Bools, Days, Floats, Ints

PRIOR_FACTOR, PRIOR_POWER = 9.0, 0.45  # Taylor's law of real retail demand, for files without a past
LEAST_DISPERSION = 1.2  # demand steadier than Poisson is not believed: single customers buy several at a time
MEAN_UNCERTAINTY_DAYS = 60.0  # the mean itself is a guess that ages: variance grows by the horizon / 60 days
SHRINKAGE = 8.0  # an item's own dispersion counts as much as the file's once it has this many intervals
NON_OVERLAPPING_DAYS = 28
LEAST_SNAPSHOTS = 6
LARGE = 1e6  # units; from here on the nearest whole unit is no longer searched for


@dataclass(frozen=True, kw_only=True)
class Position:
    """One entry per item, in the order of the item codes.

    row: its newest snapshot's row. daily: expected units per day, NaN where no snapshot tells. dispersion:
    variance to mean ratio of demand. intervals: how many depletion intervals the dispersion was learnt from.
    """

    row: Ints
    daily: Floats
    dispersion: Floats
    intervals: Ints


def positions(*, items: Ints, days: Days, stock: Floats, daily: Floats) -> Position:
    """Each item's newest snapshot with its demand learnt from all of them; `items` are codes from 0 without holes."""
    order = np.lexsort((stock, days, items))
    items, days, stock, reported = items[order], days[order], stock[order], daily[order]
    last = np.flatnonzero(np.append(np.diff(items), 1))
    depletion = _depletion(items=items, days=days, stock=stock)
    mean = _daily_demand(items=items, days=days, reported=reported, last=last, depletion=depletion)
    phi, intervals = _dispersion(mean, items=items, depletion=depletion)
    return Position(row=order[last], daily=mean, dispersion=phi, intervals=intervals)


def stockout_probability(*, stock: Floats, daily: Floats, dispersion: Floats, days: float) -> Floats:
    """P(demand over `days` > stock); nothing that may arrive meanwhile is counted."""
    return _exceeded(np.floor(stock), mean=daily * days, dispersion=_aged(dispersion, np.float64(days)))


def demand_quantile(*, level: float, daily: Floats, dispersion: Floats, days: Floats) -> Floats:
    """The least number of units that covers demand over `days` with probability `level`."""
    mean, phi = daily * days, _aged(dispersion, days)
    # The gamma distribution with the same mean and variance is the limit for large means, and shows where to search.
    limit = np.nan_to_num(gammaincinv(np.maximum(mean, 1e-9) / phi, level) * phi, nan=0.0)
    low, high = np.maximum(np.floor(limit - phi - 1), -1.0), np.ceil(limit + phi + 1)
    searched = np.flatnonzero((mean > 0) & (limit < LARGE))
    beyond = _exceeded(low, mean=mean, dispersion=phi) <= 1 - level
    low = np.where(beyond, -1.0, low)
    rising = searched
    while len(rising):
        rising = rising[_exceeded(high[rising], mean=mean[rising], dispersion=phi[rising]) > 1 - level]
        low[rising], high[rising] = high[rising], 2 * high[rising] + 1
    while len(searched):
        middle = np.floor((low[searched] + high[searched]) / 2)
        short = _exceeded(middle, mean=mean[searched], dispersion=phi[searched]) > 1 - level
        low[searched] = np.where(short, middle, low[searched])
        high[searched] = np.where(short, high[searched], middle)
        searched = searched[high[searched] - low[searched] > 1]
    return np.where(mean > 0, np.where(limit < LARGE, high, np.ceil(limit)), 0.0)


def safety_stock(*, level: float, daily: Floats, dispersion: Floats, lead: Floats) -> Floats:
    """Units above the expected demand of the lead time that reach the service `level` (probability of no
    stock-out per replenishment cycle), at least 0. Its normal limit is the text-book z * sqrt(L s_d^2)."""
    quantile = demand_quantile(level=level, daily=daily, dispersion=dispersion, days=lead)
    return np.maximum(quantile - daily * lead, 0.0)


def order_quantity(*, needed: Bools, target: Floats, stock: Floats, minimum: Floats) -> Floats:
    """Whole units that lift `stock` to `target` where `needed`, at least `minimum` and at least 1, else 0."""
    units = np.maximum(np.ceil(target - stock), np.maximum(np.ceil(minimum), 1.0))
    return np.where(needed, units, 0.0)


def prior_dispersion(daily: Floats) -> Floats:
    """phi = max(1.2, 9 mu^0.45): a Taylor power law (Taylor 1961, Nature 189) as fitted to real retail demand."""
    return np.maximum(LEAST_DISPERSION, PRIOR_FACTOR * np.maximum(daily, 1e-9) ** PRIOR_POWER)


def _aged(dispersion: Floats, days: Floats | np.float64) -> Floats:
    return dispersion * (1 + days / MEAN_UNCERTAINTY_DAYS)


def _exceeded(units: Floats, *, mean: Floats, dispersion: Floats) -> Floats:
    """P(demand > units) for whole `units`, by the incomplete beta function (Johnson, Kemp & Kotz, Univariate
    Discrete Distributions, 3rd ed., ch. 5). scipy.stats.nbinom ends the whole process on some enormous
    parameters."""
    size = np.maximum(mean, 1e-9) / (dispersion - 1)
    tail = np.nan_to_num(betaincc(size, np.maximum(units, 0.0) + 1, 1 / dispersion), nan=0.0)
    return np.where(mean > 0, np.where(units < 0, 1.0, np.clip(tail, 0.0, 1.0)), 0.0)


@dataclass(frozen=True, kw_only=True)
class _Depletion:
    """Units sold between two snapshots of an item, as far as stock tells: intervals with a receipt are left out."""

    item: Ints
    units: Floats
    days: Floats


def _depletion(*, items: Ints, days: Days, stock: Floats) -> _Depletion:
    """A rise of stock hides what was sold in that interval; an empty shelf at its end hides what could have been."""
    apart = np.diff(days.astype(np.int64)).astype(float)
    units = stock[:-1] - stock[1:]
    usable = (items[1:] == items[:-1]) & (apart > 0) & (apart <= 31) & (units >= 0) & (stock[1:] > 0)
    return _Depletion(item=items[1:][usable], units=units[usable], days=apart[usable])


def _daily_demand(*, items: Ints, days: Days, reported: Floats, last: Ints, depletion: _Depletion) -> Floats:
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

    sold = np.bincount(depletion.item, weights=depletion.units, minlength=size)
    watched = np.bincount(depletion.item, weights=depletion.days, minlength=size)
    rate = np.where(watched > 0, sold / np.maximum(watched, 1), np.nan)
    return np.where(np.isfinite(mean), mean, rate)


def _dispersion(daily: Floats, *, items: Ints, depletion: _Depletion) -> tuple[Floats, Ints]:
    """Pearson's chi-square per degree of freedom of each item's depletion, shrunk on the log scale towards
    the file's own power law of the mean (or the prior, with fewer than 20 items to fit it) with weight n / (n
    + 8)."""
    size = int(items[-1]) + 1 if len(items) else 0
    count = np.bincount(depletion.item, minlength=size)
    sold = np.bincount(depletion.item, weights=depletion.units, minlength=size)
    watched = np.bincount(depletion.item, weights=depletion.days, minlength=size)
    rate = sold / np.maximum(watched, 1)
    expected = np.maximum(rate[depletion.item] * depletion.days, 1e-9)
    chi = np.bincount(depletion.item, weights=(depletion.units - expected) ** 2 / expected, minlength=size)
    own = np.maximum(chi / np.maximum(count - 1, 1), LEAST_DISPERSION)
    learnt = (count >= 3) & (rate > 0)
    fitted = prior_dispersion(np.nan_to_num(daily))
    sample = (count >= LEAST_SNAPSHOTS) & (rate > 0)
    if sample.sum() >= 20 and np.ptp(np.log(rate[sample])) > 0:
        slope, intercept = np.polyfit(np.log(rate[sample]), np.log(own[sample]), 1)
        slope = float(np.clip(slope, 0.0, 1.0))
        intercept = float(np.mean(np.log(own[sample]) - slope * np.log(rate[sample])))
        level = np.maximum(np.nan_to_num(daily), 1e-9)
        fitted = np.maximum(LEAST_DISPERSION, np.exp(intercept + slope * np.log(level)))
    weight = np.where(learnt, count / (count + SHRINKAGE), 0.0)
    blend: Floats = np.exp(weight * np.log(own) + (1 - weight) * np.log(fitted))
    return np.maximum(blend, LEAST_DISPERSION), np.where(learnt, count, 0).astype(np.int64)
