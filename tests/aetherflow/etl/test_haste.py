"""A file of which only the beginning is seen before its rows are handed out is read as one seen to its end."""

from __future__ import annotations

import csv
import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from aetherflow.department import Department
from aetherflow.etl import FileRefused, ReadOptions, ReadOtherwise, SourceFile, open_file, opening
from aetherflow.etl.ahead import ahead
from aetherflow.etl.formats.delimited import CsvTable
from tests.aetherflow.etl import workbooks
from tests.aetherflow.etl.conftest import HEADER
from tests.aetherflow.etl.test_parquet import parquet

# The beginning is a block. It must hold any one row.
BLOCK = 4_096
# Of a typed format, so many at a time: fewer than a block.
ROWS = 20
PARTS = 300
ISO, DAY_FIRST, MONTH_FIRST, EITHER = "2026-11-02", "25.11.2026", "11/25/2026", "02/03/2026"
YEAR_FIRST = ("26-11-02", "26-11-03", "26-11-30")
POINT, COMMA, WHOLE = "1.5", '"1,5"', "15"


def rows(*parts: tuple[str, str, int]) -> str:
    """(day, value, how many): parcels one part behind the other."""
    each = [(sent, value) for sent, value, count in parts for _ in range(count)]
    return HEADER + "\n" + "".join(f"P-{at},{sent},1,1,{value},x\n" for at, (sent, value) in enumerate(each))


def as_workbook(content: str) -> bytes:
    """Numbers and ISO days as such."""
    return workbooks.workbook({"Parcels": [[_typed(cell) for cell in row] for row in csv.reader(content.splitlines())]})


def as_json_lines(content: str) -> bytes:
    """Numbers as such."""
    rows = csv.DictReader(content.splitlines())
    return "".join(json.dumps({**row, "value": _number(row["value"])}) + "\n" for row in rows).encode()


def as_parquet(content: str) -> bytes:
    header, *rows = csv.reader(content.splitlines())
    return parquet(dict(zip(header, zip(*rows, strict=True), strict=True)))


def _typed(cell: str) -> object:
    try:
        return workbooks.day((dt.date.fromisoformat(cell) - dt.date(1899, 12, 30)).days)
    except ValueError:
        return _number(cell)


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


WRITERS: dict[str, Callable[[str], bytes]] = {
    "csv": str.encode,
    "xlsx": as_workbook,
    "jsonl": as_json_lines,
    "parquet": as_parquet,
}
in_each_format = pytest.mark.parametrize("kind", WRITERS)


def outcome(source: SourceFile) -> dict[str, Any]:
    batches = list(source.batches())
    return {
        "reading": asdict(source.reading),
        "rows": [row for batch in batches for row in batch.rows.to_pylist()],
        "rejects": [reject for batch in batches for reject in batch.rejects],
    }


@pytest.fixture
def opened(parcels: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SourceFile]:
    for typed in ("workbook", "jsonlines", "parquet"):
        monkeypatch.setattr(f"aetherflow.etl.formats.{typed}.ROWS", ROWS)

    def opened(content: str, *, in_haste: bool, kind: str = "csv", **said: Any) -> SourceFile:
        path = tmp_path / f"parcels.{kind}"
        path.write_bytes(WRITERS[kind](content))
        return open_file(
            path,
            filename=path.name,
            department=parcels,
            options=ReadOptions(**said),
            block=BLOCK,
            batch_rows=100,
            in_haste=in_haste,
        )

    return opened


ONE_WAY = {
    "as it begins": rows((ISO, POINT, 2 * PARTS)),
    "day first throughout": rows((DAY_FIRST, COMMA, 2 * PARTS)),
    "a few odd ones further down": rows((DAY_FIRST, POINT, 2 * PARTS), (MONTH_FIRST, POINT, 5)),
    "whole numbers only": rows((ISO, WHOLE, 2 * PARTS)),
    "not said by the beginning": rows((EITHER, WHOLE, PARTS), (MONTH_FIRST, COMMA, PARTS)),
}
OTHERWISE = {
    "month first after all": rows((DAY_FIRST, POINT, PARTS), (MONTH_FIRST, POINT, 2 * PARTS)),
    "a comma after all": rows((ISO, POINT, PARTS), (ISO, COMMA, 2 * PARTS)),
    "numbered days under ISO ones": rows((ISO, POINT, PARTS), (MONTH_FIRST, POINT, PARTS)),
    "year first after all": rows(*((day, POINT, PARTS) for day in YEAR_FIRST)),
    "day first again": rows(*((day, POINT, PARTS) for day in (*YEAR_FIRST, "25.11.26"))),
    "a few commas, which are all there is where numbers are typed": rows((ISO, POINT, 2 * PARTS), (ISO, COMMA, 5)),
    "a comma after whole numbers": rows((ISO, WHOLE, PARTS), (ISO, COMMA, PARTS)),
    "undecided in the end": rows((DAY_FIRST, POINT, PARTS), (MONTH_FIRST, POINT, PARTS), (DAY_FIRST, COMMA, PARTS)),
}


