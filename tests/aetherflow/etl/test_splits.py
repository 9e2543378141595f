"""The splits of a file hold the rows of the whole, wherever it is cut, or one of them is refused."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aetherflow.department import Department
from aetherflow.etl import (
    Correction,
    Counts,
    FileRefused,
    Held,
    Plan,
    ReadOptions,
    ReadOtherwise,
    SeenKeys,
    SourceFile,
    Split,
    open_file,
    open_split,
    split,
)
from aetherflow.etl.digests import Digests
from aetherflow.etl.duplicates import DUMPED
from tests.aetherflow.etl import workbooks
from tests.aetherflow.etl.conftest import HEADER

# A file that fits into a block is no longer looked at than it takes to keep it.
BLOCK = 4_096
SIZES = (900, 4_096, 9_999)
ROWS = 400


def parcel(number: int, *, sent: str = "2026-11-02", value: str = "1.5", remark: str = "x") -> str:
    return f"P-{number},{sent},1,1,{value},{remark}"


def csv(*lines: str, end: str = "\n") -> bytes:
    return end.join([HEADER, *lines, ""]).encode()


def plain(count: int = ROWS, *, first: int = 0, **of_each: str) -> list[str]:
    return [parcel(number, **of_each) for number in range(first, first + count)]


FILES = {
    "plain": csv(*plain()),
    "without a last line end": csv(*plain())[:-1],
    "lines of Windows": csv(*plain(), end="\r\n"),
    "a byte order mark": b"\xef\xbb\xbf" + csv(*plain()),
    "blank lines": csv(*(line for each in plain() for line in (each, "", ",,,,,"))),
    "title lines": b"Parcels of November\n\n" + csv(*plain()),
    "letters of cp1252": csv(*plain(remark="ä€ß")).decode().encode("cp1252"),
    "a header of cp1252": csv(*plain(remark="x,1")).replace(b"remark", "remark,Größe".encode("cp1252")),
    "letters of UTF-8": csv(*plain(remark="ä€ß😀")),
    "quoted cells": csv(*plain(remark='"a, ""b"""')),
    "faults": csv(
        *plain(100),
        *plain(100, first=100, value="many"),
        *(f"{each},more" for each in plain(100, first=200)),
        *plain(100, first=300),
    ),
    "semicolons and commas": csv(*plain(value='"1,5"')).replace(b",", b";").replace(b"1;5", b"1,5"),
}
CANNOT_BE_CUT = {
    "UTF-16": csv(*plain()).decode().encode("utf-16"),
    "packed": gzip.compress(csv(*plain(4_000)), compresslevel=1),
    "a workbook": workbooks.workbook({"Parcels": [each.split(",") for each in [HEADER, *plain()]]}),
    "escaped quotation marks": csv(*plain(remark=r'"a \"b\""')),
    "one that fits into a block": csv(*plain(20)),
}


@pytest.fixture
def opened(parcels: Department, tmp_path: Path) -> Callable[..., SourceFile]:
    path = tmp_path / "parcels.csv"

    def opened(content: bytes, **options: Any) -> SourceFile:
        path.write_bytes(content)
        name = path.with_suffix(".xlsx" if content[:2] == b"PK" else ".csv").name
        options = {"in_haste": True, "block": BLOCK, **options}
        return open_file(path, filename=name, department=parcels, **options)

    return opened


def in_splits(source: SourceFile, splits: list[Split], tmp_path: Path) -> tuple[dict[str, Any], SeenKeys]:
    """What comes of the splits, read apart; the plan and what they tell having gone through JSON."""
    plan = json.loads(json.dumps(Plan.of(source).as_dict()))
    survey, keys = source.survey.anew(), SeenKeys()
    came: dict[str, Any] = {"rows": [], "rejects": [], "counts": Counts(), "faults": Counter()}
    for each in splits:
        held = Held(path=source.path)
        if each.first_line % 2:
            held = Held(path=tmp_path / "fetched", begins_at=each.start)
            held.path.write_bytes(source.path.read_bytes()[each.start : each.end])
        assert held.bytes_of(each) == source.path.read_bytes()[each.start : each.end]
        with (
            SeenKeys() as seen,
            open_split(
                held,
                each,
                plan=Plan.from_dict(plan),
                department=source.department,
                options=ReadOptions(),
                listing_limit=source.listing_limit,
            ) as part,
        ):
            for batch in part.batches(seen=seen):
                took(came, batch)
            lines = [row["line"] for row in came["rows"]]
            assert not lines or lines[-1] < each.after_line
            survey.add(json.loads(json.dumps(part.survey.state())))
            assert keys.merge(np.frombuffer(seen.dump().tobytes(), DUMPED))
    if not source.is_surveyed:
        source.settle(survey)
    return came, keys


