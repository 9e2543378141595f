"""What has changed in a department's files since the last one, in words a person can check in their export."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from aetherflow.etl.profile import ColumnProfile, ColumnProfiler, Profile, Profiler
from aetherflow.etl.sketches import NumberBins
from aetherflow.etl.summaries import Cell, FewNumbers, FewTexts, ManyNumbers, number_of

# Of fewer rows a share says nothing.
LEAST_ROWS = 30
# The customary reading of the index: below 0.1 nothing has changed, above 0.25 much has.
SOME_PSI, MUCH_PSI = 0.10, 0.25
# 3.29 standard deviations: passed by chance once in a thousand times (3.09 on one side).
BEYOND_CHANCE, BEYOND_CHANCE_ABOVE = 3.29, 3.09
# A text expected in so many rows is in none of them by chance once in a thousand times.
MISSED = 7
NAMED = 5

Severity = Literal["notice", "warning"]


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One change. `column` is None for one of the whole file; a `warning` is worth a look before the rows are used."""

    column: str | None
    code: str
    severity: Severity
    message: str


@dataclass(frozen=True, kw_only=True)
class Stability:
    """A column's stability index, and how high it may be by custom and by the chance of so many rows."""

    column: str
    index: float
    usual: float


@dataclass(frozen=True, kw_only=True)
class Drift:
    """`stability` of the numbers and categories; `reason` says why nothing was compared, and is empty where it was."""

    stability: list[Stability] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def compare(now: Profiler, before: Profile) -> Drift:
    """What has changed from `before`, the file before, to `now`."""
    profile = now.result()
    if min(profile.rows, before.rows) < LEAST_ROWS:
        return Drift(
            reason=f"{profile.rows:,} rows now and {before.rows:,} before: "
            f"shares mean something from {LEAST_ROWS} rows on."
        )
    stability: list[Stability] = []
    flags = list(_row_flags(profile.rows, before.rows))
    earlier = {column.name: column for column in before.columns}
    for column, described in zip(now.columns, profile.columns, strict=True):
        was = earlier.get(described.name)
        if was is None or was.kind != described.kind:
            continue
        comparison = _Comparison(column, described, was)
        flags += comparison.flags()
        if comparison.stability:
            stability.append(comparison.stability)
    return Drift(stability=stability, flags=flags)


def stability_index(now: np.ndarray, before: np.ndarray) -> tuple[float, float]:
    """The population stability index of two counts over the same bins, and what it exceeds by chance once in 1,000.

    PSI = sum of (p - q) ln(p / q) over the bins' shares now (p) and before (q) (Siddiqi 2006, "Credit Risk
    Scorecards"). Half a row is added to every bin, since the logarithm of a share of 0 is infinite. Of two samples of
    one population it is about (1/n + 1/m) chi-squared with bins - 1 degrees of freedom (Yurdakul 2018, "Statistical
    properties of population stability index"), so that small files seem to drift; the quantile of chi-squared is
    Wilson and Hilferty's.
    """
    rows_now, rows_before = now.sum(), before.sum()
    p, q = ((counts + 0.5) / (counts.sum() + len(counts) / 2) for counts in (now, before))
    freedom = max(1, len(now) - 1)
    spread = 2 / (9 * freedom)
    chi_squared = freedom * (1 - spread + BEYOND_CHANCE_ABOVE * math.sqrt(spread)) ** 3
    return float(np.sum((p - q) * np.log(p / q))), float((1 / rows_now + 1 / rows_before) * chi_squared)


def _row_flags(now: int, before: int) -> Iterator[Flag]:
    if not before / 5 <= now <= before * 5:
        change = "fewer" if now < before else "more"
        times = max(now / before, before / now)
        yield Flag(
            column=None,
            code="row-count",
            severity="notice",
            message=f"{now:,} rows, {times:,.0f} times {change} than the {before:,} of the upload before.",
        )


