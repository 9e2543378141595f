"""What a department's schema finds, told by cell and, for a check over several columns, by row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest

from aetherflow.department import Department
from aetherflow.etl import FaultKind, open_file
from tests.aetherflow.etl.conftest import Parcels


class Insured(Parcels):
    """A parcel of more than 100 kilograms is worth something."""

    @pa.dataframe_check
    def is_worth_something(cls, rows: pd.DataFrame) -> pd.Series:  # noqa: N805
        return ((rows["weight"] <= 100) | (rows["value"] > 0)).fillna(value=True)


def test_values_that_do_not_go_together_are_a_fault_of_the_row(parcels: Department, tmp_path: Path) -> None:
    path = tmp_path / "parcels.csv"
    path.write_text("parcel,sent,pieces,weight,value\nP-1,2026-11-02,1,101,0\nP-2,2026-11-02,1,101,1\n")
    with open_file(path, filename="parcels.csv", department=replace(parcels, rows=Insured)) as source:
        (batch,) = source.batches()
    (reject,) = batch.rejects
    assert (reject.line, reject.column, reject.value, reject.code) == (2, None, None, "row-constraint")
    assert reject.hint.endswith("A parcel of more than 100 kilograms is worth something.")
    assert batch.faults == {FaultKind(column=None, label=None, code="row-constraint"): 1}


def test_a_row_is_told_of_beside_its_cells(parcels: Department, tmp_path: Path) -> None:
    path = tmp_path / "parcels.csv"
    path.write_text("parcel,sent,pieces,weight,value\nP-1,2026-11-02,1,,0\nP-2,2026-11-02,none,101,0\n")
    with open_file(path, filename="parcels.csv", department=replace(parcels, rows=Insured, clean=())) as source:
        (batch,) = source.batches()
    assert batch.counts.loaded == 1, "a weight that is not there is not more than 100"
    assert [(reject.line, reject.column, reject.code) for reject in batch.rejects] == [
        (3, "pieces", "missing-value"),
        (3, None, "row-constraint"),
    ]


class AtMostOne(Parcels):
    @pa.dataframe_check
    def is_alone(cls, rows: pd.DataFrame) -> bool:  # noqa: N805
        return len(rows) < 2


def test_what_no_row_is_to_blame_for_is_a_defect(parcels: Department, tmp_path: Path) -> None:
    path = tmp_path / "parcels.csv"
    path.write_text("parcel,sent,pieces,weight,value\nP-1,2026-11-02,1,1,0\nP-2,2026-11-02,1,1,0\n")
    with (
        open_file(path, filename="parcels.csv", department=replace(parcels, rows=AtMostOne)) as source,
        pytest.raises(pa.errors.SchemaError),
    ):
        list(source.batches())
