"""Forecasts of many short weekly series at once, from every origin of a rolling-origin backtest in one pass.

Every forecaster takes `totals` (T weeks, G series), `begin` (G,), the index of each series' first week (from it on
every week counts, empty ones as zero), and `origins` (O,), the numbers of weeks known at each forecast (ascending, 1
to T). A forecast is (O, steps, G): made with the first `origin` weeks for the week at index origin + lead - 1 + step.
NaN where a series has not begun. No forecaster looks at a week beyond its origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Bools, Floats, Ints

ALPHAS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
TREND_ALPHAS = (0.1, 0.2, 0.3, 0.5, 0.7)
TREND_BETAS = (0.02, 0.05, 0.1, 0.2)
DAMPING = 0.9
YEAR = 52
OPENING = 4  # weeks whose mean a level starts from, so that one odd first week does not linger
BOUND = 2.0  # robust smoothing believes at most this many usual errors of one week


@dataclass(frozen=True, kw_only=True)
class Smoothed:
    """level, alpha: (O, G), the level after the last known week and the smoothing constant behind it."""

    level: Floats
    alpha: Floats


def smoothing(totals: Floats, begin: Ints, origins: Ints, *, bound: float | None = None) -> Smoothed:
    """Simple exponential smoothing, l = l + alpha e; with `bound` an error counts at most so many usual errors.

    alpha is the one of ALPHAS with the least absolute one-step error up to the origin, half the series' own and half
    that of all series together, since short series choose badly alone. Sources: Hyndman & Athanasopoulos,
    Forecasting: Principles and Practice, 3rd ed., 8.1; the bounded error: Gelper, Fried & Croux (2010), Journal of
    Forecasting 29.
    """
    alphas = np.array(ALPHAS)[:, None]
    series = np.arange(totals.shape[1])
    level = np.zeros((len(ALPHAS), len(series)))
    usual, errors = np.zeros_like(level), np.zeros_like(level)
    out = Smoothed(level=_blank(origins, series), alpha=_blank(origins, series))
    wanted = {int(origin): place for place, origin in enumerate(origins)}
    size = np.zeros(len(series))
    for t in range(int(origins[-1])):
        age = t - begin
        moving = age >= OPENING
        error = totals[t] - level
        errors += np.where(moving, np.abs(error), 0.0)
        if bound is not None:
            size += np.where(age >= 0, (np.abs(totals[t]) - size) / np.maximum(age + 1, 1), 0.0)
            usual = np.maximum(usual, 0.05 * size)  # without it a constant series could never move again
            error = np.where(moving, np.clip(error, -bound * usual, bound * usual), error)
            settling = np.where(age > 0, (np.abs(error) - usual) / np.maximum(age, 1), 0.0)
            # A normal error's bounded absolute value is 0.8 standard deviations: 0.1 / 0.8 keeps the scale in place.
            usual = np.where(moving, 0.9 * usual + 0.125 * np.abs(error), usual + settling)
        rate = np.where(moving, alphas, np.where(age >= 0, 1 / np.maximum(age + 1, 1), 0.0))
        level = level + rate * error
        if t + 1 in wanted:
            best = _best(errors, moving)
            out.level[wanted[t + 1]] = np.where(age >= 0, level[best, series], np.nan)
            out.alpha[wanted[t + 1]] = np.array(ALPHAS)[best]
    return out


def theta(totals: Floats, begin: Ints, origins: Ints, smoothed: Smoothed, *, lead: int, steps: int) -> Floats:
    """Theta method: the smoothed level plus half the linear trend of the whole past.

    Assimakopoulos & Nikolopoulos (2000), Int. J. Forecasting 16, in the closed form of Hyndman & Billah (2003), Int.
    J. Forecasting 19: l + b/2 (h - 1 + (1 - (1 - alpha)^n) / alpha), b the least-squares slope over n weeks.
    """
    count = np.maximum(origins[:, None] - begin[None, :], 0)
    slope = np.zeros_like(smoothed.level)
    for place, origin in enumerate(origins):
        age = np.arange(origin)[:, None] - begin[None, :]
        mid = (count[place] - 1) / 2
        away = np.where(age >= 0, age - mid, 0.0)
        squares = (away * away).sum(axis=0)
        slope[place] = np.where(squares > 0, (away * totals[:origin]).sum(axis=0) / np.maximum(squares, 1.0), 0.0)
    alpha = smoothed.alpha
    drift = np.where(count > OPENING, slope / 2, 0.0)
    start = (1 - (1 - alpha) ** count) / alpha - 1
    ahead = lead + np.arange(steps)
    out: Floats = (smoothed.level + drift * start)[:, None, :] + drift[:, None, :] * ahead[None, :, None]
    return out


def damped_trend(totals: Floats, begin: Ints, origins: Ints, *, lead: int, steps: int) -> Floats:
    """Holt's linear trend, damped by DAMPING a week; alpha and beta chosen as in `smoothing`.

    Gardner & McKenzie (1985), Management Science 31; Hyndman & Athanasopoulos, 3rd ed., 8.2.
    """
    grid = np.meshgrid(TREND_ALPHAS, TREND_BETAS)
    alphas, betas = grid[0].reshape(-1, 1), grid[1].reshape(-1, 1)
    series = np.arange(totals.shape[1])
    level = np.zeros((len(alphas), len(series)))
    trend, errors = np.zeros_like(level), np.zeros_like(level)
    out = np.full((len(origins), steps, len(series)), np.nan)
    wanted = {int(origin): place for place, origin in enumerate(origins)}
    reach = np.cumsum(DAMPING ** np.arange(1, lead + steps))[lead - 1 :, None]
    for t in range(int(origins[-1])):
        age = t - begin
        moving = age >= OPENING
        error = totals[t] - level - DAMPING * trend
        errors += np.where(moving, np.abs(error), 0.0)
        rate = np.where(moving, alphas, np.where(age >= 0, 1 / np.maximum(age + 1, 1), 0.0))
        level = level + DAMPING * trend + rate * error
        trend = np.where(moving, DAMPING * trend + alphas * betas * error, 0.0)
        if t + 1 in wanted:
            best = _best(errors, moving)
            ahead = level[best, series] + reach * trend[best, series]
            out[wanted[t + 1]] = np.where(age >= 0, ahead, np.nan)
    return out


def recent_median(values: Floats, usable: Bools, origins: Ints, *, window: int) -> Floats:
    """Median (O, G) of the usable values among the last `window` weeks before each origin; 0 where there are none."""
    held = np.where(usable, values, np.inf)
    out = np.zeros((len(origins), values.shape[1]))
    series = np.arange(values.shape[1])
    for place, origin in enumerate(origins):
        recent = np.sort(held[max(0, origin - window) : origin], axis=0)
        count = np.isfinite(recent).sum(axis=0)
        low, high = np.maximum((count - 1) // 2, 0), count // 2
        high = np.minimum(high, len(recent) - 1)
        middle = np.where(count > 0, (recent[low, series] + recent[high, series]) / 2, 0.0)
        out[place] = middle
    return out


def flat(levels: Floats, *, steps: int) -> Floats:
    """The same level (O, G) for every step: (O, steps, G)."""
    return np.repeat(levels[:, None, :], steps, axis=1)


def seasonal_naive(totals: Floats, begin: Ints, origins: Ints, calendar: Ints, *, lead: int, steps: int) -> Floats:
    """The same week one year (52 weeks) earlier where two years are known, else the last week.

    `calendar` (T,) numbers the weeks; it jumps where weeks are left out. With less than two years nothing says that a
    year repeats. Source: Hyndman & Athanasopoulos, 3rd ed., 5.2.
    """
    out = np.full((len(origins), steps, totals.shape[1]), np.nan)
    index = {int(week): t for t, week in enumerate(calendar)}
    for place, origin in enumerate(origins):
        out[place] = np.where(begin < origin, totals[origin - 1], np.nan)
        for step in range(steps):
            earlier = index.get(int(calendar[origin - 1]) + lead + step - YEAR)
            if earlier is None or earlier >= origin:
                continue
            usable = calendar[origin - 1] - calendar[np.minimum(begin, len(calendar) - 1)] + 1 >= 2 * YEAR
            out[place, step] = np.where(usable, totals[earlier], out[place, step])
    return out


def _blank(origins: Ints, series: Ints) -> Floats:
    return np.full((len(origins), len(series)), np.nan)


def _best(errors: Floats, judged: Bools) -> Ints:
    """Index (G,) of the parameters (first axis of `errors`) with the least error, half own, half pooled."""
    least = errors.min(axis=0)
    relative = np.minimum(errors / np.where(least > 0, least, 1.0), 3.0)
    relative = np.where(least > 0, relative, np.where(errors > 0, 3.0, 1.0))
    pooled = relative[:, judged].mean(axis=1) if judged.any() else np.ones(len(errors))
    return np.asarray((relative + pooled[:, None]).argmin(axis=0), dtype=np.int64)
