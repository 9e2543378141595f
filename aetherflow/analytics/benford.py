"""Benford's law for a whole population of amounts: a hint about how the sums came about, never about one payment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aetherflow.analytics.columns import Floats

LEAST = 1_000  # Nigrini advises against the first-two digits test on fewer amounts
CLOSE, ACCEPTABLE, MARGINAL = 0.0012, 0.0018, 0.0022


@dataclass(frozen=True, kw_only=True)
class Conformity:
    """Mean absolute deviation of the shares of the first two digits from Benford's, and what it is called."""

    deviation: float
    word: str
    amounts: int


def first_two_digits(sizes: Floats) -> Conformity | None:
    """Of sizes of at least 10 units; None for fewer than 1,000 of them. The limits are Nigrini's (Benford's Law, 2012,
    table 7.1): close up to 0.0012, acceptable up to 0.0018, marginal up to 0.0022, nonconforming above."""
    large = sizes[sizes >= 10]
    if len(large) < LEAST:
        return None
    # Half a cent more, so that 10 ** floor(log10) of an exact power of ten does not fall one short.
    digits = np.floor((large + 1e-9) / 10.0 ** (np.floor(np.log10(large + 1e-9)) - 1)).astype(np.int64)
    seen = np.bincount(np.clip(digits, 10, 99), minlength=100)[10:] / len(large)
    due = np.log10(1 + 1 / np.arange(10, 100))
    deviation = float(np.abs(seen - due).mean())
    word = "nonconforming"
    for limit, name in ((MARGINAL, "marginal"), (ACCEPTABLE, "acceptable"), (CLOSE, "close")):
        word = name if deviation <= limit else word
    return Conformity(deviation=deviation, word=word, amounts=len(large))
