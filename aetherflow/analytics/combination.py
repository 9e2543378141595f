"""One forecast out of several: weights from a rolling-origin backtest, bands from its residuals.

At every origin of the backtest the weights use only forecasts whose weeks had all passed by then, so the
backtest error is the error the combination would really have made, weights included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Bools, Floats, Ints

SHARPNESS = 6.0  # weight = exp(-SHARPNESS * (error / least error - 1)): 12 % worse halves a weight
PRIOR_FOLDS = 6.0  # a series' own backtest counts as much as that of all series once it has this many folds
LEVELS = (0.80, 0.95)


@dataclass(frozen=True, kw_only=True)
class Combined:
    """mean: (steps, G). bands: level to (lower, upper), each (steps, G). weights: (models, G).

    wape_model, wape_baseline: summed absolute error / summed absolute revenue over all folds, series and
    steps; None without a fold. folds: number of origins with at least one forecast whose week has passed.
    """

    mean: Floats
    bands: Mapping[float, tuple[Floats, Floats]]
    weights: Floats
    wape_model: float | None
    wape_baseline: float | None
    folds: int


def fold_origins(*, weeks: int, lead: int, least: int, most: int = 24) -> Ints:
    """Origins of the backtest, ascending: every week (every second one from 60 weeks on), at most `most` of
    them.

    The newest has one target week left; each knows at least `least` weeks.
    """
    stride = 2 if weeks >= 60 else 1
    newest = weeks - lead
    return np.arange(newest, least - 1, -stride, dtype=np.int64)[:most][::-1]


def truths(totals: Floats, known: Bools, origins: Ints, *, lead: int, steps: int) -> Floats:
    """What came: (O, steps, G); NaN for weeks that lie ahead or were not observed."""
    out = np.full((len(origins), steps, totals.shape[1]), np.nan)
    observed = np.where(known, totals, np.nan)
    for place, origin in enumerate(origins):
        ahead = observed[origin + lead - 1 : origin + lead - 1 + steps]
        out[place, : len(ahead)] = ahead
    return out


def usual_changes(totals: Floats, known: Bools, origins: Ints) -> Floats:
    """Scale of a series at each origin, (O, G): mean absolute change from week to week over its last 52
    changes.

    At least 5 % of its mean size, so that a series without changes does not divide errors by nothing; the
    denominator of MASE (Hyndman & Koehler 2006, Int. J. Forecasting 22), taken over the recent year.
    """
    previous = np.zeros(totals.shape[1])
    change, size = np.zeros_like(totals), np.zeros_like(totals)
    seen = np.zeros(totals.shape[1], dtype=bool)
    counted = np.zeros_like(known)
    for t in range(len(totals)):
        counted[t] = known[t] & seen
        change[t] = np.where(counted[t], np.abs(totals[t] - previous), 0.0)
        size[t] = np.where(known[t], np.abs(totals[t]), 0.0)
        previous = np.where(known[t], totals[t], previous)
        seen |= known[t]
    out = np.zeros((len(origins), totals.shape[1]))
    for place, origin in enumerate(origins):
        recent = slice(max(0, origin - 52), origin)
        mean_change = change[recent].sum(axis=0) / np.maximum(counted[recent].sum(axis=0), 1)
        mean_size = size[recent].sum(axis=0) / np.maximum(known[recent].sum(axis=0), 1)
        out[place] = np.maximum(mean_change, 0.05 * mean_size)
    return out


def combine(
    candidates: Floats,
    baseline: Floats,
    *,
    totals: Floats,
    known: Bools,
    origins: Ints,
    lead: int,
    least: int,
) -> Combined:
    """Combine `candidates` (models, O, steps, G); the last origin is the forecast, those before are the
    backtest.

    `baseline` (O, steps, G) is only compared with. Series with fewer than `least` observed weeks at an origin
    take no part in that fold. Weights as exp(-k error) of backtest errors in units of the usual change, each
    series' own error shrunk towards the mean of all series (Bates & Granger 1969, Operational Research
    Quarterly 20; Pawlikowski & Chorowska 2020, Int. J. Forecasting 36). Bands: see `residual_bands`.
    """
    models, _, steps, _ = candidates.shape
    folds = origins[:-1]
    scale = usual_changes(totals, known, origins)
    enough = known.cumsum(axis=0)[origins - 1] >= least
    low, high = _seen_range(totals, known, origins)
    candidates = np.clip(candidates, low[None, :, None, :], high[None, :, None, :])
    came = truths(totals, known, folds, lead=lead, steps=steps)
    came = np.where(enough[:-1, None, :] & np.isfinite(candidates[:, :-1]).all(axis=0), came, np.nan)
    unit = np.where(scale > 0, scale, 1.0)
    misses = np.abs(candidates[:, :-1] - came[None]) / unit[None, :-1, None, :]
    misses = np.minimum(misses, 10.0)  # one explosive fold must not decide a weight for good

    made = np.empty((len(origins), steps, candidates.shape[-1]))
    weights = np.empty((models, candidates.shape[-1]))
    for place, origin in enumerate(origins):
        passed = folds + lead - 1 + steps <= origin if place < len(folds) else np.ones(len(folds), dtype=bool)
        weights = _weights(misses[:, passed])
        made[place] = (weights[:, None, :] * candidates[:, place]).sum(axis=0)

    error, size = np.abs(made[:-1] - came), np.abs(came)
    reference = np.abs(baseline[:-1] - came)
    compared = np.isfinite(error) & np.isfinite(reference)
    total = float(size[compared].sum())
    bands = residual_bands(
        made[-1],
        (came - made[:-1]) / unit[:-1, None, :],
        scale=scale[-1],
        folds=int(compared.any(axis=(1, 2)).sum()),
    )
    return Combined(
        mean=made[-1],
        bands=bands,
        weights=weights,
        wape_model=float(error[compared].sum()) / total if total > 0 else None,
        wape_baseline=float(reference[compared].sum()) / total if total > 0 else None,
        folds=int(compared.any(axis=(1, 2)).sum()),
    )


def residual_bands(mean: Floats, residuals: Floats, *, scale: Floats, folds: int) -> dict[float, tuple[Floats, Floats]]:
    """Bands around `mean` (steps, G) from backtest residuals (folds, steps, G) in units of `scale` (G,).

    Split conformal prediction (Vovk et al. 2005; Lei et al. 2018, JASA 113) with the residuals of all series
    pooled per step, or over all steps while a step has fewer than 100. Few, overlapping folds under-cover, so
    both sides are stretched by 1 + 1.2 / sqrt(4 folds). With fewer than 20 residuals in all, the quantiles of
    a normal distribution at 1.25 mean absolute changes (its standard deviation is sqrt(pi)/2 = 0.89 of them)
    stand in, stretched likewise.
    """
    stretch = 1 + 1.2 / np.sqrt(4 * max(folds, 1))
    pool = residuals[np.isfinite(residuals)]
    out: dict[float, tuple[Floats, Floats]] = {}
    for level, z in zip(LEVELS, (1.2816, 1.96), strict=True):
        sides = np.empty((len(mean), 2))
        for step in range(len(mean)):
            own = residuals[:, step][np.isfinite(residuals[:, step])]
            sample = own if len(own) >= 100 else pool
            if len(sample) >= 20:
                share = min(1.0, level * (1 + 1 / len(sample)))
                tail = (1 - share) / 2
                sides[step] = np.quantile(sample, [tail, 1 - tail])
            else:
                sides[step] = (-1.25 * z, 1.25 * z)
        lower = mean + np.minimum(sides[:, :1], 0) * stretch * scale
        upper = mean + np.maximum(sides[:, 1:], 0) * stretch * scale
        out[level] = (lower, upper)
    return out


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


def _seen_range(totals: Floats, known: Bools, origins: Ints) -> tuple[Floats, Floats]:
    low = np.minimum.accumulate(np.where(known, totals, np.inf), axis=0)[origins - 1]
    high = np.maximum.accumulate(np.where(known, totals, -np.inf), axis=0)[origins - 1]
    return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
