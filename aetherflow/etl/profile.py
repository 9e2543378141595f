"""What a file's columns hold: gathered from the batches on their way to the database, in memory that does not grow.

Up to FEW different values of a column are counted one by one, and everything told of it is exact. Beyond, distinct
values, quantiles and frequent texts are estimates, and say how far off they may be. Nothing depends on chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import pyarrow as pa

from aetherflow.columns import Column, Kind
from aetherflow.department import Department
from aetherflow.etl.summaries import Cell, FewNumbers, FewTexts, ManyNumbers, ManyTexts

# Raised when what is stored changes its meaning: profiles of another version are not compared with.
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """One column, JSON-ready. Days are ISO texts; a text is shown up to LONGEST_SHOWN characters.

    `distinct_error` and `quantile_error` are relative, 0 where exact: the standard error of `distinct`, and the most a
    quantile may be off. `quantiles` ("p01" to "p99") are the smallest value that so many percent of the values do not
    exceed; `min`, `max`, `mean` and `std` (of a sample, n - 1) are exact. `shortest` and `longest` count characters.
    `top` are the most frequent values with their rows; each count, and that of a value not in `top`, may be short by
    `top_short_by` rows, never too high. `histogram` holds about a tenth of the values a bar: bounds and rows, the first
    bar from its low bound on, every other from above it, up to its high bound. `categories` are the rows of each text
    where at most CATEGORIES differ and fill ROWS_A_CATEGORY rows each on average.
    """

    name: str
    kind: Kind
    rows: int = 0
    nulls: int = 0
    distinct: int = 0
    distinct_is_estimate: bool = False
    distinct_error: float = 0.0
    min: Cell | None = None
    max: Cell | None = None
    shortest: int | None = None
    longest: int | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: dict[str, Cell] | None = None
    quantile_error: float = 0.0
    top: list[dict[str, Any]] = field(default_factory=list)
    top_short_by: int = 0
    histogram: list[dict[str, Any]] = field(default_factory=list)
    categories: dict[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The columns of the rows that were loaded, in the schema's order."""

    rows: int
    columns: list[ColumnProfile]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        # asdict copies every number of it.
        return {"version": VERSION, "rows": self.rows, "columns": [dict(vars(column)) for column in self.columns]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Profile | None:
        """What `as_dict` gave; None where that was another version."""
        if stored.get("version") != VERSION:
            return None
        names = {each.name for each in fields(ColumnProfile)}
        columns = [ColumnProfile(**{key: column[key] for key in names & column.keys()}) for column in stored["columns"]]
        return cls(rows=stored["rows"], columns=columns)


class Profiler:
    """Takes a file's rows batch by batch; see `ColumnProfile` for what it makes of them."""

    def __init__(self, department: Department) -> None:
        self.columns = [ColumnProfiler(column) for column in department.columns]
        self._rows = 0
        self._result: Profile | None = None

    def add(self, rows: pa.Table) -> None:
        """Rows to load: the department's columns, typed, without NaN or infinity; other columns are passed over."""
        self._rows += rows.num_rows
        self._result = None
        for column in self.columns:
            column.add(rows.column(column.declared.name))

    def state(self) -> dict[str, Any]:
        """What was gathered so far, JSON-ready."""
        return {"rows": self._rows, "columns": {column.declared.name: column.state() for column in self.columns}}

    def add_state(self, state: Mapping[str, Any]) -> None:
        """As if the rows that another profiler of the department took had been added here.

        What is exact stays so, and an estimate keeps within the error it states; hashes of values are compared, so the
        other has to run the same version of polars.
        """
        self._rows += state["rows"]
        self._result = None
        for column in self.columns:
            column.add_state(state["columns"][column.declared.name])

    def result(self) -> Profile:
        if self._result is None:
            self._result = Profile(rows=self._rows, columns=[column.result() for column in self.columns])
        return self._result


class ColumnProfiler:
    """One column, as a few counted values or, past their bound, as a sketch of many."""

    def __init__(self, declared: Column) -> None:
        self.declared = declared
        self.rows = 0
        self.nulls = 0
        self.summary: FewTexts | ManyTexts | FewNumbers | ManyNumbers = (
            FewTexts() if declared.kind == "text" else FewNumbers(declared)
        )

    @property
    def values(self) -> int:
        return self.rows - self.nulls

    def add(self, cells: pa.ChunkedArray) -> None:
        self.rows += len(cells)
        self.nulls += cells.null_count
        present = (cells.drop_null() if cells.null_count else cells).combine_chunks()
        if not len(present):
            return
        self.summary.add(present)
        self._bound()

    def state(self) -> dict[str, Any]:
        return {"rows": self.rows, "nulls": self.nulls, "summary": self.summary.state()}

    def add_state(self, state: Mapping[str, Any]) -> None:
        told = state["summary"]
        if told["many"] and isinstance(self.summary, FewTexts | FewNumbers):
            # The other way around: nothing told of many depends on which came first.
            many = self._many(told)
            if self.values:
                many.add_state(self.summary.state())
            self.summary = many
        elif state["rows"] > state["nulls"]:
            self.summary.add_state(told)
            self._bound()
        self.rows += state["rows"]
        self.nulls += state["nulls"]

    def _many(self, state: Mapping[str, Any]) -> ManyTexts | ManyNumbers:
        if self.declared.kind == "text":
            return ManyTexts.of_state(state)
        return ManyNumbers.of_state(self.declared, state)

    def _bound(self) -> None:
        if isinstance(self.summary, FewTexts | FewNumbers) and self.summary.too_many:
            self.summary = self.summary.as_many()

    def result(self) -> ColumnProfile:
        described = self.summary.describe() if self.values else {}
        return ColumnProfile(
            name=self.declared.name, kind=self.declared.kind, rows=self.rows, nulls=self.nulls, **described
        )
