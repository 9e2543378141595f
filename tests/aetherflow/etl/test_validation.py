"""What a department's schema finds, told by cell and, for a check over several columns, by row."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given

from aetherflow.columns import Day, Integer, Number, Text
from aetherflow.department import Department
from aetherflow.etl import FaultKind, open_file
from aetherflow.etl.validation import find_faults
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


class Bounded(pa.DataFrameModel):
    code: Text = pa.Field(str_length={"max_value": 3}, nullable=True)
    size: Number = pa.Field(in_range={"min_value": 0, "max_value": 10}, nullable=True)
    above: Number = pa.Field(in_range={"min_value": 0, "max_value": 10, "include_min": False}, nullable=True)
    below: Number = pa.Field(in_range={"min_value": 0, "max_value": 10, "include_max": False}, nullable=True)
    count: Integer = pa.Field(ge=1, le=4, nullable=True)
    day: Day = pa.Field(ge=dt.date(2026, 1, 1), le=dt.date(2026, 12, 31), nullable=True)


KEPT = {
    "code": lambda text: len(text) <= 3,
    "size": lambda size: 0 <= size <= 10,
    "above": lambda size: 0 < size <= 10,
    "below": lambda size: 0 <= size < 10,
    "count": lambda count: 1 <= count <= 4,
    "day": lambda day: day.year == 2026,
}
CELLS = {
    "code": st.text(max_size=4),
    "size": st.sampled_from([0.0, -0.0, 1e-9, 5.0, 10.0, 10.000001, -1.0]),
    "above": st.sampled_from([0.0, 1e-9, 5.0, 10.0]),
    "below": st.sampled_from([0.0, 1e-9, 5.0, 10.0]),
    "count": st.integers(0, 5),
    "day": st.dates(dt.date(2025, 12, 31), dt.date(2027, 1, 1)),
}


@given(data=st.data(), name=st.sampled_from(list(CELLS)))
def test_each_cell_is_judged_however_its_column_looks_as_a_whole(data: st.DataObject, name: str) -> None:
    cells = data.draw(st.lists(CELLS[name] | st.none(), min_size=1, max_size=6))
    rows = pd.DataFrame(
        {
            each: pd.Series(cells if each == name else [None] * len(cells), dtype=column.dtype.type)
            for each, column in Bounded.to_schema().columns.items()
        }
    )
    unreadable = np.zeros(rows.shape, dtype=bool)
    found = find_faults(rows, schema=Bounded, unreadable=unreadable)[:, list(CELLS).index(name)]
    assert (found > 0).tolist() == [cell is not None and not KEPT[name](cell) for cell in cells]
