"""Every file of the corpus is loaded, or refused, exactly as is said beside it; tests/corpus/README.md tells how."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from aetherflow import registry
from aetherflow.columns import ARROW_TYPES
from aetherflow.etl import Batch, Counts, FileRefused, ReadOptions, ReadOtherwise, Reject, open_file

CORPUS = Path(__file__).parents[2] / "corpus"
EXPECTED: dict[str, dict[str, Any]] = {
    f"{folder.name}/{name}": expected
    for folder in sorted(CORPUS.iterdir())
    if folder.is_dir()
    for name, expected in json.loads((folder / "expected.json").read_text(encoding="utf-8")).items()
}


def read(path: Path, slug: str, **options: Any) -> tuple[dict[str, Any], list[Batch]]:
    """The outcome in the terms of expected.json, and the batches behind it."""
    try:
        with open_file(path, filename=path.name, department=registry.department(slug), **options) as source:
            try:
                batches = list(source.batches())
            except ReadOtherwise:
                batches = list(source.batches())
    except FileRefused as refusal:
        return {"refused": {"code": refusal.code, "line": refusal.line, "column": refusal.column}}, []
    counts = sum((batch.counts for batch in batches), Counts())
    department = registry.department(slug)
    types = pa.schema([(column.name, ARROW_TYPES[column.kind]) for column in department.columns])
    for batch in batches:
        department.rows.validate(batch.rows.drop("line").cast(types).to_pandas(types_mapper=pd.ArrowDtype))
    return {
        "reading": source.reading.summary,
        "header_line": source.reading.header_line,
        "unknown_columns": source.reading.unknown_columns,
        "decimal_assumed": source.reading.decimal_assumed,
        "counts": {name: getattr(counts, name) for name in ("read", "loaded", "rejected", "duplicate")},
        "rejects": [[reject.line, reject.column, reject.code] for reject in faults(batches)],
        "rows": {str(row.pop("line")): {name: plain(cell) for name, cell in row.items()} for row in rows(batches)},
    }, batches


def rows(batches: list[Batch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.rows.to_pylist()]


def faults(batches: list[Batch]) -> list[Reject]:
    return [reject for batch in batches for reject in batch.rejects]


def plain(cell: object) -> object:
    return cell.isoformat() if isinstance(cell, dt.date) else cell


def as_said(outcome: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """The outcome, with only those cells, and only those of the rarer keys, that `expected` speaks of."""
    rarer = {"header_line": 1, "unknown_columns": []}
    said = {name: value for name, value in outcome.items() if name in expected or value != rarer.get(name, value)}
    if "rows" in expected:
        said["rows"] = {
            line: {name: outcome["rows"].get(line, {}).get(name) for name in cells}
            for line, cells in expected["rows"].items()
        }
    return said


@pytest.mark.parametrize("name", EXPECTED)
def test_becomes_what_is_said_beside_it(name: str) -> None:
    expected = {key: value for key, value in EXPECTED[name].items() if key not in {"about", "options"}}
    options = ReadOptions(**EXPECTED[name].get("options", {}))
    outcome, _ = read(CORPUS / name, Path(name).parent.name, options=options)
    assert as_said(outcome, expected) == expected


@pytest.mark.parametrize("name", EXPECTED)
def test_loses_no_row_however_it_is_cut(name: str) -> None:
    slug, options = Path(name).parent.name, ReadOptions(**EXPECTED[name].get("options", {}))
    outcome, batches = read(CORPUS / name, slug, options=options)
    assert read(CORPUS / name, slug, options=options, block=1 << 13, batch_rows=1)[0] == outcome
    assert read(CORPUS / name, slug, options=options, block=1 << 13, in_haste=True)[0] == outcome
    if not batches:
        return
    repeated = {reject.line for reject in faults(batches) if reject.code == "unique-error"}
    rejected = {reject.line for reject in faults(batches)} - repeated
    loaded = [row["line"] for row in rows(batches)]
    counts = outcome["counts"]
    assert (len(set(loaded)), len(rejected), len(repeated)) == (
        counts["loaded"],
        counts["rejected"],
        counts["duplicate"],
    )
    assert len(set(loaded) | rejected | repeated) == counts["read"]


def test_every_file_has_its_expectation_and_is_small() -> None:
    files = {
        f"{path.parent.name}/{path.name}": path.stat().st_size
        for path in CORPUS.glob("*/*")
        if path.name != "expected.json"
    }
    assert files.keys() == EXPECTED.keys()
    assert len(files) >= 60
    assert max(files.values()) <= 20_000
    assert {Path(name).parent.name for name in EXPECTED} == registry.departments().keys()


SALES = "transaction_id,date,store_id,product_category,sku,quantity,unit_price,discount_pct"


def row(number: int, *, category: str = "Toys", more: str = "") -> str:
    return f"T-{number},2026-03-31,S-1,{category},A-1,2,9.99,0{more}\n"


def headed(*rows: str, more: str = "") -> str:
    return f"{SALES}{more}\n{''.join(rows)}"


# Too large to be kept as files: the builder, and what becomes of what it builds.
BUILT: dict[str, tuple[Callable[[], str], dict[str, Any]]] = {
    "500 columns": (
        lambda: headed(row(1, more="," * 492), more="".join(f",c{at}" for at in range(492))),
        {"counts": {"read": 1, "loaded": 1, "rejected": 0, "duplicate": 0}, "rejects": []},
    ),
    "501 columns": (
        lambda: headed(row(1, more="," * 493), more="".join(f",c{at}" for at in range(493))),
        {"refused": {"code": "too-many-columns", "line": 1, "column": None}},
    ),
    "a cell of 400,000 characters": (
        lambda: headed(row(1), row(2, category="x" * 400_000), row(3)),
        {
            "counts": {"read": 3, "loaded": 2, "rejected": 1, "duplicate": 0},
            "rejects": [[3, "product_category", "constraint-error"]],
        },
    ),
    "a line of a megabyte": (
        lambda: headed(row(1), row(2, category="x" * 1_000_000)),
        {"refused": {"code": "line-too-long", "line": 3, "column": None}},
    ),
    "100,000 blank lines before the last row": (
        lambda: headed(row(1), "\n" * 50_000, ",,,,,,,\n" * 50_000, row(2)),
        {"counts": {"read": 2, "loaded": 2, "rejected": 0, "duplicate": 0}, "rows": {"100003": {"sku": "A-1"}}},
    ),
    "a quotation mark that swallows 5,000 rows": (
        lambda: headed(row(1), row(2, category='"Toys'), *map(row, range(3, 5_000)), row(5_000, category='Toys"')),
        {"refused": {"code": "quote-error", "line": 3, "column": None}},
    ),
    "the evidence for the decimal comma in row 20,000": (
        lambda: (
            headed(*(row(at).replace("9.99", "1.234") for at in range(20_000))).replace(",", ";")
            + "T-X;2026-03-31;S-1;Toys;A-1;2;0,50;0\n"
        ),
        {
            "reading": "utf-8, semicolon, decimal comma, ISO dates",
            "counts": {"read": 20_001, "loaded": 20_001, "rejected": 0, "duplicate": 0},
            "rows": {"2": {"unit_price": 1234.0}, "20002": {"unit_price": 0.5}},
        },
    ),
    "the same row 20,000 times": (
        lambda: headed(*[row(1)] * 20_000),
        {"counts": {"read": 20_000, "loaded": 1, "rejected": 0, "duplicate": 19_999}},
    ),
    "20,000 rows of one fault each": (
        lambda: headed(*(row(at).replace(",2,", ",two,") for at in range(20_000))),
        {"counts": {"read": 20_000, "loaded": 0, "rejected": 20_000, "duplicate": 0}},
    ),
}


@pytest.mark.parametrize("name", BUILT)
def test_large_files_become_what_is_said_of_them(name: str, tmp_path: Path) -> None:
    build, expected = BUILT[name]
    path = tmp_path / "built.csv"
    path.write_text(build(), newline="")
    outcome, _ = read(path, "sales")
    outcome = {key: value for key, value in outcome.items() if key in expected}
    assert as_said(outcome, expected) == expected
