"""How a file writes numbers and days: decided over all of it, since one cell can be read in two ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.columns import Column
from aetherflow.etl.casting import Conventions, DateOrder, Decimal, read_days

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
TWO_NUMBERS = r"^\d{1,2}[-/. ]\d{1,2}[-/. ](?:\d{4}|\d{2})(?:\D|$)"
CENTS = 2


@dataclass(kw_only=True)
class Evidence:
    """Gathered batch by batch; `conventions` is the verdict over all batches seen.

    Decimal: the mark with more evidence in number columns; without any, what whole-number columns say; else what
    thousands in money suggest; else the point. Days: the order with more cells that only it makes a day; without any,
    day first. A tie is as good as no evidence.

    What is `usual`, being known from elsewhere, holds unless most of the cells in question contradict it: in a list of
    rejects stand the very cells that did not go with their file, and one of them must not turn all the others around.
    """

    usual_decimal: Decimal | None = None
    usual_order: DateOrder | None = None
    marks: Counter[Decimal] = field(default_factory=Counter)
    hints: Counter[Decimal] = field(default_factory=Counter)
    guesses: Counter[Decimal] = field(default_factory=Counter)
    orders: Counter[DateOrder] = field(default_factory=Counter)
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

    @property
    def conventions(self) -> Conventions:
        return Conventions(decimal=self._decimal(), date_order=self._date_order())

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
            return not self.orders[self._date_order()]
        return self.orders["day-first"] == self.orders["month-first"]

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
            other: DateOrder = "month-first" if self.usual_order == "day-first" else "day-first"
            return other if 2 * self.orders[other] > self.numeric_days else self.usual_order
        return "month-first" if self.orders["month-first"] > self.orders["day-first"] else "day-first"

    def _weigh(self, cells: pa.StringArray, votes: Counter[Decimal], patterns: dict[Decimal, str]) -> None:
        with_comma = pc.match_substring(cells, ",")
        if pc.any(with_comma).as_py():
            both = cells.filter(with_comma)
            for mark, pattern in patterns.items():
                self._vote(both, votes, mark, pattern)
            cells = cells.filter(pc.invert(with_comma))
        with_point = cells.filter(pc.match_substring(cells, "."))
        if votes["."] >= ENOUGH and not votes[","]:
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
        day_first = read_days(texts, order="day-first").is_not_null()
        month_first = read_days(texts, order="month-first").is_not_null()
        self.orders["day-first"] += int(cells_each.filter(day_first & ~month_first).sum())
        self.orders["month-first"] += int(cells_each.filter(month_first & ~day_first).sum())