def whole(source: SourceFile) -> tuple[dict[str, Any], SeenKeys]:
    came: dict[str, Any] = {"rows": [], "rejects": [], "counts": Counts(), "faults": Counter()}
    seen = SeenKeys()
    for batch in source.batches(seen=seen):
        took(came, batch)
    return came, seen


def took(came: dict[str, Any], batch: Any) -> None:
    came["rows"] += batch.rows.to_pylist()
    came["rejects"] += list(batch.rejects)
    came["counts"] += batch.counts
    came["faults"] += batch.faults


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_splits_hold_the_rows_of_the_whole(content: bytes, size: int, opened: Any, tmp_path: Path) -> None:
    with opened(content) as source:
        splits = split(source, size_of=lambda _: size)
        came, keys = in_splits(source, splits, tmp_path)
        reading = source.reading
    with opened(content) as source:
        expected, seen = whole(source)
        assert came == expected
        assert reading == source.reading
    assert [each.tolist() for each in keys.ranges(bits=2)] == [each.tolist() for each in seen.ranges(bits=2)]
    assert len(came["rows"]) >= 200, "there is something to compare"
    assert len(splits) > 1
    assert splits[-1].end == len(content)
    for before, after in pairwise(splits):
        assert (before.end, before.after_line) == (after.start, after.first_line)
        assert content[before.end - 1 : before.end] == b"\n"


@pytest.mark.parametrize("content", CANNOT_BE_CUT.values(), ids=CANNOT_BE_CUT.keys())
def test_what_has_to_be_read_as_a_whole_has_no_splits(content: bytes, opened: Any) -> None:
    with opened(content) as source:
        assert split(source, size_of=lambda _: 1_000) == []
        if source.reading.format != "csv":
            with pytest.raises(TypeError, match="has no splits"):
                Plan.of(source)


def test_letters_of_one_byte_or_two_have_no_splits(opened: Any) -> None:
    content = csv(*plain(remark="日本")).decode().encode("shift_jis")
    with opened(content, options=ReadOptions(encoding="shift_jis")) as source:
        assert split(source, size_of=lambda _: 1_000) == []


def test_a_list_of_rejects_has_no_splits(opened: Any) -> None:
    with opened(csv(*plain()), correction=Correction()) as source:
        assert split(source, size_of=lambda _: 1_000) == []


@pytest.mark.parametrize("size", range(1_000, 9_000, 1_111))
def test_a_cell_of_several_lines_is_read_as_it_is_or_refused(size: int, opened: Any, tmp_path: Path) -> None:
    """Some cuts go through a cell. None of them makes other rows of it."""
    remark = '"' + "\n".join(["a", *(parcel(number) for number in range(9_000, 9_020)), "b"]) + '"'
    content = csv(*plain(100), *(parcel(number, remark=remark) for number in range(100, 110)))
    with opened(content) as source:
        splits = split(source, size_of=lambda _: size)
        if any(content[: each.end].count(b'"') % 2 for each in splits):
            with pytest.raises(FileRefused, match="is not closed"):
                in_splits(source, splits, tmp_path)
            return
        came, _ = in_splits(source, splits, tmp_path)
    with opened(content) as source:
        assert came == whole(source)[0]


def test_some_cuts_go_through_a_cell(opened: Any, tmp_path: Path) -> None:
    content = csv(*plain(100), *(parcel(number, remark='"a\nb"') for number in range(100, 400)))
    with opened(content) as source, pytest.raises(FileRefused, match="is not closed"):
        in_splits(source, split(source, size_of=lambda _: 1), tmp_path)


def test_what_the_last_split_says_counts_for_all(opened: Any, tmp_path: Path) -> None:
    content = csv(*plain(300, sent="25/02/2026"), *plain(400, first=300, sent="11/25/2026"))
    with opened(content) as source:
        assert not source.is_surveyed
        with pytest.raises(ReadOtherwise):
            in_splits(source, split(source, size_of=lambda _: 4_000), tmp_path)
        assert source.is_surveyed
        assert source.reading.date_order == "month-first"


def test_keys_seen_before_are_not_taken() -> None:
    def of(*numbers: int, line: int) -> SeenKeys:
        seen, count = SeenKeys(), len(numbers)
        keys = np.array(numbers, np.uint64) << np.uint64(60)
        seen.repeats(
            Digests(keys=keys, checks=np.arange(count, dtype=np.uint32), rows=np.zeros(count, np.uint32)),
            np.arange(line, line + count),
        )
        return seen

    first = of(1, 2, 3, line=2)
    assert not first.merge(of(1, line=9).dump())
    assert len(first) == 3
    assert first.merge(of(4, 5, line=9).dump())
    assert len(first) == 5
    assert first.merge(SeenKeys().dump()), "of nothing nothing was seen"


def test_a_split_is_json_ready() -> None:
    each = Split(start=1, end=2, first_line=3, after_line=4)
    assert Split(**json.loads(json.dumps(asdict(each)))) == each
