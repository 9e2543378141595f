"""How a file's numbers and days are written, found from its rows as they pass."""

from __future__ import annotations

from collections import abc
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from aetherflow.department import Department
from aetherflow.etl.casting import Conventions, Scale
from aetherflow.etl.conventions import Evidence
from aetherflow.etl.corrections import Correction
from aetherflow.etl.formats.table import Basis
from aetherflow.etl.headers import Mapping
from aetherflow.etl.options import ReadOptions
from aetherflow.etl.percentages import ScaleEvidence


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was said at the upload holds; the rest is for the rows to tell. `is_typed`: as the rows' TextTable is."""

    department: Department
    mapping: Mapping
    options: ReadOptions
    correction: Correction | None
    is_typed: bool
    evidence: Evidence = field(init=False)
    scales: dict[str, ScaleEvidence] = field(init=False)

    def __post_init__(self) -> None:
        known = self.correction or Correction()
        evidence = Evidence(usual_decimal=known.decimal, usual_order=known.date_order)
        object.__setattr__(self, "evidence", evidence)
        scales = {
            column.name: ScaleEvidence(label=self.mapping.labels[column.name], usual=known.percentages.get(column.name))
            for column in map(self.department.column, self.mapping.positions)
            if column.unit == "percent"
        }
        object.__setattr__(self, "scales", scales)

    def take(self, cells: pa.RecordBatch) -> None:
        """Rows as texts, in the file's columns."""
        for name, at in self.mapping.positions.items():
            self.evidence.take(cells.column(at), self.department.column(name))
            if name in self.scales:
                self.scales[name].take(cells.column(at))

    def state(self) -> dict[str, Any]:
        """What was found so far, JSON-ready."""
        return {
            "evidence": self.evidence.state(),
            "scales": {name: evidence.state() for name, evidence in self.scales.items()},
        }

    def add(self, state: abc.Mapping[str, Any]) -> None:
        """As if the rows that another survey of the same columns took had been taken here, after those so far."""
        self.evidence.add(state["evidence"])
        for name, evidence in self.scales.items():
            evidence.add(state["scales"][name])

    @property
    def conventions(self) -> Conventions:
        found = self.evidence.conventions
        return Conventions(
            decimal=self.options.decimal or found.decimal,
            date_order=self.options.date_order or found.date_order,
            shares=frozenset(name for name, scale in self.percentages.items() if scale == "share"),
        )

    @property
    def percentages(self) -> dict[str, Scale]:
        """Of the columns of percentages in which there is something to decide."""
        return {
            name: self.options.percentages or evidence.scale
            for name, evidence in self.scales.items()
            if not evidence.is_empty
        }

    @property
    def basis(self) -> dict[str, Basis]:
        basis: dict[str, Basis] = {
            "decimal": _basis(given=self.options.decimal is not None, assumed=self.evidence.decimal_assumed),
            "date_order": _basis(given=self.options.date_order is not None, assumed=self.evidence.date_order_assumed),
        }
        if self.scales:
            assumed = any(evidence.assumed for evidence in self.scales.values())
            basis["percentages"] = _basis(given=self.options.percentages is not None, assumed=assumed)
        return basis

    @property
    def is_settled(self) -> bool:
        """The rows so far say how they are written; others may still say otherwise.

        Numbers that come as such say nothing of a decimal mark, and need none.
        """
        basis = self.basis
        if self.is_typed and self.evidence.is_silent_on_decimals:
            del basis["decimal"]
        return "assumed" not in basis.values()

    def anew(self) -> Survey:
        return Survey(
            department=self.department,
            mapping=self.mapping,
            options=self.options,
            correction=self.correction,
            is_typed=self.is_typed,
        )


def _basis(*, given: bool, assumed: bool) -> Basis:
    if given:
        return "given"
    return "assumed" if assumed else "found"
