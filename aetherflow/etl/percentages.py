"""Whether a column of percentages is written in percent (15) or in shares of 1 (0.15): decided over all of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.etl.casting import Scale
from aetherflow.etl.formats.typed import UNDECIDED

SAYS_SHARE = frozenset({"rate", "ratio", "fraction", "share", "proportion", "decimal"})
SAYS_PERCENT = frozenset({"%", "pct", "perc", "percent", "percentage"})

_MARK = f"[.,{UNDECIDED}]"
BETWEEN = rf"^[+-]?0*{_MARK}\d*[1-9]\d*$"
ONE = rf"^[+-]?0*1(?:{_MARK}0*)?$"
ABOVE = rf"^[+-]?0*(?:(?:[2-9]|[1-9]\d+)(?:{_MARK}\d*)?|1{_MARK}0*[1-9]\d*)$"
QUARTERS = ("25", "5", "75")

# So many different fractions that are no quarters are hardly those of percentages, all of which are below 1 %.
FRACTIONS = 3
# A slip of the pen in a file of shares is one in so many, and is refused: it must not turn all the others around.
RARE = 100
# So many cells above 1 are no slips, whatever else there is: from there on no cell is looked into.
ENOUGH = 1_000


@dataclass(kw_only=True)
class ScaleEvidence:
    """Gathered batch by batch of one column; `scale` is the verdict over all batches seen.

    15 is no share of anything, so cells above 1 make a column percentages, unless they are few and a hundred times as
    many lie strictly between 0 and 1. Cells between 0 and 1 are explained by both: half a percent is a discount too.
    Without cells above 1 they are shares where the `label` speaks of a rate, a share or a fraction, and percentages
    where it speaks of percent. A label that says neither leaves it to the cells: percentages below 1 are written in
    halves and quarters, so three other fractions make them shares. Anything else is in percent, and assumed to be where
    it matters; so is a column whose label says percent over cells that say shares. 0 is the same in both, and a cell
    with a percent sign says only how it is meant itself.

    What is `usual`, being known from the file that this one completes, holds; shares do unless most cells are above 1.
    """

    label: str
    usual: Scale | None = None
    between: int = 0
    ones: int = 0
    above: int = 0
    fractions: set[str] = field(default_factory=set)

    def take(self, cells: pa.StringArray) -> None:
        if self.usual is None and self.above >= ENOUGH:
            return
        different = pc.value_counts(cells)
        texts = pc.utf8_trim_whitespace(different.field("values"))
        cells_each = different.field("counts").to_numpy()
        is_between, is_one, is_above = (
            pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False) for pattern in (BETWEEN, ONE, ABOVE)
        )
        self.between += int(cells_each[is_between].sum())
        self.ones += int(cells_each[is_one].sum())
        self.above += int(cells_each[is_above].sum())
        if len(self.fractions) < FRACTIONS and is_between.any():
            texts = pl.Series(texts.filter(pa.array(is_between)), dtype=pl.String)
            decimals = texts.str.replace(rf"^.*{_MARK}", "").str.strip_chars_end("0")
            self.fractions.update(decimals.filter(~decimals.is_in(QUARTERS)).unique().head(FRACTIONS))

    def state(self) -> dict[str, Any]:
        return {
            "between": self.between,
            "ones": self.ones,
            "above": self.above,
            "fractions": sorted(self.fractions),
        }

    def add(self, state: Mapping[str, Any]) -> None:
        """The verdict is that over all cells, though no part looked into all of its own: one that stopped at ENOUGH
        cells above 1 decides by these alone, and any other has kept all its fractions, or as many as it takes.
        """
        self.between += state["between"]
        self.ones += state["ones"]
        self.above += state["above"]
        if len(self.fractions) < FRACTIONS:
            self.fractions.update(state["fractions"])

    @property
    def is_empty(self) -> bool:
        """No cell would be another value on the other scale."""
        return not (self.between or self.ones or self.above)

    @property
    def scale(self) -> Scale:
        if self.usual is not None:
            most_are_above = self.above > self.between + self.ones
            return "percent" if most_are_above else self.usual
        if not self.between or self._cells_say_percent or self._label_says(SAYS_PERCENT):
            return "percent"
        return "share" if self._label_says(SAYS_SHARE) or self._cells_say_share else "percent"

    @property
    def assumed(self) -> bool:
        if self.usual is not None:
            return not (self.between if self.scale == "share" else self.above)
        if self.is_empty or self.scale == "share" or self._cells_say_percent:
            return False
        return self._cells_say_share or not self._label_says(SAYS_PERCENT)

    @property
    def _cells_say_percent(self) -> bool:
        return self.above >= ENOUGH or self.above * RARE > self.between

    @property
    def _cells_say_share(self) -> bool:
        return len(self.fractions) >= FRACTIONS

    def _label_says(self, words: frozenset[str]) -> bool:
        """discount_pct, Discount Rate, discountRate and DISCOUNT (%) say something; 'corporate' has no rate in it."""
        return not words.isdisjoint(word.lower() for word in re.findall(r"%|[A-Z]?[a-z]+|[A-Z]+", self.label))
