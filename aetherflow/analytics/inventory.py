"""Stock-out probabilities, safety stock and order quantities under a pool of negative binomial demands.

Demand of retail items is over-dispersed: over two weeks its variance is often ten times its mean and more, so
a Poisson model sees no danger where there is much. Demand over t days has mean m = t * mu and variance phi *
m. Sources: Silver, Pyke & Thomas, Inventory and Production Management in Supply Chains (2017), ch. 6-7;
Syntetos & Boylan (2006), Int. J. Production Economics 103; the negative binomial as a compound Poisson
process: Axsaeter, Inventory Control, ch. 5. Several such views of one item, weighed, are a linear opinion pool
(Stone 1961, Annals of Mathematical Statistics 32): P(X > x) is the weighed mean of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import betainc, gammaincinv

from aetherflow.analytics.columns import Bools, Floats, Ints

MEAN_UNCERTAINTY_DAYS = 60.0  # the mean itself is a guess that ages: variance grows by the horizon / 60 days
LARGE = 1e6  # units; from here on the nearest whole unit is no longer searched for


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What is expected of n items in c views that are pooled.

    weights: (c,), sum 1. daily: (c, n) expected units per day, at least 0. dispersion: (c, n) variance to mean
    ratio of demand, above 1.
    """

    weights: Floats
    daily: Floats
    dispersion: Floats

    @cached_property
    def mean(self) -> Floats:
        """Expected units per day of each item, (n,)."""
        expected: Floats = self.weights @ self.daily
        return expected

    def of(self, items: Ints) -> Demand:
        return Demand(weights=self.weights, daily=self.daily[:, items], dispersion=self.dispersion[:, items])

    def aged(self, days: Floats, lead_spread: Floats | float = 0.0) -> Floats:
        """Variance to mean ratio of the demand of `days`, (c, n), when the number of days itself has a standard
        deviation of `lead_spread`: variance phi * mu * L + (mu * sigma_L)^2 (Silver, Pyke & Thomas, ch. 7)."""
        uncertain = self.daily * np.square(lead_spread) / np.maximum(days, 1.0)
        return self.dispersion * (1 + days / MEAN_UNCERTAINTY_DAYS) + uncertain


def stockout_probability(demand: Demand, *, stock: Floats, days: float) -> Floats:
    """P(demand over `days` > stock); nothing that may arrive meanwhile is counted."""
    phi = demand.aged(np.full(len(stock), float(days)))
    return _exceeded(np.floor(stock), mean=demand.daily * days, dispersion=phi, weights=demand.weights)


def demand_quantile(demand: Demand, *, level: float, days: Floats, lead_spread: Floats | float = 0.0) -> Floats:
    """The least number of units that covers demand over `days` with probability `level`; see Demand.aged."""
    mean, phi, weights = demand.daily * days, demand.aged(days, lead_spread), demand.weights

    def short(units: Floats, at: Ints) -> Bools:
        return _exceeded(units, mean=mean[:, at], dispersion=phi[:, at], weights=weights) > 1 - level

    # The gamma distribution with the same mean and variance is the limit for large means, and shows where to search:
    # the pool's quantile lies between those of its views. Bounds that prove wrong are moved by ever longer strides.
    limit = np.nan_to_num(gammaincinv(np.maximum(mean, 1e-9) / phi, level) * phi, nan=0.0)
    low, high = np.maximum(np.floor(limit.min(axis=0)) - 2, -1.0), np.ceil(limit.max(axis=0)) + 1
    largest, stride = limit.max(axis=0), phi.max(axis=0) + 1
    searched = np.flatnonzero((mean.max(axis=0) > 0) & (largest < LARGE))
    falling = searched[low[searched] >= 0]
    while len(falling):
        falling = falling[~short(low[falling], falling)]
        high[falling] = low[falling]
        low[falling] = np.maximum(np.floor(low[falling] - stride[falling]), -1.0)
        stride[falling] *= 2
        falling = falling[low[falling] >= 0]
    rising = searched
    while len(rising):
        rising = rising[short(high[rising], rising)]
        low[rising], high[rising] = high[rising], np.ceil(high[rising] + stride[rising])
        stride[rising] *= 2
    while len(searched):
        middle = np.floor((low[searched] + high[searched]) / 2)
        over = short(middle, searched)
        low[searched] = np.where(over, middle, low[searched])
        high[searched] = np.where(over, high[searched], middle)
        searched = searched[high[searched] - low[searched] > 1]
    beyond = np.ceil(weights @ limit)
    return np.where(mean.max(axis=0) > 0, np.where(largest < LARGE, high, beyond), 0.0)


def safety_stock(demand: Demand, *, level: float, lead: Floats, lead_spread: Floats | float = 0.0) -> Floats:
    """Units above the expected demand of the lead time (days) that reach the service `level` (probability of no
    stock-out per replenishment cycle), at least 0. Its normal limit is the text-book
    z * sqrt(L s_d^2 + mu^2 s_L^2), s_L being `lead_spread`."""
    quantile = demand_quantile(demand, level=level, days=lead, lead_spread=lead_spread)
    return np.maximum(quantile - demand.mean * lead, 0.0)


def order_quantity(*, needed: Bools, target: Floats, stock: Floats, minimum: Floats) -> Floats:
    """Whole units that lift `stock` to `target` where `needed`, at least `minimum` and at least 1, else 0."""
    units = np.maximum(np.ceil(target - stock), np.maximum(np.ceil(minimum), 1.0))
    return np.where(needed, units, 0.0)


def _exceeded(units: Floats, *, mean: Floats, dispersion: Floats, weights: Floats) -> Floats:
    """P(demand > units) for whole `units` (n,), by the incomplete beta function (Johnson, Kemp & Kotz, Univariate
    Discrete Distributions, 3rd ed., ch. 5). scipy.stats.nbinom ends the whole process on some enormous
    parameters."""
    size = np.maximum(mean, 1e-9) / (dispersion - 1)
    # the mirrored form I_x(a, b) = 1 - I_(1-x)(b, a) is several times faster than the complement in scipy
    tail = np.nan_to_num(betainc(np.maximum(units, 0.0) + 1, size, (dispersion - 1) / dispersion), nan=0.0)
    each = np.where(mean > 0, np.where(units < 0, 1.0, np.clip(tail, 0.0, 1.0)), 0.0)
    pooled: Floats = np.clip(weights @ each, 0.0, 1.0)
    return pooled
