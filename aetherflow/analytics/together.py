"""Payments whose figures are each usual enough, and not together: the multivariate voice beside the single tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aetherflow.analytics import detector
from aetherflow.analytics import groups as by_group
from aetherflow.analytics.columns import Floats, Ints
from aetherflow.analytics.evidence import STRONGEST, Test
from aetherflow.analytics.habits import LEAST_OTHERS

Counts = npt.NDArray[np.int32]

LEAST_ROWS = 100  # among fewer, no combination is rare
REFERENCES = 10_000  # what is usual is learnt from so many rows at most
SCORED = 20_000  # the detector costs 20 s a million rows, and nobody reads further down the list
PART = 100_000
FIRM = 3.0  # rows' worth of the ledger's share in a group's own
LOUD = 1.0  # a figure speaks that one row in ten has, or fewer


@dataclass(frozen=True, kw_only=True)
class Share:
    """Of the row's group `others` other rows, `same` of which have what the row has. `rarity`: -log10 of that share,
    drawn towards the ledger's, NaN where either is not known or there are too few others."""

    same: Counts
    others: Counts
    rarity: Floats


def share_of(of: Ints, within: Ints) -> Share:
    """How often other rows with the row's `within` have its `of` (codes, -1 unknown)."""
    same, others = by_group.company(of, within)
    everywhere = by_group.sizes(of + 1) / max(len(of), 1)
    share = np.maximum((same + FIRM * everywhere) / (others + FIRM), 10.0**-STRONGEST)
    known = (of >= 0) & (within >= 0) & (others >= LEAST_OTHERS)
    rarity = np.where(known, -np.log10(share), np.nan)
    return Share(same=same.astype(np.int32), others=others.astype(np.int32), rarity=rarity)


@dataclass(frozen=True, kw_only=True)
class Together:
    """What was judged: `rows`, ascending; the chance of each; and, by figure, -log10 of the share of rows that are as
    far out in it, and for shares the counts behind it. All of one length but `among`, the number of all rows."""

    rows: Ints
    probability: Floats
    loud: Mapping[str, Floats]
    counts: Mapping[str, tuple[Counts, Counts]]
    among: int

    def test(self) -> Test:
        probability = np.ones(self.among)
        probability[self.rows] = self.probability
        return Test(fired=probability < 1.0, probability=probability)

    def figures_at(self, row: int) -> list[str]:
        """The figures that speak of a row that fired, the loudest first."""
        place = int(np.searchsorted(self.rows, row))
        spoken = sorted((-float(said[place]), name) for name, said in self.loud.items() if said[place] >= LOUD)
        return [name for _, name in spoken]

    def counts_at(self, row: int, figure: str) -> tuple[int, int]:
        place = int(np.searchsorted(self.rows, row))
        same, others = self.counts[figure]
        return int(same[place]), int(others[place])


def judged(*, score: Floats, shares: Mapping[str, Share], tie: Ints) -> Together:
    """Rows that are strange by several figures at once: the robust score of the amount ("amount") and shares, by name.

    `tie` orders the rows, whatever order they came in. At most SCORED rows are judged, those whose figures are rarest
    one by one (histograms, which are cheap), by the detector's four voices (`aetherflow.analytics.detector`; Isolation
    Forest is one), against a sample of all rows. The chance is the geometric mean of the shares of the sample that are
    as strange to each voice: exp(-strangeness). Only a row with two figures that speak fires, since of one figure its
    own test knows more.
    """
    # Scores have long tails, which would leave the histogram of all others in one bin.
    figures = {"amount": np.sign(score) * np.log1p(np.abs(score))} | {name: of.rarity for name, of in shares.items()}
    size = len(score)
    order = np.argsort(tie, kind="stable")
    drawn = np.random.default_rng(0).choice(size, size=min(size, REFERENCES), replace=False)
    sample = _table(figures, order[drawn])
    rows = _rarest(figures, sample, tie) if size >= LEAST_ROWS else np.empty(0, dtype=np.int64)
    there = _table(figures, rows)
    loud = {name: _loudness(there[:, at], sample[:, at]) for at, name in enumerate(figures)}
    speaking = np.sum([said >= LOUD for said in loud.values()], axis=0)
    chance = np.exp(-detector.strangeness(there, among=sample))
    return Together(
        rows=rows,
        probability=np.where(speaking >= 2, chance, 1.0),
        loud=loud,
        counts={name: (of.same[rows], of.others[rows]) for name, of in shares.items()},
        among=size,
    )


def _table(figures: Mapping[str, Floats], rows: Ints) -> Floats:
    return np.column_stack([column[rows] for column in figures.values()])


def _rarest(figures: Mapping[str, Floats], sample: Floats, tie: Ints) -> Ints:
    every = np.arange(len(tie))
    if len(tie) <= SCORED:
        return every
    usual = detector.standardised(sample)
    tables = (_table(figures, every[at : at + PART]) for at in range(0, len(tie), PART))
    rarity = np.concatenate(
        [detector.by_histograms(detector.standardised(table, among=sample), among=usual) for table in tables]
    )
    return np.sort(np.lexsort((tie, -rarity))[:SCORED])


def _loudness(column: Floats, sample: Floats) -> Floats:
    """-log10 of the share of the sample that is as far from 0; 0 for what is not known."""
    known = np.sort(np.abs(sample[np.isfinite(sample)]))
    reached = len(known) - np.searchsorted(known, np.abs(column), side="left")
    return np.where(np.isfinite(column), -np.log10((reached + 0.5) / (len(known) + 1.0)), 0.0)
