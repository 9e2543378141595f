"""A table of typed values comes back from every format that keeps types as it was written, whatever is left empty."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aetherflow.etl import ReadOptions, open_file
from aetherflow.etl.formats import xlsx
from tests.aetherflow.etl.sheets import CRATES, LABELS, Dialect, tables
from tests.aetherflow.etl.workbooks import day, inline, workbook

Row = dict[str, Any]

PLAIN = Dialect(
    delimiter=",",
    encoding="utf-8",
    mark=False,
    ending="\n",
    quoting="where needed",
    decimal=".",
    group="",
    order="iso",
    short_years=False,
    more_columns=0,
    more_delimiters=False,
    padded=False,
    titles=0,
)
# Excel's calendar has a 29 February 1900.
EPOCH, FIRST_DAY = dt.date(1899, 12, 30), dt.date(1900, 3, 1)
TYPES = {
    "packed": pa.date32(),
    "opened": pa.date32(),
    "bottles": pa.int64(),
    "weight": pa.decimal128(12, 3),
    "price": pa.decimal128(12, 2),
    "rebate": pa.float64(),
}


def as_workbook(rows: list[Row]) -> bytes:
    return workbook({"Crates": [list(LABELS), *([_cell(row[name]) for name in LABELS] for row in rows)]})


def _cell(value: object) -> object:
    if isinstance(value, dt.date):
        return day((value - EPOCH).days)
    if isinstance(value, Decimal | int):
        return float(value)
    return value if value is None else inline(str(value))


def as_parquet(rows: list[Row]) -> bytes:
    columns = {
        name: pa.array([_exact(name, row[name]) for row in rows], TYPES.get(name, pa.string())) for name in LABELS
    }
    held = io.BytesIO()
    pq.write_table(pa.table(columns), held, row_group_size=3)
    return held.getvalue()


def _exact(name: str, value: Any) -> Any:
    return float(value) if name == "rebate" and value is not None else value


def as_json_lines(rows: list[Row]) -> bytes:
    return "".join(json.dumps({name: _json(value) for name, value in row.items()}) + "\n" for row in rows).encode()


def _json(value: object) -> object:
    if isinstance(value, dt.date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


WRITERS: dict[str, Callable[[list[Row]], bytes]] = {
    "xlsx": as_workbook,
    "parquet": as_parquet,
    "jsonl": as_json_lines,
}


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=tables(PLAIN), chunk=st.sampled_from([300, 900, 1 << 20]))
def test_typed_values_come_back(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, kind: str, rows: list[Row], chunk: int
) -> None:
    monkeypatch.setattr(xlsx, "CHUNK", chunk)
    written = [{name: _in_range(value) for name, value in row.items()} for row in rows]
    path = scratch / f"crates.{kind}"
    path.write_bytes(WRITERS[kind](written))
    # Said, since a file whose rebates all happen to lie below 1 is read as one of shares.
    options = ReadOptions(percentages="percent")
    with open_file(path, filename=path.name, department=CRATES, options=options, batch_rows=3) as source:
        batches = list(source.batches())
    assert [reject for batch in batches for reject in batch.rejects] == []
    read = [row for batch in batches for row in batch.rows.drop_columns(["line"]).to_pylist()]
    assert read == [{name: float(v) if isinstance(v, Decimal) else v for name, v in row.items()} for row in written]


def _in_range(value: Any) -> Any:
    if isinstance(value, dt.date):
        return max(value, FIRST_DAY)
    return value.replace("\r\n", "\n") if isinstance(value, str) else value
