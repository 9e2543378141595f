"""How a file's numbers and days are written, found from its rows as they pass."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from aetherflow.department import Department
from aetherflow.etl.casting import Conventions
from aetherflow.etl.conventions import Evidence
from aetherflow.etl.corrections import Correction
from aetherflow.etl.formats.table import Basis
from aetherflow.etl.headers import Mapping
from aetherflow.etl.options import ReadOptions


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was said at the upload holds; the rest is for the rows to tell."""

    department: Department
    mapping: Mapping
    options: ReadOptions
    correction: Correction | None
    evidence: Evidence = field(init=False)

    def __post_init__(self) -> None:
        known = self.correction or Correction()
        evidence = Evidence(usual_decimal=known.decimal, usual_order=known.date_order)
        object.__setattr__(self, "evidence", evidence)

    def take(self, cells: pa.RecordBatch) -> None:
        """Rows as texts, in the file's columns."""
        for name, at in self.mapping.positions.items():
            self.evidence.take(cells.column(at), self.department.column(name))

    @property
    def conventions(self) -> Conventions:
        found = self.evidence.conventions
        return Conventions(
            decimal=self.options.decimal or found.decimal, date_order=self.options.date_order or found.date_order
        )

    @property
    def basis(self) -> dict[str, Basis]:
        return {
            "decimal": _basis(given=self.options.decimal is not None, assumed=self.evidence.decimal_assumed),
            "date_order": _basis(given=self.options.date_order is not None, assumed=self.evidence.date_order_assumed),
        }

    @property
    def is_settled(self) -> bool:
        """The rows so far say how they are written; others may still say otherwise."""
        return "assumed" not in self.basis.values()

    def anew(self) -> Survey:
        return Survey(
            department=self.department, mapping=self.mapping, options=self.options, correction=self.correction
        )


def _basis(*, given: bool, assumed: bool) -> Basis:
    if given:
        return "given"
    return "assumed" if assumed else "found"
