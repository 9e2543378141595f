"""One forecast out of several, weighted by a rolling-origin backtest.

At every origin of the backtest the weights use only forecasts whose weeks had all passed by then, so the backtest
error is the error the combination would really have made, weights included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Floats, Ints

SHARPNESS = 12.0  # weight = exp(-SHARPNESS * (error / least error - 1)): 6 % worse halves a weight
PRIOR_FOLDS = 6.0  # a series' own backtest counts as much as that of all series once it has this many folds


@dataclass(frozen=True, kw_only=True)
class Combined:
    """What was combined, G series over F folds.

    mean: (steps, G), the forecast. weights: (models, G). made, came, baseline: (F, steps, G), what the backtest
    forecast, what came and what the baseline said; NaN where the week lies ahead or the series was too young. scale:
    (F + 1, G), the usual change of each series at each fold and now.
    """

    mean: Floats
    weights: Floats
    made: Floats
    came: Floats
    baseline: Floats
    scale: Floats


def fold_origins(*, weeks: int, lead: int, least: int, most: int = 24) -> Ints:
    """Origins of the backtest, ascending: every week (every second one from 60 weeks on), at most `most` of
    them.

    The newest has one target week left; each knows at least `least` weeks.
    """
    stride = 2 if weeks >= 60 else 1
    newest = weeks - lead
    return np.arange(newest, least - 1, -stride, dtype=np.int64)[:most][::-1]


def truths(totals: Floats, origins: Ints, *, lead: int, steps: int) -> Floats:
    """What came: (O, steps, G); NaN for weeks that lie ahead."""
    out = np.full((len(origins), steps, totals.shape[1]), np.nan)
    for place, origin in enumerate(origins):
        ahead = totals[origin + lead - 1 : origin + lead - 1 + steps]
        out[place, : len(ahead)] = ahead
    return out


def usual_changes(totals: Floats, begin: Ints, origins: Ints) -> Floats:
    """Scale of a series at each origin, (O, G): mean absolute change from week to week over its last 52 changes.

    At least 5 % of its mean size, so that a series without changes does not divide errors by nothing; the
    denominator of MASE (Hyndman & Koehler 2006, Int. J. Forecasting 22), taken over the recent year.
    """
    out = np.zeros((len(origins), totals.shape[1]))
    for place, origin in enumerate(origins):
        recent = totals[max(0, origin - 53) : origin]
        known = np.arange(max(0, origin - 53), origin)[:, None] >= begin
        changed = known[1:] & known[:-1]
        change = np.where(changed, np.abs(np.diff(recent, axis=0)), 0.0).sum(axis=0) / np.maximum(
            changed.sum(axis=0), 1
        )
        size = np.where(known, np.abs(recent), 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        out[place] = np.maximum(change, 0.05 * size)
    return out


def combine(
    candidates: Floats, baseline: Floats, *, totals: Floats, begin: Ints, origins: Ints, lead: int, least: int
) -> Combined:
    """Combine `candidates` (models, O, steps, G); the last origin is the forecast, those before are the backtest.

    `baseline` (O, steps, G) is only compared with. Series with fewer than `least` weeks at an origin take no part in
    that fold. Candidates are held within what the series has ever been. Weights are exp(-k error) of backtest errors
    in units of the usual change, each series' own error shrunk towards the mean of all series (Bates & Granger 1969,
    Operational Research Quarterly 20; Pawlikowski & Chorowska 2020, Int. J. Forecasting 36).
    """
    models, _, steps, series = candidates.shape
    folds = origins[:-1]
    scale = usual_changes(totals, begin, origins)
    low, high = _seen_range(totals, begin, origins)
    candidates = np.clip(candidates, low[None, :, None, :], high[None, :, None, :])
    came = truths(totals, folds, lead=lead, steps=steps)
    enough = folds[:, None] - begin[None, :] >= least
    came = np.where(enough[:, None, :] & np.isfinite(candidates[:, :-1]).all(axis=0), came, np.nan)
    unit = np.where(scale > 0, scale, 1.0)
    misses = np.abs(candidates[:, :-1] - came[None]) / unit[None, :-1, None, :]
    misses = np.minimum(misses, 10.0)  # one explosive fold must not decide a weight for good
    made = np.empty((len(origins), steps, series))
    weights = np.empty((models, series))
    for place, origin in enumerate(origins):
        passed = folds + lead - 1 + steps <= origin if place < len(folds) else np.ones(len(folds), dtype=bool)
        weights = _weights(misses[:, passed])
        made[place] = (weights[:, None, :] * candidates[:, place]).sum(axis=0)
    return Combined(
        mean=made[-1],
        weights=weights,
        made=np.where(np.isfinite(came), made[:-1], np.nan),
        came=came,
        baseline=np.where(np.isfinite(came), baseline[:-1], np.nan),
        scale=scale,
    )


def side_by_side(parts: list[Combined], order: Ints) -> Combined:
    """The series of several combinations over the same folds as one; `order` (G,) puts their columns in place.

    Their models may differ: only what does not depend on the models is joined, `weights` is empty.
    """
    return Combined(
        mean=np.concatenate([part.mean for part in parts], axis=-1)[..., order],
        weights=np.empty((0, len(order))),
        made=np.concatenate([part.made for part in parts], axis=-1)[..., order],
        came=np.concatenate([part.came for part in parts], axis=-1)[..., order],
        baseline=np.concatenate([part.baseline for part in parts], axis=-1)[..., order],
        scale=np.concatenate([part.scale for part in parts], axis=-1)[..., order],
    )


def summed(combined: Combined, totals: Floats) -> Combined:
    """The sum of all series as one series (G = 1): its own backtest, for errors and bands of a total.

    `totals` (T, 1) is the summed past, for the scale. A fold's sum is over the series that took part in it.
    """
    taken = np.isfinite(combined.came)
    some = taken.any(axis=2, keepdims=True)

    def add(values: Floats) -> Floats:
        return np.where(some, np.where(taken, values, 0.0).sum(axis=2, keepdims=True), np.nan)

    size = usual_changes(totals, np.zeros(1, dtype=np.int64), np.array([len(totals)]))
    return Combined(
        mean=combined.mean.sum(axis=1, keepdims=True),
        weights=np.ones((1, 1)),
        made=add(combined.made),
        came=add(combined.came),
        baseline=add(combined.baseline),
        scale=np.repeat(size, len(combined.scale), axis=0),
    )


def wape(forecast: Floats, came: Floats) -> Floats:
    """Summed absolute error / summed absolute revenue per series (G,), over folds and steps; NaN without any."""
    usable = np.isfinite(came) & np.isfinite(forecast)
    size = np.where(usable, np.abs(came), 0.0).sum(axis=(0, 1))
    error = np.where(usable, np.abs(forecast - came), 0.0).sum(axis=(0, 1))
    return np.where(size > 0, error / np.where(size > 0, size, 1.0), np.nan)


def _weights(misses: Floats) -> Floats:
    """Weights (models, G) from misses (models, folds, steps, G) in usual changes; equal without any."""
    models, series = misses.shape[0], misses.shape[-1]
    usable = np.isfinite(misses)
    count = usable.sum(axis=(1, 2))
    own = np.where(usable, misses, 0.0).sum(axis=(1, 2)) / np.maximum(count, 1)
    if not count.any():
        return np.full((models, series), 1 / models)
    pooled = np.array([own[m, count[m] > 0].mean() for m in range(models)])[:, None]
    folds = usable.any(axis=2).sum(axis=1)
    score = (folds * own + PRIOR_FOLDS * pooled) / (folds + PRIOR_FOLDS)
    best = score.min(axis=0)
    relative = np.where(best > 0, score / np.where(best > 0, best, 1.0) - 1, np.where(score > 0, np.inf, 0.0))
    weights = np.exp(-SHARPNESS * relative)
    normalised: Floats = weights / weights.sum(axis=0)
    return normalised


def _seen_range(totals: Floats, begin: Ints, origins: Ints) -> tuple[Floats, Floats]:
    known = np.arange(len(totals))[:, None] >= begin
    low = np.minimum.accumulate(np.where(known, totals, np.inf), axis=0)[origins - 1]
    high = np.maximum.accumulate(np.where(known, totals, -np.inf), axis=0)[origins - 1]
    return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
