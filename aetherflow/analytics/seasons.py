"""How a week of the year stands to the weeks before it, learnt from earlier years, without a calendar of holidays."""

from __future__ import annotations

import numpy as np

from aetherflow.analytics.columns import Bools, Floats, Ints
from aetherflow.analytics.forecasting import YEAR

BEFORE = 8  # weeks that the target week is compared with
YEARS = (1, 2, 3)
TRUST = 0.5  # a ratio of two noisy sums is believed by half
CLOSED = 0.05  # a week with less than this share of the usual number of sales counts as closed
LEAST_USUAL = 10  # with fewer sales a week an empty week is chance: P(at most 1 of 10 expected) = 0.0005


def shared_index(totals: Floats, begin: Ints, origins: Ints, calendar: Ints, *, lead: int, steps: int) -> Floats:
    """Factor (O, steps) on a level for the target week's place in the year, the same for all series; 1 if unknown.

    Per earlier year: mean of the weeks around the target's week / mean of the BEFORE weeks as far before it as the
    origin is; averaged over series, weighted by the root of their size, and over up to three years; then shrunk to 1 +
    TRUST (index - 1), within 1/3 to 3. One index for all series, because one series' own is mostly noise: Dalhart
    (1974), Class seasonality, in Forecasting, American Production and Inventory Control Society; Chen & Boylan (2008),
    Int. J. Production Economics 114; shrinkage: Miller & Williams (2003), Int. J. Forecasting 19.
    """
    index = {int(week): t for t, week in enumerate(calendar)}
    out = np.ones((len(origins), steps))
    for place, origin in enumerate(origins):
        newest = int(calendar[origin - 1])
        for step in range(steps):
            ratios = []
            for years in YEARS:
                then, target = newest - YEAR * years, newest + lead + step - YEAR * years
                before = [t for week in range(then - BEFORE + 1, then + 1) if (t := index.get(week)) is not None]
                near = [
                    t for week in range(target - 1, target + 2) if (t := index.get(week)) is not None and t < origin
                ]
                if len(before) < BEFORE // 2 or len(near) < 2:
                    continue
                ratio = _mean_ratio(totals[near].mean(axis=0), totals[before].mean(axis=0), begin <= before[0])
                if ratio is not None:
                    ratios.append(ratio)
            if ratios:
                out[place, step] = np.clip(1 + TRUST * (float(np.mean(ratios)) - 1), 1 / 3, 3.0)
    return out


def _mean_ratio(near: Floats, before: Floats, begun: Bools) -> float | None:
    usable = begun & (before > 0)
    if not usable.any():
        return None
    weight = np.sqrt(before[usable])
    ratio = np.clip(near[usable] / before[usable], 0.0, 3.0)
    return float((ratio * weight).sum() / weight.sum())


def closures(sales: Floats) -> Bools:
    """Weeks (T,) in which the department was closed or nearly so: under CLOSED of the usual number of `sales` (T,).

    Usual is the median of the up to 8 weeks on either side; where it is under LEAST_USUAL only weeks without any sale
    are closed. Such a week says that the doors were shut, nothing of demand.
    """
    out = sales <= 0
    for t in range(len(sales)):
        around = np.concatenate([sales[max(0, t - 8) : t], sales[t + 1 : t + 9]])
        usual = float(np.median(around)) if len(around) else 0.0
        if usual >= LEAST_USUAL and sales[t] < CLOSED * usual:
            out[t] = True
    return out
