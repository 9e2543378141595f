"""What people said of earlier findings, as a shift of the evidence of like cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aetherflow.analytics.columns import Floats, Ints

PRIOR = 2.0  # reviews' worth of "as often right as not" before the first verdict
OWN = 2.0  # reviews' worth of the code's own rate in that of code and payee
BOUND, PAYEE_BOUND = 0.5, 1.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One reviewed finding: its reason codes, strongest first, the code of its payee (-1 unknown), and whether it
    was confirmed."""

    codes: Sequence[str]
    payee: int
    confirmed: bool


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """Shifts in units of evidence (powers of ten), by reason code and by reason code and payee."""

    by_code: Mapping[str, float] = field(default_factory=dict)
    by_payee: Mapping[tuple[str, int], float] = field(default_factory=dict)

    def adjusted(self, code: str, voice: Floats, *, payee: Ints) -> Floats:
        """The voice moved by what is known of its like; a silent voice stays silent, and none falls below 0."""
        moved = np.full(len(voice), self.by_code.get(code, 0.0))
        for (named, who), shift in self.by_payee.items():
            if named == code:
                moved[payee == who] = shift
        return np.where(voice > 0, np.maximum(voice + moved, 0.0), 0.0)


def learnt(verdicts: Sequence[Verdict]) -> Learnt:
    """Log10 odds that a finding of a code is confirmed, from a Beta(1, 1) prior, at most ±0.5; for a code and payee
    the same with the code's rate as the prior, worth two reviews, at most ±1 (beta-binomial shrinkage: Gelman et al.,
    Bayesian Data Analysis, 3rd ed., ch. 5). A finding counts for its strongest reason only: nobody said anything of
    the others."""
    of_code: dict[str, list[bool]] = {}
    of_payee: dict[tuple[str, int], list[bool]] = {}
    for verdict in verdicts:
        for code in verdict.codes[:1]:
            of_code.setdefault(code, []).append(verdict.confirmed)
            if verdict.payee >= 0:
                of_payee.setdefault((code, verdict.payee), []).append(verdict.confirmed)
    rate = {code: _rate(said, PRIOR, 0.5) for code, said in of_code.items()}
    return Learnt(
        by_code={code: _shift(share, BOUND) for code, share in rate.items()},
        by_payee={pair: _shift(_rate(said, OWN, rate[pair[0]]), PAYEE_BOUND) for pair, said in of_payee.items()},
    )


def _rate(said: Sequence[bool], strength: float, prior: float) -> float:
    return (sum(said) + strength * prior) / (len(said) + strength)


def _shift(rate: float, bound: float) -> float:
    return float(np.clip(np.log10(rate / (1 - rate)), -bound, bound))
