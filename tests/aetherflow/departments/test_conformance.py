"""What every department promises, asked of each folder the registry finds: a fourth one is asked too."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from aetherflow import registry
from aetherflow.columns import label_key
from aetherflow.department import Department
from aetherflow.etl import Batch, Counts, FileRefused, RejectPolicy, open_file

DEPARTMENTS = list(registry.departments().values())
each_department = pytest.mark.parametrize("department", DEPARTMENTS, ids=lambda department: department.slug)
each_sample = pytest.mark.parametrize("sample", ["good", "bad"])


def read(path: Path, department: Department) -> list[Batch]:
    with open_file(path, filename=path.name, department=department) as source:
        return list(source.batches())


def frame(batches: list[Batch]) -> pd.DataFrame:
    rows: pd.DataFrame = (
        pa.concat_tables([batch.rows for batch in batches]).drop_columns("line").to_pandas(types_mapper=pd.ArrowDtype)
    )
    return rows


def expected(path: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(path.with_suffix(".expected.json").read_text())
    return answer


@each_sample
@each_department
def test_a_sample_holds_what_is_said_of_it(department: Department, sample: str) -> None:
    path = getattr(department.samples, sample)
    batches = read(path, department)
    counts = sum((batch.counts for batch in batches), Counts())
    said = expected(path)
    assert {name: said[name] for name in ("read", "loaded", "rejected", "duplicate")} == {
        "read": counts.read,
        "loaded": counts.loaded,
        "rejected": counts.rejected,
        "duplicate": counts.duplicate,
    }
    assert said["rejects"] == [
        {"line": reject.line, "column": reject.column, "code": reject.code}
        for batch in batches
        for reject in batch.rejects
    ]


@each_department
def test_the_good_sample_is_accepted_and_the_bad_one_refused(department: Department) -> None:
    policy = RejectPolicy(max_share=department.max_reject_share)
    for path in department.samples:
        batches = read(path, department)
        counts = sum((batch.counts for batch in batches), Counts())
        by_code = sum((batch.by_code for batch in batches), Counter[str]())
        if path == department.samples.good:
            policy.check(counts, by_code)
        else:
            with pytest.raises(FileRefused, match="at most"):
                policy.check(counts, by_code)


@each_department
def test_clean_rows_pass_the_schema_again_and_stay_as_they_are(department: Department) -> None:
    rows = frame(read(department.samples.good, department))
    department.rows.validate(rows, lazy=True)
    again = rows
    for step in department.clean:
        again = step(again)
    pd.testing.assert_frame_equal(again, rows)


@each_department
def test_the_template_loads_as_it_is(department: Department, tmp_path: Path) -> None:
    path = tmp_path / "template.csv"
    path.write_text(department.template_csv(), newline="")
    batches = read(path, department)
    counts = sum((batch.counts for batch in batches), Counts())
    assert counts == Counts(read=2, loaded=2)
    header = next(csv.reader(io.StringIO(department.template_csv())))
    assert header == [column.name for column in department.columns]


@each_department
def test_every_column_explains_itself(department: Department) -> None:
    for column in department.columns:
        assert len(column.description) > 10, column.name
        assert column.example, column.name
        assert column.rule, column.name
        assert (column.kind == "text") == (column.max_length is not None), column.name
        assert (column.kind == "number") == (column.max_digits is not None), column.name


@each_department
def test_a_file_may_use_any_alias_for_a_column(department: Department, tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(department.template_csv())))
    for alias, name in department.aliases.items():
        at = rows[0].index(name)
        path = tmp_path / "aliased.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([[*rows[0][:at], f" {alias.upper()} ", *rows[0][at + 1 :]], *rows[1:]])
        with open_file(path, filename=path.name, department=department) as source:
            assert source.reading.mapping[alias.upper()] == name
            assert source.reading.unknown_columns == []


@each_department
def test_aliases_are_not_the_columns_own_names(department: Department) -> None:
    own = {label_key(column.name) for column in department.columns}
    assert [alias for alias in department.aliases if label_key(alias) in own] == []


@each_department
def test_the_good_sample_gives_every_insight(department: Department) -> None:
    rows = frame(read(department.samples.good, department))
    assert department.insights
    for insight in department.insights:
        result = insight.compute(rows[list(insight.columns)], insight.given())
        assert result.kind == insight.kind
        assert any(isinstance(part, list) and part for part in (*result.data.values(), result.items)), result.summary
