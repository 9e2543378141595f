"""How long deliveries take, and how far that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aetherflow.analytics.columns import Bools, Floats, Ints

DEFAULT_DAYS = 14.0
LEAST_FREEDOM = 5  # repeated figures of a supplier from which a spread is believed


@dataclass(frozen=True, kw_only=True)
class LeadTimes:
    """Per item, in the order of the item codes.

    days: expected. assumed: whether none of the item's snapshots gives one. spread: standard deviation in days, NaN
    where the file does not show it.
    """

    days: Floats
    assumed: Bools
    spread: Floats


def lead_times(*, items: Ints, order: Ints, leads: Floats, supplier: Ints) -> LeadTimes:
    """From the rows of all snapshots: `items` codes from 0 without holes, `order` the rows from old to new, `leads`
    in days (NaN or negative: not given); `supplier` is each item's code, -1 unknown.

    Days are the item's newest figure, else the median of its supplier, else of the department, else 14. The spread
    is pooled over a supplier's items from how each one's figure varies from snapshot to snapshot: the pooled
    standard deviation sqrt(sum of squares within items / degrees of freedom), of at least 5 degrees.
    """
    size = len(supplier)
    given = order[np.isfinite(leads[order]) & (leads[order] >= 0)]
    newest = np.full(size, np.nan)
    newest[items[given]] = leads[given]
    assumed = ~np.isfinite(newest)

    by_supplier = pd.Series(newest).groupby(supplier).median()
    usual = pd.Series(supplier).map(by_supplier).where(supplier >= 0).to_numpy(dtype=float)
    overall = float(np.median(newest[~assumed])) if (~assumed).any() else DEFAULT_DAYS
    days = np.where(assumed, np.where(np.isfinite(usual), usual, overall), newest)

    count = np.bincount(items[given], minlength=size)
    mean = np.bincount(items[given], weights=leads[given], minlength=size) / np.maximum(count, 1)
    square = np.bincount(items[given], weights=np.square(leads[given] - mean[items[given]]), minlength=size)
    # places from 1 on, so that items of no known supplier share the first one, which tells nothing
    freedom = np.bincount(supplier + 1, weights=np.maximum(count - 1, 0))
    within = np.bincount(supplier + 1, weights=square)
    spread = np.where(freedom >= LEAST_FREEDOM, np.sqrt(within / np.maximum(freedom, 1)), np.nan)
    spread[0] = np.nan
    return LeadTimes(days=days, assumed=assumed, spread=spread[supplier + 1])
