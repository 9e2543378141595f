"""Many tests, one ranking: each test is calibrated to the data it runs on, then the voices are added up.

A rule that fires on a tenth of a ledger says nothing there, however clever; a tail probability that assumes a
textbook distribution says too much on real money. So the evidence of a test is the mean of two figures:
-log10 of its model probability, and -log10 of how large a share of the rows it finds at least as strange.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aetherflow.analytics.columns import Bools, Floats

STRONGEST = 6.0  # no test speaks louder than one in a million: no model of payments is right beyond that
SECOND, THIRD = 0.25, 0.1


def calibrated(probability: Floats, fired: Bools) -> Floats:
    """Evidence of one test, 0 where it did not fire. `probability`: of so strange a row by chance, in (0, 1]."""
    model = np.clip(-np.log10(np.maximum(probability, 10.0**-STRONGEST)), 0.0, STRONGEST)
    model = np.where(fired, model, 0.0)
    ordered = np.sort(model)
    as_strange = len(model) - np.searchsorted(ordered, model, side="left")
    empirical = -np.log10(as_strange / max(len(model), 1))
    return np.where(model > 0, (model + empirical) / 2, 0.0)


def combined(tests: Sequence[Floats]) -> Floats:
    """The strongest voice, a quarter of the second and a tenth of the third: agreement counts, but ten faint
    oddities do not outweigh one plain one."""
    stacked = np.sort(np.stack(tests), axis=0)[::-1]
    total: Floats = stacked[0].copy()
    for voice, share in zip(stacked[1:3], (SECOND, THIRD), strict=False):
        total += share * voice
    return total
