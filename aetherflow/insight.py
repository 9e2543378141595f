"""What a department's insight is: a named computation over its rows, and the answer it gives.

A department declares `INSIGHTS`, a tuple of `Insight`; whoever stores or shows them needs to know nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

Item = dict[str, Any]
Verdict = Literal["expected", "confirmed"]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A number a department may choose for itself, such as the service level it orders for; both bounds included."""

    name: str
    label: str
    help: str
    default: float
    least: float
    most: float


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a person said of an item: `expected`, nothing is wrong with it, or `confirmed`, it is what it looked like.

    `subject` says which item (see Insight.subject); `item` is how it was shown to them.
    """

    subject: tuple[str, ...]
    verdict: Verdict
    item: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Given:
    """What an insight is computed from beside the rows: settings by name, defaults where none is chosen, and the
    reviews in the order of their subjects. It is kept with the answer: the same rows and the same Given give the same
    answer to the byte."""

    settings: Mapping[str, float] = field(default_factory=dict)
    reviews: Sequence[Review] = ()


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What of an answer is compared with the one before the newest upload: `figures` by name, and the subjects of the
    items it flags."""

    figures: Mapping[str, float] = field(default_factory=dict)
    flagged: Sequence[tuple[str, ...]] = ()


@dataclass(frozen=True, kw_only=True)
class InsightResult:
    """One computed insight, ready to be stored as JSON.

    `data`, `items`, `parameters` and `quality` hold only str, int, finite float, bool, None, list and dict: dates are
    ISO strings, money is rounded to cents, and what cannot be known is None, never NaN or infinity. `items` is the
    whole ranking, worst first, None where the insight is no ranking; who shows `data` shows its head under "items".
    `parameters` are the constants and settings that the numbers hang on. `quality` is None where the method has no
    backtest. `summary` is one sentence for the people of the department, with the numbers in it.
    """

    kind: str
    method: str
    quality: dict[str, object] | None
    summary: str
    data: dict[str, object]
    items: Sequence[Item] | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    headline: Headline = field(default_factory=Headline)


def _nothing_to_say(_before: Headline, _now: Headline) -> str:
    return ""


def _the_same(_reviewed: Mapping[str, Any], _now: Mapping[str, Any]) -> str:
    return ""


SEVERITIES = ("low", "medium", "high", "critical")


def more_severe(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """'It was medium, and is critical now.'; "" where it is no more severe than it was."""
    was, is_now = before.get("severity"), now.get("severity")
    if was in SEVERITIES and is_now in SEVERITIES and SEVERITIES.index(was) < SEVERITIES.index(is_now):
        return f"It was {was}, and is {is_now} now."
    return ""


@dataclass(frozen=True, kw_only=True)
class Facet:
    """A field of the items whose values a reader chooses among. Where the field holds a list of objects, `each` names
    the part of them that is meant."""

    name: str
    label: str
    field: str
    each: str = ""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A column of numbers to be multiplied: `missing` where a cell is empty; `off_hundred` as the share of 1 that is
    left of it, 1 - column / 100. Where a cell is empty and nothing is said for it, the row is told apart."""

    column: str
    missing: int | None = None
    off_hundred: bool = False


@dataclass(frozen=True, kw_only=True)
class Rollup:
    """Rows that would be added up anyhow, added up where they are stored: one row for all of one week, alike in `by`,
    and of which `above_zero` is above 0, or is not.

    It has the columns of `by`, `first` and `last` (the days), `rows` (how many) and of each of `sums` the exact sum of
    the product of its factors. Rows that lack the day, or a factor for which nothing is said, come by themselves, with
    neither days nor sums.
    """

    day: str
    by: tuple[str, ...]
    above_zero: str
    sums: Mapping[str, tuple[Factor, ...]]


@dataclass(frozen=True, kw_only=True)
class Insight:
    """One insight a department offers.

    `compute` takes the department's current rows (those superseded by a newer upload already left out) with at least
    `columns`, Arrow-backed or plain pandas dtypes, in any order, and gives the same answer for the same rows and the
    same Given. It reads no clock: every date comes from the rows. Too little data is an answer with an empty list and
    the reason in `summary`, not an error. `version` is raised with every change of what comes out. `subject` names the
    fields of an item that say which one it is, from one computation to the next. `since` says in one sentence what has
    changed from one headline to the next, "" where nothing has. `reopened` says in one sentence what of an item's
    evidence has changed since a person reviewed it, "" where their word still holds; both items are as they were shown.
    `worsened` says in one sentence what of it is worse than when a person let it wait, "" where it can wait on.
    `facets` are what its items can be narrowed by. With `rollup` it is given rows that were added up so, though it must
    take plain ones too, to the same answer.
    """

    kind: str
    label: str
    version: int
    columns: tuple[str, ...]
    compute: Callable[[pd.DataFrame, Given], InsightResult]
    settings: tuple[Setting, ...] = ()
    subject: tuple[str, ...] = ()
    since: Callable[[Headline, Headline], str] = _nothing_to_say
    reopened: Callable[[Mapping[str, Any], Mapping[str, Any]], str] = _the_same
    worsened: Callable[[Mapping[str, Any], Mapping[str, Any]], str] = more_severe
    facets: tuple[Facet, ...] = ()
    rollup: Rollup | None = None

    def given(self, *, settings: Mapping[str, float] | None = None, reviews: Sequence[Review] = ()) -> Given:
        """With the defaults of what is not chosen; what is no setting of this insight is left out."""
        chosen = settings or {}
        return Given(
            settings={each.name: float(chosen.get(each.name, each.default)) for each in self.settings},
            reviews=sorted(reviews, key=lambda review: review.subject),
        )

    def subject_of(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(item[name]) for name in self.subject)
