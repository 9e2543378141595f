"""How a file writes numbers and days: decided over all of it, since one cell can be read in two ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.columns import Column
from aetherflow.etl.casting import Conventions, DateOrder, Decimal

# So much evidence for the point and none for the comma: from there on a cell with a point is not looked into.
ENOUGH = 1_000


def _decimal_evidence(mark: str, other: str) -> str:
    """What only a decimal `mark` explains: 12,5 · 12,3456 · 0,125 · 1.234,567 · 1.234.567"""
    return rf"{mark}(?:\d{{1,2}}|\d{{4,}})\D*$|^\D*0+{mark}\d|\d{other}\d{{3}}{mark}\d|\d{other}\d{{2,3}}{other}\d{{3}}"


IS_POINT = _decimal_evidence(r"\.", ",")
IS_COMMA = _decimal_evidence(",", r"\.")
# In a column of whole numbers 1,250 can only be a thousand.
THOUSANDS_COMMA = r"^\D*\d{1,3},\d{3}\D*$"
THOUSANDS_POINT = r"^\D*\d{1,3}\.\d{3}\D*$"
TWO_NUMBERS = r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](?:\d{4}|\d{2})(?:\D|$)"


@dataclass(kw_only=True)
class Evidence:
    """Gathered batch by batch; `conventions` is the verdict over all batches seen.

    Decimal: the mark with more evidence in number columns; without any, what whole-number columns say; else the
    point. Days: the order with more days that only it makes possible; without any, day first.

    What is `usual`, being known from elsewhere, holds unless most of the cells in question contradict it: in a list of
    rejects stand the very cells that did not go with their file, and one of them must not turn all the others around.
    """

    usual_decimal: Decimal | None = None
    usual_order: DateOrder | None = None
    marks: Counter[Decimal] = field(default_factory=Counter)
    hints: Counter[Decimal] = field(default_factory=Counter)
    orders: Counter[DateOrder] = field(default_factory=Counter)
    marked: int = 0
    numeric_days: int = 0

    def take(self, cells: pa.StringArray, column: Column) -> None:
        if column.kind == "number":
            if self.usual_decimal is not None:
                self.marked += pc.sum(pc.match_substring_regex(cells, "[.,]")).as_py() or 0
            self._weigh(cells, self.marks, {".": IS_POINT, ",": IS_COMMA})
        elif column.kind == "integer":
            self._weigh(cells, self.hints, {".": THOUSANDS_COMMA, ",": THOUSANDS_POINT})
        elif column.kind == "date":
            self._take_days(cells)

    @property
    def conventions(self) -> Conventions:
        return Conventions(decimal=self._decimal(), date_order=self._date_order())

    @property
    def decimal_assumed(self) -> bool:
        decimal = self._decimal()
        return not self.marks[decimal] and not self.hints[decimal]

    @property
    def date_order_assumed(self) -> bool:
        return self.numeric_days > 0 and not self.orders[self._date_order()]

    def _decimal(self) -> Decimal:
        if self.usual_decimal is not None:
            other: Decimal = "," if self.usual_decimal == "." else "."
            return other if 2 * self.marks[other] > self.marked else self.usual_decimal
        votes = self.marks or self.hints
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
        texts = pl.Series(pc.utf8_trim_whitespace(pc.unique(cells)), dtype=pl.String)
        parts = texts.str.extract_groups(TWO_NUMBERS).struct.unnest().drop_nulls().cast(pl.Int64)
        if not len(parts):
            return
        self.numeric_days += len(parts)
        first, second = parts.get_columns()
        only_day_first = int(((first > 12) & (second <= 12)).sum())
        only_month_first = int(((second > 12) & (first <= 12)).sum())
        if only_day_first:
            self.orders["day-first"] += only_day_first
        if only_month_first:
            self.orders["month-first"] += only_month_first
