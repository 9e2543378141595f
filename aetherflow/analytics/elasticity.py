"""How much more is sold when the price falls: a regression within products, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from aetherflow.analytics.columns import Bools, Floats, Ints

LEAST_PRODUCTS = 10  # clusters; with fewer the cluster-robust variance is too small (Cameron & Miller 2015)
LEAST_WEEKS = 8  # weeks a product must have been sold in
LEAST_SPREAD = 0.02  # standard deviation of a product's log price that counts as variation, about 2 %
SWEEPS = 50


@dataclass(frozen=True, kw_only=True)
class Elasticity:
    """`value` percent more units for one percent more price (so normally negative), with its 95 % interval `lower` to
    `upper`, from `observations` product weeks of `products` products."""

    value: float
    lower: float
    upper: float
    products: int
    observations: int


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """No elasticity, because `reason` (a clause)."""

    reason: str


def elasticity(*, products: Ints, weeks: Ints, units: Floats, price: Floats) -> Elasticity | Unknown:
    """Slope of log units on log price over product weeks, with product and week fixed effects.

    One entry per product and week; those without positive `units` and `price` do not count. Product effects take out
    what makes one product sell more than another, week effects what moves all of them (season, holidays). Standard
    error robust to correlation within a product (CR1, Student with products - 1 degrees of freedom: Cameron & Miller
    2015, J. Human Resources 50). Text book: Wooldridge, Econometric Analysis of Cross Section and Panel Data, ch. 10.
    Products sold in fewer than LEAST_WEEKS weeks, or at a price that hardly moved, are left out; with fewer than
    LEAST_PRODUCTS of them the answer is Unknown.
    """
    order = np.lexsort((price, units, weeks, products))
    order = order[(units[order] > 0) & (price[order] > 0)]
    product, week = products[order], weeks[order]
    x, y = np.log(price[order]), np.log(units[order])
    usable = _usable(product, x)
    product, week, x, y = product[usable], week[usable], x[usable], y[usable]
    count = len(np.unique(product))
    if count < LEAST_PRODUCTS:
        return Unknown(
            reason=f"only {count} {'product was' if count == 1 else 'products were'} sold in {LEAST_WEEKS} weeks or "
            f"more with changes of about {100 * LEAST_SPREAD:.0f} % or more, and {LEAST_PRODUCTS} are needed"
        )
    _, cluster = np.unique(product, return_inverse=True)
    _, time = np.unique(week, return_inverse=True)
    x, y = _within(x, cluster, time), _within(y, cluster, time)
    squares = float(x @ x)
    if squares <= 1e-9 * len(x):
        return Unknown(reason="prices of all products moved together, so that price and time cannot be told apart")
    slope = float(x @ y) / squares
    scores = np.bincount(cluster, weights=x * (y - slope * x))
    error = float(np.sqrt(count / (count - 1) * (scores @ scores))) / squares
    reach = float(stdtrit(count - 1, 0.975)) * error
    return Elasticity(value=slope, lower=slope - reach, upper=slope + reach, products=count, observations=len(x))


def _usable(product: Ints, x: Floats) -> Bools:
    if not len(product):
        return np.zeros(0, dtype=bool)
    _, cluster = np.unique(product, return_inverse=True)
    size = np.bincount(cluster)
    away = x - (np.bincount(cluster, weights=x) / size)[cluster]
    spread = np.sqrt(np.bincount(cluster, weights=away * away) / size)
    return np.asarray(((size >= LEAST_WEEKS) & (spread >= LEAST_SPREAD))[cluster])


def _within(values: Floats, cluster: Ints, time: Ints) -> Floats:
    """Deviations from product and week means, by alternating projections (von Neumann; Guimaraes & Portugal 2010,
    Stata Journal 10): SWEEPS turns are far beyond what these sparse panels need."""
    size, length = np.bincount(cluster), np.bincount(time)
    for _ in range(SWEEPS):
        values = values - (np.bincount(time, weights=values) / length)[time]
        values = values - (np.bincount(cluster, weights=values) / size)[cluster]
    return values
