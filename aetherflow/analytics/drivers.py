"""What moved revenue from one period to the next, in parts that add up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Bools, Floats, Ints

PRODUCTS = 2**31  # more than there are; group * PRODUCTS + product is one key


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Sales, or refunds, of which `units` are not above 0: an entry for each row, or for rows of one group, product and
    kind added up. `groups` and `products` are codes from 0, `gross` is money before and `paid` after the discount; all
    of one length."""

    groups: Ints
    products: Ints
    units: Floats
    gross: Floats
    paid: Floats

    def where(self, chosen: Bools) -> Lines:
        return Lines(
            groups=self.groups[chosen],
            products=self.products[chosen],
            units=self.units[chosen],
            gross=self.gross[chosen],
            paid=self.paid[chosen],
        )


@dataclass(frozen=True, kw_only=True)
class Drivers:
    """Per group (G,), in money: revenue before and now, and the five effects whose sum is their difference."""

    before: Floats
    now: Floats
    price: Floats
    discount: Floats
    volume: Floats
    mix: Floats
    refunds: Floats


def drivers(before: Lines, now: Lines, *, size: int) -> Drivers:
    """Decompose the change of revenue of each group (codes 0 to size - 1) over its products.

    For a product with units q, list price l (gross revenue / units) and paid share k (revenue / gross revenue), bars
    meaning the mean of both periods:

        price    = sum of q̄ k̄ (l1 - l0)        discount = sum of q̄ l̄ (k1 - k0)
        volume   = P̄ (Q1 - Q0)                  mix      = sum of (p̄ - P̄)(q1 - q0)

    with net price p = l k, Q the units of the group and P̄ its mean net price, sum of p̄ q̄ / sum of q̄. A product
    sold in one period only takes the prices of that one, so that coming and going are volume and mix, not price. These
    are Bennet's symmetric indicators, which add up without a rest (Bennet 1920, J. Royal Statistical Society 83;
    Diewert 2005, J. Productivity Analysis 23), with quantity split into volume and mix as in cost accounting (Horngren,
    Datar & Rajan, Cost Accounting, ch. 14). Entries without units above 0 are `refunds`, apart: a product's mean price
    over sales and returns means nothing.
    """
    keys = np.unique(np.concatenate([_keys(before), _keys(now)]))
    group = keys // PRODUCTS
    q0, l0, k0 = _means(before, keys)
    q1, l1, k1 = _means(now, keys)
    l0, k0 = np.where(q0 > 0, l0, l1), np.where(q0 > 0, k0, k1)
    l1, k1 = np.where(q1 > 0, l1, l0), np.where(q1 > 0, k1, k0)
    units, net = (q0 + q1) / 2, (l0 * k0 + l1 * k1) / 2

    def per_group(values: Floats) -> Floats:
        return _sums(values, group, size)

    all_units = per_group(units)
    mean_net = per_group(net * units) / np.where(all_units > 0, all_units, 1.0)
    refunds = _refunds(now, size) - _refunds(before, size)
    revenue0, revenue1 = per_group(q0 * l0 * k0), per_group(q1 * l1 * k1)
    return Drivers(
        before=revenue0 + _refunds(before, size),
        now=revenue1 + _refunds(now, size),
        price=per_group(units * (k0 + k1) / 2 * (l1 - l0)),
        discount=per_group(units * (l0 + l1) / 2 * (k1 - k0)),
        volume=mean_net * per_group(q1 - q0),
        mix=per_group((net - mean_net[group]) * (q1 - q0)),
        refunds=refunds,
    )


def _sold(lines: Lines) -> Bools:
    return lines.units > 0


def _keys(lines: Lines) -> Ints:
    sold = _sold(lines)
    return lines.groups[sold] * PRODUCTS + lines.products[sold]


def _means(lines: Lines, keys: Ints) -> tuple[Floats, Floats, Floats]:
    """Units, mean list price and paid share per key; zeros where nothing was sold.

    Sums are taken over rows in a fixed order, so that the order they came in cannot change a bit.
    """
    sold = lines.where(_sold(lines))
    order = np.lexsort((sold.paid, sold.gross, sold.units, _keys(lines)))
    place = np.searchsorted(keys, _keys(lines)[order])
    units, gross, paid = (_sums(each[order], place, len(keys)) for each in (sold.units, sold.gross, sold.paid))
    listed = gross / np.where(units > 0, units, 1.0)
    return units, listed, paid / np.where(gross > 0, gross, 1.0)


def _refunds(lines: Lines, size: int) -> Floats:
    back = lines.where(~_sold(lines))
    order = np.lexsort((back.paid, back.groups))
    return _sums(back.paid[order], back.groups[order], size)


def _sums(values: Floats, place: Ints, size: int) -> Floats:
    return np.asarray(np.bincount(place, weights=values, minlength=size), dtype=np.float64)
