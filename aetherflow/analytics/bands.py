"""Bands around a forecast from the errors of its backtest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aetherflow.analytics.columns import Bools, Floats

LEVELS = (0.80, 0.95)
NORMAL = {0.80: 1.2816, 0.95: 1.96}
LEAST_RESIDUALS = 20
LEAST_SERIES = 8
EVEN = 1 / 3
# Usual changes on either side where a series ever changed: a tenth of what stands in for too few residuals. Most
# errors of a series that changes rarely are 0, which says that it is steady and not that it is certain.
LEAST_SIDE = {level: 0.1 * 1.25 * quantile for level, quantile in NORMAL.items()}


def bands_by_kind(
    mean: Floats, residuals: Floats, *, scale: Floats, size: Floats, folds: int
) -> Mapping[float, tuple[Floats, Floats]]:
    """As `residual_bands`, the steadier half of the series and the more restless one each with errors of its own size.

    Restless is a large usual change `scale` (G,) for the `size` (G,) of the series. Errors of one kind say little of
    how large the other's are: Mondrian conformal prediction (Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a
    Random World, 4.5). Of the shape of the tails they do: half of a band comes from the errors of all series, in units
    of the mean size of their kind's. With fewer than LEAST_SERIES they are all one kind.
    """
    if len(size) < LEAST_SERIES:
        return residual_bands(mean, residuals, scale=scale, folds=folds)
    restless = np.where(size > 0, scale / np.where(size > 0, size, 1.0), np.inf)
    second = np.zeros(len(size), dtype=bool)
    second[np.argsort(restless, kind="stable")[(len(size) + 1) // 2 :]] = True
    unit = np.where(second, _mean_size(residuals[..., second]), _mean_size(residuals[..., ~second]))
    shared = residual_bands(mean, residuals / unit, scale=scale * unit, folds=folds)
    out = dict(shared)
    for kind in (second, ~second):
        own = residual_bands(mean[:, kind], residuals[..., kind], scale=scale[kind], folds=folds)
        for level, bounds in own.items():
            for side, bound in zip(out[level], bounds, strict=True):
                side[:, kind] = (side[:, kind] + bound) / 2
    return out


def not_certain(
    limits: Mapping[float, tuple[Floats, Floats]], mean: Floats, *, scale: Floats, varies: Bools
) -> Mapping[float, tuple[Floats, Floats]]:
    """No side narrower than LEAST_SIDE usual changes `scale` (G,) for the series that ever changed, `varies` (G,)."""
    unit = np.where(varies, scale, 0.0)
    return {
        level: (np.minimum(lower, mean - LEAST_SIDE[level] * unit), np.maximum(upper, mean + LEAST_SIDE[level] * unit))
        for level, (lower, upper) in limits.items()
    }


def _mean_size(residuals: Floats) -> float:
    known = np.abs(residuals[np.isfinite(residuals)])
    return float(known.mean()) if known.any() else 1.0


def residual_bands(
    mean: Floats, residuals: Floats, *, scale: Floats, folds: int
) -> Mapping[float, tuple[Floats, Floats]]:
    """Level to (lower, upper), each (steps, G), around `mean` (steps, G).

    `residuals` (folds, steps, G) are what came less what was forecast, in units of the series' usual change then;
    `scale` (G,) is that unit now. Split conformal prediction (Vovk et al. 2005; Lei et al. 2018, JASA 113) with the
    residuals of all series pooled per step, or over all steps while a step has fewer than 100. How lopsided the tails
    of few errors are is partly chance: a third of each side comes from the quantile of their sizes, which has both
    tails to know it by. Few, overlapping folds under-cover, so both sides are stretched by 1 + 1.2 / sqrt(4 folds).
    With fewer than LEAST_RESIDUALS in all, the quantiles of a normal distribution at 1.25 usual changes (its standard
    deviation is sqrt(pi)/2 = 0.89 of them) stand in, stretched likewise.
    """
    stretch = 1 + 1.2 / np.sqrt(4 * max(folds, 1))
    pool = residuals[np.isfinite(residuals)]
    out: dict[float, tuple[Floats, Floats]] = {}
    for level in LEVELS:
        sides = np.empty((len(mean), 2))
        for step in range(len(mean)):
            own = residuals[:, step][np.isfinite(residuals[:, step])]
            sample = own if len(own) >= 100 else pool
            if len(sample) >= LEAST_RESIDUALS:
                tail = (1 - min(1.0, level * (1 + 1 / len(sample)))) / 2
                even = np.quantile(np.abs(sample), 1 - 2 * tail)
                own_sides = np.quantile(sample, [tail, 1 - tail])
                sides[step] = own_sides + EVEN * (np.array([-even, even]) - own_sides)
            else:
                sides[step] = (-1.25 * NORMAL[level], 1.25 * NORMAL[level])
        lower = mean + np.minimum(sides[:, :1], 0) * stretch * scale
        upper = mean + np.maximum(sides[:, 1:], 0) * stretch * scale
        out[level] = (lower, upper)
    return out
