"""Forecasts of many short weekly series at once, from every origin of a rolling-origin backtest in one pass.

Every forecaster takes `totals` (T weeks, G series), `known` (T, G) marking the weeks that count as observed,
and `origins`, the numbers of weeks known at each forecast (ascending, at most T). It answers (len(origins),
steps, G): the forecast made with the first `origin` weeks for the week at index origin + lead - 1 + step. NaN
where a series has no observed week yet. No forecaster looks at a week beyond its origin.
"""

from __future__ import annotations

import warnings

import numpy as np

from aetherflow.analytics.columns import Bools, Floats, Ints

ALPHAS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
YEAR = 52


def level_by_smoothing(totals: Floats, known: Bools, origins: Ints) -> Floats:
    """Levels (len(origins), G) of simple exponential smoothing, l = l + alpha (y - l).

    alpha is the one of ALPHAS with the least one-step squared error up to the origin, per series. The level
    starts at the mean of up to four first observed weeks, so that one odd opening week does not linger at a
    small alpha. Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 8.1.
    """
    alphas = np.array(ALPHAS)[:, None]
    order = known.cumsum(axis=0)
    opening = known & (order <= 4)
    seen = order[-1] > 0
    begin = np.where(opening, totals, 0.0).cumsum(axis=0) / np.maximum(opening.cumsum(axis=0), 1)
    level = np.full((len(ALPHAS), totals.shape[1]), np.nan)
    squares = np.zeros_like(level)
    out = np.full((len(origins), totals.shape[1]), np.nan)
    wanted = {int(origin): place for place, origin in enumerate(origins)}
    for t in range(totals.shape[0]):
        error = totals[t] - level
        smoothing = known[t] & (order[t] > 4)
        squares += np.where(smoothing, error * error, 0.0)
        level = np.where(smoothing, level + alphas * error, level)
        level = np.where(opening[t], begin[t], level)
        if t + 1 in wanted:
            best = squares.argmin(axis=0)
            out[wanted[t + 1]] = np.where(seen, level[best, np.arange(totals.shape[1])], np.nan)
    return out


def level_by_recent_mean(totals: Floats, known: Bools, origins: Ints, *, window: int = 8) -> Floats:
    """Mean (len(origins), G) of the last `window` observed weeks before each origin."""
    order = known.cumsum(axis=0)
    out = np.full((len(origins), totals.shape[1]), np.nan)
    for place, origin in enumerate(origins):
        recent = known[:origin] & (order[:origin] > order[origin - 1] - window)
        count = recent.sum(axis=0)
        total = np.where(recent, totals[:origin], 0.0).sum(axis=0)
        out[place] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return out


def flat(levels: Floats, *, steps: int) -> Floats:
    """The same level (O, G) for every step: (O, steps, G)."""
    return np.repeat(levels[:, None, :], steps, axis=1)


def last_value(totals: Floats, known: Bools, origins: Ints, *, steps: int) -> Floats:
    """Naive: the last observed week, repeated."""
    return flat(level_by_recent_mean(totals, known, origins, window=1), steps=steps)


def seasonal_naive(totals: Floats, known: Bools, origins: Ints, *, lead: int, steps: int) -> Floats:
    """The same week one year (52 weeks) earlier where two years are known, else the last observed week.

    With less than two years nothing says that a year repeats, and most targets have no earlier counterpart.
    Source: Hyndman & Athanasopoulos, 3rd ed., 5.2.
    """
    out = last_value(totals, known, origins, steps=steps)
    begin = np.where(known.any(axis=0), known.argmax(axis=0), totals.shape[0])
    for place, origin in enumerate(origins):
        for step in range(steps):
            earlier = origin + lead - 1 + step - YEAR
            if earlier < origin - 2 * YEAR or earlier < 0 or earlier >= origin:
                continue
            usable = known[earlier] & (origin - begin >= 2 * YEAR)
            out[place, step] = np.where(usable, totals[earlier], out[place, step])
    return out


def seasonal_level(
    totals: Floats,
    known: Bools,
    origins: Ints,
    levels: Floats,
    *,
    lead: int,
    steps: int,
    trust: float = 0.5,
) -> Floats:
    """The smoothed level times how the target week stood to the recent weeks in earlier years.

    index(w) = mean of weeks w-1..w+1 in each earlier year / mean of the eight weeks that stood before it at
    the same distance, averaged over up to three years, then shrunk: 1 + trust (index - 1), held within 1/3 to
    3. Series with less than two known years at the origin keep the plain level. The classical ratio to a
    level (Hyndman & Athanasopoulos, 3rd ed., 3.2-3.4) with its noise taken down by shrinkage (Miller &
    Williams 2003, Int. J. Forecasting 19).
    """
    values = np.where(known, totals, np.nan)
    begin = np.where(known.any(axis=0), known.argmax(axis=0), totals.shape[0])
    out = flat(levels, steps=steps)
    for place, origin in enumerate(origins):
        for step in range(steps):
            ratios = [
                ratio
                for years in (1, 2, 3)
                if (ratio := _ratio(values, origin - years * YEAR, lead - 1 + step, origin)) is not None
            ]
            if len(ratios) < 1 or origin < 2 * YEAR:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a series without any ratio: handled below
                index = np.nanmean(np.array(ratios), axis=0)
            index = np.clip(1 + trust * (np.nan_to_num(index, nan=1.0) - 1), 1 / 3, 3.0)
            out[place, step] *= np.where(origin - begin >= 2 * YEAR, index, 1.0)
    return out


def _ratio(values: Floats, then: int, ahead: int, origin: int) -> Floats | None:
    target = then + ahead
    if then < 8 or target + 1 >= origin:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all weeks missing: the ratio is NaN, which is meant
        near = np.nanmean(values[target - 1 : target + 2], axis=0)
        before = np.nanmean(values[then - 8 : then], axis=0)
    usable = (before > 0) & (near >= 0)
    return np.where(usable, near / np.where(usable, before, 1.0), np.nan)
