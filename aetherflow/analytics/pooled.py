"""One regression for all series: what the last weeks of any series say about its next ones."""

from __future__ import annotations

import numpy as np

from aetherflow.analytics.columns import Bools, Floats, Ints

LAGS = 8
LEVEL = 26  # weeks whose mean is a series' unit
PENALTY = 30.0  # on standard-sized inputs: the weight of some 30 rows that say "no effect"
INPUTS = LAGS + 5
LEAST_ROWS = 4 * INPUTS  # fewer rows to learn from: the mean of the last LEVEL weeks stands in


def pooled_ridge(totals: Floats, begin: Ints, origins: Ints, *, lead: int, steps: int) -> Floats:
    """Forecasts (O, steps, G) of a ridge regression over all series, one per step, refitted at every origin.

    Values in units of the series' mean of the last LEVEL weeks, as log(1 + value): the last LAGS weeks, the means of 13
    and of LEVEL, and the mean over all series of the last week and of the last four. Negative weeks count as 0. Sums of
    squares are carried along, so a refit costs one small system of equations. Sources: Hoerl & Kennard (1970),
    Technometrics 12; one model over all series: Montero-Manso & Hyndman (2021), Int. J. Forecasting 37.
    """
    series = totals.shape[1]
    size = np.maximum(totals, 0.0)
    until = np.vstack([np.zeros((1, series)), size.cumsum(axis=0)])
    gram, moment = np.zeros((steps, INPUTS, INPUTS)), np.zeros((steps, INPUTS))
    penalty = np.diag([*[PENALTY] * (INPUTS - 1), 1e-6])
    out = np.full((len(origins), steps, series), np.nan)
    wanted = {int(origin): place for place, origin in enumerate(origins)}
    asked: dict[int, tuple[Floats, Floats]] = {}
    for origin in range(1, int(origins[-1]) + 1):
        known = np.clip(origin - begin, 0, LEVEL)
        unit = (until[origin] - until[max(0, origin - LEVEL)]) / np.maximum(known, 1)
        unit = np.where(unit > 0, unit, 1.0)
        asked[origin] = (_inputs(size, begin, origin, unit), unit)
        for step in range(steps):
            then = origin - lead - step
            if then not in asked:
                continue
            inputs, past_unit = asked[then]
            learnt = (then - begin >= LAGS) & (until[then] > until[max(0, then - LEVEL)])
            target = np.log1p(size[origin - 1, learnt] / past_unit[learnt])
            gram[step] += inputs[learnt].T @ inputs[learnt]
            moment[step] += inputs[learnt].T @ target
        asked.pop(origin - lead - steps + 1, None)
        if origin in wanted:
            inputs, unit = asked[origin]
            for step in range(steps):
                ahead = unit
                if gram[step, -1, -1] >= LEAST_ROWS:
                    # A week is not believed beyond e^3 = 20 times the usual one.
                    logs = inputs @ np.linalg.solve(gram[step] + penalty, moment[step])
                    ahead = np.expm1(np.clip(logs, 0.0, 3.0)) * unit
                out[wanted[origin], step] = np.where(begin < origin, ahead, np.nan)
    return out


def _inputs(size: Floats, begin: Ints, origin: int, unit: Floats) -> Floats:
    """(G, INPUTS); weeks before a series began are filled with the mean of those after."""
    recent = np.log1p(size[max(0, origin - LEVEL) : origin] / unit)
    known = np.arange(max(0, origin - LEVEL), origin)[:, None] >= begin[None, :]
    inputs = np.ones((size.shape[1], INPUTS))
    short = _mean(recent[-13:], known[-13:])
    for lag in range(LAGS):
        inputs[:, lag] = np.where(known[-1 - lag], recent[-1 - lag], short) if lag < len(recent) else short
    inputs[:, LAGS], inputs[:, LAGS + 1] = short, _mean(recent, known)
    inputs[:, LAGS + 2] = recent[-1][known[-1]].mean() if known[-1].any() else 0.0
    inputs[:, LAGS + 3] = recent[-4:][known[-4:]].mean() if known[-4:].any() else 0.0
    return inputs


def _mean(values: Floats, known: Bools) -> Floats:
    mean: Floats = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return mean
