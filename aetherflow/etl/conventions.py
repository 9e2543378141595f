"""How a file writes numbers and days: decided over all of it, since one cell can be read in two ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.columns import Column
from aetherflow.etl.casting import Conventions, DateOrder, Decimal, letters_of, read_days

COMMA, POINT = ord(","), ord(".")
DASH = "[-\u2013\u2014]"
# So much evidence for the point and none for the comma: from there on a cell with a point is not looked into.
ENOUGH = 1_000


def _decimal_evidence(mark: str, other: str) -> str:
    """What only a decimal `mark` explains: 12,5 · 12,3456 · 0,125 · 1234,567 · 1.234,567 · 1.234.567 · 12,-

    A mark behind a letter is the end of an abbreviation, such as Fr.50.
    """
    explained = (
        rf"(?:^|[^A-Za-z]){mark}(?:\d{{1,2}}|\d{{4,}})\D*$",
        rf"^\D*0+{mark}\d",
        rf"\d{{4}}{mark}\d",
        rf"\d{other}\d{{3}}{mark}\d",
        rf"\d{other}\d{{2,3}}{other}\d{{3}}",
        rf"\d{mark}\s?{DASH}",
    )
    return "|".join(explained)


IS_POINT = _decimal_evidence(r"\.", ",")
IS_COMMA = _decimal_evidence(",", r"\.")
# In a column of whole numbers 1,250 can only be a thousand, and in one of money with cents it hardly is 1.25.
THOUSANDS_COMMA = r"^\D*\d{1,3},\d{3}\D*$"
THOUSANDS_POINT = r"^\D*\d{1,3}\.\d{3}\D*$"
SHORT = r"^(\d{2})[-/. ]\d{1,2}[-/. ](\d{2})(?:\D|$)"
TWO_NUMBERS = r"^\d{1,2}[-/. ]\d{1,2}[-/. ](?:\d{4}|\d{2})(?:\D|$)"
CENTS = 2
ORDERS: tuple[DateOrder, ...] = ("day-first", "month-first", "year-first")
# The order that an order has to be told from.
RIVALS: dict[DateOrder, DateOrder] = {
    "day-first": "month-first",
    "month-first": "day-first",
    "year-first": "day-first",
}
# No file's days lie on a few days of the month and over so many years.
MANY_YEARS = 20
# One cell in so many may be a slip of the pen.
RARE = 100


@dataclass(kw_only=True)
class Evidence:
    """Gathered batch by batch; `conventions` is the verdict over all batches seen.

    Decimal: the mark with more evidence in number columns; without any, what whole-number columns say; else what
    thousands in money suggest; else the point. Days: the order with more cells that only it makes a day; without any,
    day first. A tie is as good as no evidence.

    Nearly every 26-03-31 is a day both ways, so for the year to come first it takes the whole file: every cell, slips
    aside, is a day with its year first, and either most are none otherwise, or what stands in front takes fewer values
    than what stands last, which as years would be spread over decades.

    What is `usual`, being known from elsewhere, holds unless most of the cells in question contradict it: in a list of
    rejects stand the very cells that did not go with their file, and one of them must not turn all the others around.
    """

    usual_decimal: Decimal | None = None
    usual_order: DateOrder | None = None
    marks: Counter[Decimal] = field(default_factory=Counter)
    hints: Counter[Decimal] = field(default_factory=Counter)
    guesses: Counter[Decimal] = field(default_factory=Counter)
    explained: Counter[frozenset[DateOrder]] = field(default_factory=Counter)
    firsts: Counter[int] = field(default_factory=Counter)
    lasts: Counter[int] = field(default_factory=Counter)
    marked: int = 0
    numeric_days: int = 0

    def take(self, cells: pa.StringArray, column: Column) -> None:
        if column.kind == "number":
            if self.usual_decimal is not None:
                self.marked += pc.sum(pc.match_substring_regex(cells, "[.,]")).as_py() or 0
            self._weigh(cells, self.marks, {".": IS_POINT, ",": IS_COMMA})
            if not self.marks and column.unit == "money" and column.decimal_places == CENTS:
                self._weigh(cells, self.guesses, {".": THOUSANDS_COMMA, ",": THOUSANDS_POINT})
        elif column.kind == "integer":
            self._weigh(cells, self.hints, {".": THOUSANDS_COMMA, ",": THOUSANDS_POINT})
        elif column.kind == "date":
            self._take_days(cells)

    def state(self) -> dict[str, Any]:
        return {
            "marks": dict(self.marks),
            "hints": dict(self.hints),
            "guesses": dict(self.guesses),
            # As pairs: keys of JSON are texts.
            "explained": [[sorted(orders), cells] for orders, cells in self.explained.items()],
            "firsts": list(self.firsts.items()),
            "lasts": list(self.lasts.items()),
            "marked": self.marked,
            "numeric_days": self.numeric_days,
        }

    def add(self, state: Mapping[str, Any]) -> None:
        """What parts did not look into leaves the verdict as it is over all cells: guesses count where no part has
        marks, and then each has gathered all of its own; and where a part has stopped at ENOUGH for the point, fewer
        for the comma cannot outvote it. Only where ENOUGH cells speak for either mark may cells such as 1.234 weigh
        otherwise, as they do with where a batch ends.
        """
        self.marks.update(state["marks"])
        self.hints.update(state["hints"])
        self.guesses.update(state["guesses"])
        self.explained.update({frozenset(orders): cells for orders, cells in state["explained"]})
        self.firsts.update(dict(state["firsts"]))
        self.lasts.update(dict(state["lasts"]))
        self.marked += state["marked"]
        self.numeric_days += state["numeric_days"]

    @property
    def conventions(self) -> Conventions:
        return Conventions(decimal=self._decimal(), date_order=self._date_order())

    @property
    def is_silent_on_decimals(self) -> bool:
        """No text so far speaks for either mark."""
        return not (self.marks or self.hints or self.guesses)

    @property
    def decimal_assumed(self) -> bool:
        if self.usual_decimal is not None:
            decimal = self._decimal()
            return not self.marks[decimal] and not self.hints[decimal]
        votes = self.marks or self.hints
        return votes["."] == votes[","]

    @property
    def date_order_assumed(self) -> bool:
        if not self.numeric_days:
            return False
        if self.usual_order is not None:
            order = self._date_order()
            return not self._explained_by(order, but_not_by=RIVALS[order])
        if self._is_year_first:
            return False
        tied = not self._day_over_month
        return tied or (self._year_first_explains_all and len(_usual(self.firsts)) < len(_usual(self.lasts)))

    def _decimal(self) -> Decimal:
        if self.usual_decimal is not None:
            other: Decimal = "," if self.usual_decimal == "." else "."
            return other if 2 * self.marks[other] > self.marked else self.usual_decimal
        votes = self.marks or self.hints or self.guesses
        return "," if votes[","] > votes["."] else "."

    def _date_order(self) -> DateOrder:
        if not self.numeric_days:
            return "iso"
        if self.usual_order is not None:
            found = self._found_order()
            contradicting = self._explained_by(found, but_not_by=self.usual_order)
            return found if 2 * contradicting > self.numeric_days else self.usual_order
        return self._found_order()

    def _found_order(self) -> DateOrder:
        if self._is_year_first:
            return "year-first"
        return "month-first" if self._day_over_month < 0 else "day-first"

    @property
    def _day_over_month(self) -> int:
        """How many more cells only the day first explains than only the month first."""
        return self._explained_by("day-first", but_not_by="month-first") - self._explained_by(
            "month-first", but_not_by="day-first"
        )

    @property
    def _is_year_first(self) -> bool:
        if not self._year_first_explains_all:
            return False
        if 2 * self.explained[frozenset({"year-first"})] > self.numeric_days:
            return True
        years, days = _usual(self.firsts), _usual(self.lasts)
        return len(years) < len(days) and max(days) - min(days) >= MANY_YEARS

    @property
    def _year_first_explains_all(self) -> bool:
        by_it = sum(cells for orders, cells in self.explained.items() if "year-first" in orders)
        return by_it > 0 and (self.numeric_days - by_it) * RARE <= self.numeric_days

    def _explained_by(self, order: DateOrder, *, but_not_by: DateOrder) -> int:
        return sum(cells for orders, cells in self.explained.items() if order in orders and but_not_by not in orders)

    def _weigh(self, cells: pa.StringArray, votes: Counter[Decimal], patterns: dict[Decimal, str]) -> None:
        letters = letters_of(cells)
        if (letters == COMMA).any():
            with_comma = pc.match_substring(cells, ",")
            both = cells.filter(with_comma)
            for mark, pattern in patterns.items():
                self._vote(both, votes, mark, pattern)
            cells = cells.filter(pc.invert(with_comma))
        if not (letters == POINT).any():
            return
        with_point = cells.filter(pc.match_substring(cells, "."))
        # Against a usual comma it takes most cells, and those not looked into would be counted to them.
        if self.usual_decimal is None and votes["."] >= ENOUGH and not votes[","]:
            votes["."] += len(with_point)
            return
        for mark, pattern in patterns.items():
            self._vote(with_point, votes, mark, pattern)

    @staticmethod
    def _vote(cells: pa.StringArray, votes: Counter[Decimal], mark: Decimal, pattern: str) -> None:
        found = pc.sum(pc.match_substring_regex(cells, pattern)).as_py()
        if found:
            votes[mark] += found

    def _take_days(self, cells: pa.StringArray) -> None:
        different = pc.value_counts(cells)
        texts = pl.Series(pc.utf8_trim_whitespace(different.field("values")), dtype=pl.String)
        numeric = texts.str.contains(TWO_NUMBERS)
        if not numeric.any():
            return
        texts, cells_each = texts.filter(numeric), pl.Series(different.field("counts")).filter(numeric)
        self.numeric_days += int(cells_each.sum())
        is_short = texts.str.contains(SHORT)
        days = (
            read_days(texts, order="day-first"),
            read_days(texts, order="month-first"),
            read_days(texts.set(~is_short, None), order="year-first"),
        )
        weights = cells_each.to_numpy()
        # Bit by bit which of ORDERS makes a day of a text.
        by = sum(found.is_not_null().to_numpy().astype(np.int64) << bit for bit, found in enumerate(days))
        for bits, count in enumerate(np.bincount(by, weights=weights)):
            if count:
                self.explained[frozenset(order for bit, order in enumerate(ORDERS) if bits >> bit & 1)] += int(count)
        if is_short.any():
            groups = texts.filter(is_short).str.extract_groups(SHORT).struct.unnest().cast(pl.Int64)
            for counts, group in ((self.firsts, groups["1"]), (self.lasts, groups["2"])):
                found_here = np.bincount(group.to_numpy(), weights=weights[is_short.to_numpy()])
                counts.update({value: int(count) for value, count in enumerate(found_here) if count})


def _usual(values: Counter[int]) -> list[int]:
    """Without those that slips of the pen explain."""
    return [value for value, cells in values.items() if cells * RARE > values.total()]