class _Comparison:
    """One column of two files."""

    def __init__(self, column: ColumnProfiler, now: ColumnProfile, was: ColumnProfile) -> None:
        self.name = now.name
        self.declared = column.declared
        self.summary = column.summary
        self.now, self.was = now, was
        self.enough = min(now.rows - now.nulls, was.rows - was.nulls) >= LEAST_ROWS
        self.stability = self._stability() if self.enough else None

    def flags(self) -> Iterator[Flag]:
        yield from self._null_flags()
        if not self.enough:
            return
        if self.now.distinct == 1 < self.was.distinct:
            yield self._flag(
                "one-value", "warning", f"every row has {_shown(self.now.min)}; {self.was.distinct:,} values differed."
            )
        elif self.now.kind == "text":
            yield from self._text_flags()
        elif self.now.kind == "date":
            yield from self._day_flags()
        else:
            yield from self._number_flags()

    def _stability(self) -> Stability | None:
        if isinstance(self.summary, FewTexts):
            sides = self._texts_side_by_side() if self.was.categories else None
        elif isinstance(self.summary, FewNumbers | ManyNumbers) and self.now.kind != "date":
            sides = self._numbers_side_by_side(self.summary)
        else:
            sides = None
        if sides is None:
            return None
        index, by_chance = stability_index(*sides)
        return Stability(column=self.name, index=round(index, 4), usual=round(max(SOME_PSI, by_chance), 4))

    def _texts_side_by_side(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of each text of the file before, and of all new ones together: now, before."""
        rows, before = self._rows(), self.was.categories or {}
        known = [rows.get(text, 0) for text in before]
        return np.array([*known, sum(rows.values()) - sum(known)]), np.array([*before.values(), 0])

    def _numbers_side_by_side(self, summary: FewNumbers | ManyNumbers) -> tuple[np.ndarray, np.ndarray]:
        """Rows below, in each bar of, and above the histogram of the file before: now, before."""
        low = number_of(self.was.histogram[0]["low"])
        # Clear of the bin the smallest value lies in.
        below = min(low - abs(low) * 2 * NumberBins.ERROR, float(np.nextafter(low, -np.inf)))
        edges = [below, *(number_of(bar["high"]) for bar in self.was.histogram), np.inf]
        now = np.diff(summary.up_to(np.array(edges)), prepend=0)
        return now, np.array([0, *(bar["rows"] for bar in self.was.histogram), 0])

    def _rows(self) -> dict[str, int]:
        return self.summary.rows_of_each() if isinstance(self.summary, FewTexts) else {}

    def _null_flags(self) -> Iterator[Flag]:
        now, was = self.now.nulls / self.now.rows, self.was.nulls / self.was.rows
        both = (self.now.nulls + self.was.nulls) / (self.now.rows + self.was.rows)
        error = math.sqrt(both * (1 - both) * (1 / self.now.rows + 1 / self.was.rows))
        if abs(now - was) < max(0.05, BEYOND_CHANCE * error):
            return
        if now == 1:
            yield self._flag("all-empty", "warning", f"every cell is empty; {_percent(was)} were before.")
        else:
            verb = "rose" if now > was else "fell"
            yield self._flag(
                "null-share",
                "warning" if now - was >= 0.2 else "notice",
                f"the share of empty cells {verb} from {_percent(was)} to {_percent(now)}.",
            )

    def _text_flags(self) -> Iterator[Flag]:
        if self.was.categories is None:
            return
        if self.now.distinct > 10 * max(self.was.distinct, 10):
            yield self._flag(
                "many-more-values",
                "warning",
                f"{self.now.distinct:,} values differ, where {self.was.distinct:,} did: another column's cells?",
            )
            return
        rows, before = self._rows(), self.was.categories
        ratio = min(1, sum(rows.values()) / sum(before.values()))
        gone = [text for text, count in before.items() if text not in rows and count * ratio >= MISSED]
        new = sorted((text for text in rows if text not in before), key=lambda text: -rows[text])
        if new:
            share = sum(rows[text] for text in new) / sum(rows.values())
            yield self._flag(
                "new-values",
                "warning" if share >= 0.2 else "notice",
                f"values that were not there before, in {_percent(share)} of the rows: {_listed(new)}.",
            )
        if gone:
            yield self._flag("gone-values", "notice", f"values that are no longer there: {_listed(gone)}.")
        yield from self._index_flag()

    def _day_flags(self) -> Iterator[Flag]:
        (first, last), (first_before, last_before) = _bounds(self.now), _bounds(self.was)
        span, span_before = last - first + 1, last_before - first_before + 1
        if last < first_before:
            yield self._flag(
                "older-days", "notice", f"all days are before those of the upload before ({_from_to(self.was)})."
            )
        elif first - last_before > 7:
            yield self._flag(
                "missing-days",
                "notice",
                f"the {first - last_before - 1:,.0f} days between {self.was.max} and {self.now.min} have no rows: "
                "is a file missing?",
            )
        if span > max(180, 5 * span_before) and self.now.rows < 3 * self.was.rows:
            yield self._flag(
                "wider-days",
                "notice",
                f"the days run over {span:,.0f} days, those before over {span_before:,.0f}: "
                "were day and month exchanged?",
            )

    def _number_flags(self) -> Iterator[Flag]:
        times = self._times()
        if times:
            yield self._flag(
                "another-scale",
                "warning",
                f"the range was {_from_to(self.was)} and is {_from_to(self.now)}, about {times} what it was"
                f"{self._guess(times)}.",
            )
            return
        (low, high), (low_before, high_before) = _bounds(self.now), _bounds(self.was)
        if low < 0 <= low_before:
            yield self._flag("below-zero", "notice", f"there are values below 0, down to {_shown(self.now.min)}.")
        if high > 10 * high_before > 0:
            yield self._flag(
                "far-above",
                "notice",
                f"the largest value is {_shown(self.now.max)}; before it was {_shown(self.was.max)}.",
            )
        yield from self._index_flag()

    def _times(self) -> str | None:
        """Where all quartiles are about 100 or 1,000 times what they were, or that part of it."""
        now_at, was_at = self.now.quantiles or {}, self.was.quantiles or {}
        quartiles = [(number_of(now_at[p]), number_of(was_at[p])) for p in ("p25", "p50", "p75")]
        if any(now <= 0 or was <= 0 for now, was in quartiles):
            return None
        for factor, words in SCALES.items():
            if all(factor / 2 <= now / was <= factor * 2 for now, was in quartiles):
                return words
        return None

    def _guess(self, times: str) -> str:
        return GUESSES.get((self.declared.unit or "", times), "")

    def _index_flag(self) -> Iterator[Flag]:
        if self.stability and self.stability.index > self.stability.usual:
            much = self.stability.index > MUCH_PSI
            yield self._flag(
                "distribution",
                "warning" if much else "notice",
                f"the values are spread {'quite' if much else 'somewhat'} otherwise than before "
                f"(stability index {self.stability.index:.2f}; up to {self.stability.usual:.2f} is usual).",
            )

    def _flag(self, code: str, severity: Severity, change: str) -> Flag:
        return Flag(column=self.name, code=code, severity=severity, message=f"{self.name}: {change}")


SCALES = {100: "100 times", 1_000: "1,000 times", 1 / 100: "a hundredth of", 1 / 1_000: "a thousandth of"}
GUESSES = {
    ("money", "100 times"): ": perhaps cents",
    ("money", "a hundredth of"): ": perhaps no longer cents",
    ("money", "a thousandth of"): ": perhaps in thousands",
    ("money", "1,000 times"): ": perhaps no longer in thousands",
    ("percent", "a hundredth of"): ": perhaps shares (0.15) for percentages (15)",
    ("percent", "100 times"): ": perhaps percentages (15) for shares (0.15)",
}


def _bounds(column: ColumnProfile) -> tuple[float, float]:
    """The smallest and the largest number, or day as a number, of a column with values."""
    if column.min is None or column.max is None:
        raise TypeError(f"{column.name} has no values.")
    return number_of(column.min), number_of(column.max)


def _from_to(column: ColumnProfile) -> str:
    return f"{_shown(column.min)} to {_shown(column.max)}"


def _shown(cell: Cell | None) -> str:
    return f"{cell:,.15g}" if isinstance(cell, int | float) else str(cell)


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - NAMED:,} more" if len(texts) > NAMED else ""
    return ", ".join(f"'{text}'" for text in texts[:NAMED]) + more


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.1f} %" if 0 < percent < 10 and percent != round(percent) else f"{percent:.0f} %"