@in_each_format
@pytest.mark.parametrize("content", ONE_WAY.values(), ids=ONE_WAY.keys())
def test_is_read_at_once_where_it_goes_on_as_it_begins(opened: Any, content: str, kind: str) -> None:
    with opened(content, in_haste=False, kind=kind) as thorough, opened(content, in_haste=True, kind=kind) as hasty:
        assert outcome(hasty) == outcome(thorough)


@in_each_format
def test_has_not_seen_all_before_the_rows_come(opened: Any, kind: str) -> None:
    with opened(ONE_WAY["as it begins"], in_haste=True, kind=kind) as source:
        assert not source.is_surveyed
        list(source.batches())
        assert source.is_surveyed
    with opened(rows((EITHER, WHOLE, 2 * PARTS)), in_haste=True, kind=kind) as source:
        assert source.is_surveyed, "its rows would say it at any place, and none of them does"


@pytest.mark.parametrize(
    ("content", "times"),
    [
        pytest.param(rows((DAY_FIRST, COMMA, 50)), 1, id="small"),
        pytest.param(rows((DAY_FIRST, COMMA, PARTS)), 2, id="larger than a block"),
        pytest.param(rows((DAY_FIRST, COMMA, 50)) + "\n" * 2_000, 2, id="small, but large once it is parsed"),
    ],
)
def test_a_small_file_is_parsed_once(content: str, times: int, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BATCH_BYTES", 16_384)
    parsed: list[str] = []
    texts = CsvTable.texts
    monkeypatch.setattr(CsvTable, "texts", lambda *args, **said: (parsed.append("once"), texts(*args, **said))[1])
    with opened(content, in_haste=True) as source:
        found = outcome(source)
        assert len(parsed) == times
        assert found == outcome(source), "its rows are given as often as asked"
    assert [row["value"] for row in found["rows"][:2]] == [1.5, 1.5]


def test_numbers_that_need_no_sign_settle_nothing_and_leave_nothing_to_settle(opened: Any) -> None:
    content = rows((ISO, WHOLE, 2 * PARTS))
    with opened(content, in_haste=True) as text, opened(content, in_haste=True, kind="xlsx") as typed:
        assert (text.is_surveyed, typed.is_surveyed) == (True, False)
        list(typed.batches())
        assert typed.reading.basis["decimal"] == "assumed"


@in_each_format
@pytest.mark.parametrize("content", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_is_read_again_where_the_rest_says_otherwise(opened: Any, content: str, kind: str) -> None:
    with opened(content, in_haste=False, kind=kind) as thorough, opened(content, in_haste=True, kind=kind) as hasty:
        expected = outcome(thorough)
        if asdict(hasty.reading) != expected["reading"]:
            with pytest.raises(ReadOtherwise):
                outcome(hasty)
        assert outcome(hasty) == expected


def test_what_was_said_at_the_upload_is_not_read_otherwise(opened: Any) -> None:
    said = {"date_order": "day-first", "decimal": "."}
    content = OTHERWISE["month first after all"]
    with opened(content, in_haste=False, **said) as thorough, opened(content, in_haste=True, **said) as hasty:
        assert not hasty.is_surveyed
        assert outcome(hasty) == outcome(thorough)
        assert hasty.reading.basis["date_order"] == "given"


def test_what_is_wrong_far_down_is_found_while_the_rows_come(opened: Any) -> None:
    content = rows((ISO, POINT, PARTS)) + f'P-x,{ISO},1,1,1.5,"open\n'
    with pytest.raises(FileRefused) as thorough:
        opened(content, in_haste=False)
    with opened(content, in_haste=True) as hasty, pytest.raises(FileRefused) as found:
        outcome(hasty)
    assert (found.value.code, found.value.line) == (thorough.value.code, thorough.value.line) == ("quote-error", 302)


def test_nothing_works_on_once_the_file_is_closed(opened: Any) -> None:
    with opened(ONE_WAY["as it begins"], in_haste=True) as source:
        next(source.batches())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_ahead_makes_the_next_while_one_is_used() -> None:
    made = threading.Event()

    def items() -> Iterator[str]:
        yield "one"
        made.set()
        yield "two"

    taken = ahead(items())  # type: ignore[arg-type]  # a generator is one
    assert next(taken) == "one"
    assert made.wait(timeout=10), "the second was not made before it was asked for"
    assert list(taken) == ["two"]
