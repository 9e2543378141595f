"""Bands around a forecast from the errors of its backtest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aetherflow.analytics.columns import Floats, Ints

LEVELS = (0.80, 0.95)
NORMAL = {0.80: 1.2816, 0.95: 1.96}
LEAST_RESIDUALS = 20
OWN_RESIDUALS = 60.0  # a series' own quantiles count as much as those of all once it has this many residuals


def residual_bands(mean: Floats, residuals: Floats, *, scale: Floats, folds: int) -> Mapping[float, tuple[Floats, Floats]]:
    """Level to (lower, upper), each (steps, G), around `mean` (steps, G).

    `residuals` (folds, steps, G) are what came less what was forecast, in units of the series' usual change then;
    `scale` (G,) is that unit now. Split conformal prediction (Vovk et al. 2005; Lei et al. 2018, JASA 113): quantiles of
    the residuals of all series pooled per step, or over all steps while a step has fewer than 100, mixed with the
    series' own (over all steps) by n / (n + OWN_RESIDUALS). Few, overlapping folds under-cover, so both sides are
    stretched by 1 + 1.2 / sqrt(4 folds). With fewer than LEAST_RESIDUALS in all, the quantiles of a normal distribution
    at 1.25 usual changes (its standard deviation is sqrt(pi)/2 = 0.89 of them) stand in, stretched likewise.
    """
    stretch = 1 + 1.2 / np.sqrt(4 * max(folds, 1))
    pool = residuals[np.isfinite(residuals)]
    own_count = np.isfinite(residuals).sum(axis=(0, 1))
    own_share = own_count / (own_count + OWN_RESIDUALS)
    own = np.vstack([residuals.reshape(-1, residuals.shape[-1]), np.full((1, residuals.shape[-1]), np.nan)])
    out: dict[float, tuple[Floats, Floats]] = {}
    for level in LEVELS:
        low, high = np.empty_like(mean), np.empty_like(mean)
        own_low, own_high = _quantiles(own, own_count, level)
        for step in range(len(mean)):
            here = residuals[:, step][np.isfinite(residuals[:, step])]
            sample = here if len(here) >= 100 else pool
            if len(sample) < LEAST_RESIDUALS:
                low[step], high[step] = -1.25 * NORMAL[level], 1.25 * NORMAL[level]
                continue
            tail = (1 - min(1.0, level * (1 + 1 / len(sample)))) / 2
            all_low, all_high = np.quantile(sample, [tail, 1 - tail])
            low[step] = own_share * own_low + (1 - own_share) * all_low
            high[step] = own_share * own_high + (1 - own_share) * all_high
        out[level] = (mean + np.minimum(low, 0) * stretch * scale, mean + np.maximum(high, 0) * stretch * scale)
    return out


def _quantiles(values: Floats, count: Ints, level: float) -> tuple[Floats, Floats]:
    """The two conformal quantiles of each column's finite values, (G,) each; 0 in a column without any."""
    ordered = np.sort(np.where(np.isfinite(values), values, np.inf), axis=0)
    tail = (1 - np.minimum(1.0, level * (1 + 1 / np.maximum(count, 1)))) / 2
    ordered = np.where(np.isfinite(ordered), ordered, 0.0)
    column = np.arange(values.shape[1])
    sides = []
    for share in (tail, 1 - tail):
        position = share * np.maximum(count - 1, 0)
        below = np.floor(position).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(count - 1, 0))
        part = position - below
        sides.append(ordered[below, column] * (1 - part) + ordered[above, column] * part)
    return sides[0], sides[1]
