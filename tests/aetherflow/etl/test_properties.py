"""What holds of every file: a table comes back as it was written, and no noise loses a row or stops the line."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from aetherflow.etl import Batch, Counts, FileRefused, Reading, open_file
from tests.aetherflow.etl.sheets import CRATES, Sheet, sheets

HEADER = ",".join(column.name for column in CRATES.columns)
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
# A file of a few hundred bytes takes milliseconds; this is far from them on the slowest machine.
SECONDS = 20


def read(path: Path, content: bytes, **options: Any) -> tuple[Reading, list[Batch]]:
    path.write_bytes(content)
    with open_file(path, filename=path.name, department=CRATES, **options) as source:
        return source.reading, list(source.batches())


def by_line(batches: list[Batch]) -> dict[int, dict[str, Any]]:
    return {row.pop("line"): row for batch in batches for row in batch.rows.to_pylist()}


def told(batches: list[Batch]) -> list[tuple[object, ...]]:
    """Everything that is told of the rows left out."""
    return [
        (reject.line, reject.column, reject.code, reject.value, reject.message, reject.cells)
        for batch in batches
        for reject in batch.rejects
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(sheet=sheets(), rows=st.integers(1, 5), block=st.integers(64, 400))
def test_a_table_comes_back_as_it_was_written(scratch: Path, sheet: Sheet, rows: int, block: int) -> None:
    path = scratch / "crates.csv"
    reading, batches = read(path, sheet.content)
    assert told(batches) == []
    assert by_line(batches) == sheet.rows
    assert reading.delimiter == sheet.dialect.delimiter
    # A record must fit into a block.
    block = max(block, sheet.longest_record + 2)
    again, smaller = read(path, sheet.content, block=block, batch_rows=rows)
    assert again == reading
    assert by_line(smaller) == sheet.rows


def test_a_line_break_between_two_blocks_stays_whole(scratch: Path) -> None:
    cells = [column.example for column in CRATES.columns[1:-1]] + ['"' + "one\r\n" * 20 + 'two"']
    content = "".join([HEADER, *(f"\n{at},{','.join(cells)}" for at in range(9)), "\n"]).encode()
    path = scratch / "crates.csv"
    rows = by_line(read(path, content)[1])
    for block in range(300, 305):
        assert by_line(read(path, content, block=block)[1]) == rows


@st.composite
def spoilt(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """A good file to which something has happened, up to six times."""
    content = bytearray(draw(sheets()).content)
    for _ in range(draw(st.integers(1, 6))):
        spoil(content, draw)
    return bytes(content)


SIGNS = [b'"', b'""', b",", b";", b"\t", b"|", b" ", b"-", b".", b"0", b"\\"]
ENDS = [b"\r", b"\n", b"\r\n", b"\n\n", b"\x0b", b"\x0c", b"\x1a", b"\x1c", b"\x1e", b"\xc2\x85", b"\xe2\x80\xa8"]
BROKEN = [b"\x00", b"\x81", b"\xc3", b"\xff\xfe", b"\xef\xbb\xbf"]
PIECES = st.sampled_from([*SIGNS, *SIGNS, *ENDS, *ENDS, *BROKEN])


def spoil(content: bytearray, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    """Flip, insert, take out, repeat or cut bytes, or swap two lines."""
    first, second = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    match draw(st.sampled_from(["flip", "insert", "take out", "repeat", "cut", "swap"])):
        case "flip" if first < len(content):
            content[first] ^= draw(st.integers(1, 255))
        case "insert":
            content[first:first] = draw(PIECES | st.binary(min_size=1, max_size=3))
        case "take out":
            del content[first : min(second, first + 40)]
        case "repeat":
            content[first:first] = content[first:second][:300]
        case "cut":
            del content[second:]
        case "swap":
            lines = content.split(b"\n")
            one, other = draw(st.tuples(*[st.integers(0, len(lines) - 1)] * 2))
            lines[one], lines[other] = lines[other], lines[one]
            content[:] = b"\n".join(lines)


def rows_by_hand(content: bytes, reading: Reading) -> int | None:
    """How many rows a file without quotation marks has: its lines below the header that are not blank."""
    if b'"' in content:
        return None
    lines = re.split("\r\n|\r|\n", content.decode(reading.encoding.removesuffix("-sig")))
    filled = [line for line in lines[reading.header_line :] if line.replace(reading.delimiter, "").strip()]
    return len(filled)


def explained(refusal: FileRefused) -> str:
    assert refusal.code
    assert refusal.message.endswith(".")
    assert refusal.hint.endswith(".")
    return refusal.code


def nothing_is_lost(path: Path, content: bytes, rows: int) -> str:
    """Read a file in any state, and say what became of it."""
    started = time.monotonic()
    try:
        reading, batches = read(path, content)
    except FileRefused as refusal:
        return explained(refusal)
    finally:
        assert time.monotonic() - started < SECONDS
    counts = sum((batch.counts for batch in batches), Counts())
    faults = told(batches)
    repeated = {line for line, _, code, *_ in faults if code == "unique-error"}
    rejected = {line for line, *_ in faults} - repeated
    loaded = by_line(batches)
    assert (len(loaded), len(rejected), len(repeated)) == (counts.loaded, counts.rejected, counts.duplicate)
    assert len(loaded.keys() | rejected | repeated) == counts.read > 0
    assert rows_by_hand(content, reading) in {None, counts.read}
    assert sum(count for batch in batches for count in batch.by_code.values()) == len(faults)
    again, smaller = read(path, content, batch_rows=rows)
    assert (again, by_line(smaller), told(smaller)) == (reading, loaded, faults)
    return "read"


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(content=spoilt(), rows=st.integers(1, 5))
def test_a_spoilt_file_loses_no_row(scratch: Path, content: bytes, rows: int) -> None:
    event(nothing_is_lost(scratch / "crates.csv", content, rows))


HEADS = [
    b"",
    f"{HEADER}\n".encode(),
    HEADER.replace(",", "\t").encode() + b"\r",
    f"\ufeff{HEADER}\n".encode("utf-16-le"),
]


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(
    head=st.sampled_from(HEADS),
    noise=st.binary(max_size=300) | st.lists(PIECES | st.binary(max_size=4), max_size=80).map(b"".join),
    rows=st.integers(1, 5),
)
def test_noise_is_rejected_or_refused(scratch: Path, head: bytes, noise: bytes, rows: int) -> None:
    event(nothing_is_lost(scratch / "crates.csv", head + noise, rows))
