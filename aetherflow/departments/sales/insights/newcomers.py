"""Categories too young for a forecast of their own, as far as the department's total has to count them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Bools, Floats, Ints
from aetherflow.analytics.weeks import WeeklyTotals

# How far a week may come out below and above the mean of a category's first one to three, as shares of it. Prior
# judgement, wide on purpose: what is new may have been one order, or be at the beginning of its growth.
BELOW_AND_ABOVE: Mapping[float, tuple[float, float]] = {0.80: (0.75, 1.5), 0.95: (1.0, 4.0)}


@dataclass(frozen=True, kw_only=True)
class Newcomers:
    """categories: (N,) codes of those with a whole week, but too few. weekly: (N,) their mean week, in whole cents."""

    categories: Ints
    weekly: Floats

    def ahead(self, closed: Floats) -> Floats:
        """What they add to the total, (steps, 1); `closed` is the share of a usual week to expect."""
        return np.asarray(np.round(self.weekly * closed[:, None], 2).sum(axis=1, keepdims=True))

    def widths(self, level: float, closed: Floats) -> tuple[Floats, Floats]:
        """How far the sum may come out below and above `ahead`, (steps, 1) each. What is new in one department is new
        for one reason, so that their errors add up."""
        below, above = BELOW_AND_ABOVE[level]
        gained = np.maximum(self.weekly, 0).sum() * closed[:, None]
        refunded = -np.minimum(self.weekly, 0).sum() * closed[:, None]
        return below * gained + above * refunded, above * gained + below * refunded


def newcomers(totals: WeeklyTotals, *, ready: Bools, known: Ints, is_open: Bools) -> Newcomers:
    """`known` (G,): open weeks of each category since its first."""
    young = np.flatnonzero(~ready & (known > 0))
    sums = totals.totals[is_open][:, young].sum(axis=0)
    return Newcomers(categories=young, weekly=np.round(sums / known[young], 2))
