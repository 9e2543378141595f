"""Many tests, one ranking: each test is calibrated to the data it runs on, then the voices are added up.

A rule that fires on a tenth of a ledger says nothing there, however clever; a tail probability that assumes a
textbook distribution says too much on real money. So the evidence of a test is the mean of two figures:
-log10 of its model probability, and -log10 of how large a share of the rows it finds at least as strange.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aetherflow.analytics.columns import Bools, Floats

STRONGEST = 6.0  # no test speaks louder than one in a million: no model of payments is right beyond that
SECOND, THIRD = 0.15, 0.05


@dataclass(frozen=True, kw_only=True)
class Test:
    """fired: where the test has something to say; probability: of it by chance, in (0, 1]; findings: how much of a
    finding the row is, 1 where that is all of it (the default)."""

    fired: Bools
    probability: Floats
    findings: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class Voice:
    """Evidence `strength` at `rows`, ascending, and none at the others of `among`: most tests are silent on most rows,
    and those of a million rows are 8 MB each."""

    rows: npt.NDArray[np.int32]
    strength: Floats
    among: int

    @classmethod
    def of(cls, voice: Floats) -> Voice:
        rows = np.flatnonzero(voice)
        return cls(rows=rows.astype(np.int32), strength=voice[rows], among=len(voice))

    def everywhere(self) -> Floats:
        voice = np.zeros(self.among)
        voice[self.rows] = self.strength
        return voice


def calibrated(probability: Floats, fired: Bools, findings: Floats | None = None) -> Floats:
    """Evidence of one test, 0 where it did not fire. `probability`: of so strange a row by chance, in (0, 1];
    `findings`: rows that are one finding together are one as strange, not several."""
    model = np.clip(-np.log10(np.maximum(probability, 10.0**-STRONGEST)), 0.0, STRONGEST)
    model = np.where(fired, model, 0.0)
    if findings is None:
        as_strange = len(model) - np.searchsorted(np.sort(model), model, side="left")
    else:
        order = np.argsort(-model, kind="stable")
        counted = np.cumsum(findings[order])
        as_strange = np.maximum(counted[np.searchsorted(-model[order], -model, side="right") - 1], 1.0)
    empirical = -np.log10(as_strange / max(len(model), 1))
    return np.where(model > 0, (model + empirical) / 2, 0.0)


def combined(tests: Iterable[Floats]) -> Floats:
    """The strongest voice, 15 % of the second and 5 % of the third: agreement counts, but ten faint
    oddities do not outweigh one plain one."""
    voices = iter(tests)
    first = next(voices)
    second, third = np.zeros(len(first)), np.zeros(len(first))
    for voice in voices:
        first, rest = np.maximum(first, voice), np.minimum(first, voice)
        second, rest = np.maximum(second, rest), np.minimum(second, rest)
        third = np.maximum(third, rest)
    total: Floats = first + SECOND * second + THIRD * third
    return total


def bar(total: Floats, *, tests: int, false_share: float) -> float:
    """The least evidence from which at most `false_share` of the rows are expected to be false alarms.

    Evidence e says that a row so strange comes about by chance with 10^-e in one test, so of n honest rows in so many
    tests at most n * tests * 10^-e reach it. Benjamini & Hochberg (1995), JRSS B 57, with the union bound over tests.
    In a small ledger no rank can say "one in a thousand", so never more than what the strangest row has when its
    model probability alone stands the same bound: the mean of that and log10 n.
    """
    ordered = np.sort(total)[::-1]
    expected = len(total) * tests * 10.0**-ordered
    kept = np.flatnonzero(expected <= false_share * np.arange(1, len(total) + 1))
    rank = float(np.log10(max(len(total), 1)))
    lone = rank + float(np.log10(max(tests, 1) / false_share)) / 2
    return min(float(ordered[kept[-1]]), lone) if len(kept) else lone
