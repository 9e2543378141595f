"""Every row knows the line it begins on, however the file is cut into blocks."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aetherflow.etl.dialect import END, Dialect
from aetherflow.etl.encodings import LONGEST_LINE, examine
from aetherflow.etl.reader import FEWEST_LINES, in_larger_batches, read_texts

CELLS = st.text(st.sampled_from('ab,"\n\r é'), max_size=6)
ROWS = st.lists(st.one_of(st.just([]), st.lists(CELLS, min_size=1, max_size=5)), min_size=1, max_size=60)


def written(rows: list[list[str]], ending: str) -> tuple[str, list[int]]:
    """The rows as a file, and the line each begins on."""
    text, lines, line = "", [], 1
    for row in rows:
        lines.append(line)
        held = io.StringIO(newline="")
        csv.writer(held, lineterminator=ending, quoting=csv.QUOTE_ALL).writerow(row)
        text += held.getvalue()
        line += len(io.StringIO(held.getvalue(), newline="").readlines())
    return text, lines


def test_a_row_that_looks_like_the_end_of_the_file_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"a,b,c\n{END},1,2,3\n{END},x\n" + "some,more,rows\n" * 8 + "some,more,rows")
    dialect = Dialect(delimiter=",", header=("a", "b", "c"), header_line=0, first_line=1, offset=0)
    parts = list(read_texts(path, text=examine(path, filename="rows.csv"), dialect=dialect))
    assert [line for part in parts for line in part.lines.tolist()] == [1, *range(4, 13)]
    assert [(row.line, row.width) for part in parts for row in part.ragged] == [(2, 4), (3, 2)]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_the_longest_line_fits_whatever_it_is_written_in(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.csv"
    letters = LONGEST_LINE // len("ü".encode()) - 3_000
    path.write_bytes(f"a,b\n1,2\n3,{'ü' * letters}\n5,6\n".encode(encoding).rstrip())
    dialect = Dialect(delimiter=",", header=("a", "b"), header_line=0, first_line=1, offset=0)
    text = examine(path, filename="rows.csv", encoding=encoding)
    cells = [cell for part in read_texts(path, text=text, dialect=dialect) for cell in part.cells.column(1).to_pylist()]
    assert [len(cell) for cell in cells] == [1, 1, letters, 1]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=ROWS, ending=st.sampled_from(["\n", "\r\n"]), block=st.sampled_from([64, 150, 1 << 20]), size=st.integers(1, 9)
)
def test_lines_are_those_of_the_file(tmp_path: Path, rows: list[list[str]], ending: str, block: int, size: int) -> None:
    text, lines = written(rows, ending)
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode())
    dialect = Dialect(delimiter=",", header=("a", "b", "c"), header_line=0, first_line=1, offset=0)
    # A record must fit into a block.
    block = max(
        block,
        2 + max(len(part.encode()) for part in [*text.split(ending), *(written([row], ending)[0] for row in rows)]),
    )
    found: dict[int, list[str]] = {}
    for part in in_larger_batches(
        read_texts(path, text=examine(path, filename="rows.csv"), dialect=dialect, block=block), rows=size
    ):
        cells = [list(row.values()) for row in part.cells.to_pylist()]
        found.update(zip(part.lines.tolist(), cells, strict=True))
        found.update((row.line, row.cells) for row in part.ragged)
        assert all(row.width == len(row.cells) != 3 for row in part.ragged if row.cells)
    expected = {line: row or ["", "", ""] for line, row in zip(lines, rows, strict=True)}
    # pyarrow reads a blank line as a row of empty cells.
    assert {line: cells for line, cells in found.items() if any(cells)} == {
        line: cells for line, cells in expected.items() if any(cells)
    }


def test_a_file_without_quotation_marks_takes_lines_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("".join(f"{at},x,y\n" if at % 7 else "short\n\n" for at in range(3_000)))
    dialect = Dialect(delimiter=",", header=("a", "b", "c"), header_line=0, first_line=1, offset=0)
    parts = list(read_texts(path, text=examine(path, filename="rows.csv"), dialect=dialect, block=512))
    lines = np.concatenate([part.lines for part in parts])
    rows = path.read_text().split("\n")
    for part in parts:
        for line, row in zip(part.lines.tolist(), part.cells.to_pylist(), strict=True):
            assert rows[line - 1] == ("" if row["0"] == "" else f"{row['0']},x,y")
        assert all(rows[row.line - 1] == "short" for row in part.ragged)
    assert len(parts) > 20
    assert (np.diff(lines) > 0).all()
    assert sum(len(part.lines) + len(part.ragged) for part in parts) == len(rows) - 1 + 1


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_block_has_no_more_lines_than_its_width_allows(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "rows.csv"
    header = tuple(str(at) for at in range(400))
    rows = [",".join(f"{at}-{name}" for name in header) for at in range(3)]
    path.write_bytes(ending.join([rows[0], *[""] * 25_000, rows[1], *["short"] * 25_000, rows[2], ""]).encode())
    dialect = Dialect(delimiter=",", header=header, header_line=0, first_line=1, offset=0)
    parts = list(read_texts(path, text=examine(path, filename="rows.csv"), dialect=dialect))
    assert max(len(part.lines) for part in parts) <= FEWEST_LINES
    found = {
        line: row["399"]
        for part in parts
        for line, row in zip(part.lines.tolist(), part.cells.to_pylist(), strict=True)
        if row["399"]
    }
    assert found == {1: "0-399", 25_002: "1-399", 50_003: "2-399"}
    assert [row.line for part in parts for row in part.ragged] == list(range(25_003, 50_003))


def test_wide_rows_come_in_smaller_batches(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("".join(f"{at},x,y\n" for at in range(4_000)))
    dialect = Dialect(delimiter=",", header=("a", "b", "c"), header_line=0, first_line=1, offset=0)
    texts = examine(path, filename="rows.csv")

    def batches(**bounds: int) -> list[int]:
        parts = in_larger_batches(read_texts(path, text=texts, dialect=dialect, block=512), **bounds)
        return [len(part.lines) for part in parts]

    first, *others = batches(rows=1_000)
    assert first < 250, "nobody else has work until the first is through"
    assert others[:-1] == sorted(others[:-1])
    assert max(others) >= 1_000
    narrower = batches(rows=1_000, size=4_000)
    assert len(narrower) > 8
    assert sum(narrower) == sum(batches(rows=1_000))


def test_a_piece_is_split_where_what_was_set_aside_in_it_belongs(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,1,x\nshort\nb,2,x\nlong,3,x,y\nc,4,x")
    dialect = Dialect(delimiter=",", header=("a", "b", "c"), header_line=0, first_line=1, offset=0)
    (piece, _) = read_texts(path, text=examine(path, filename="rows.csv"), dialect=dialect)
    for rows in (1, 2):
        parts = piece.split(rows)
        assert [part.cells.column("0").to_pylist() for part in parts] == [list("abc")[:rows], list("abc")[rows:]]
        assert [part.lines.tolist() for part in parts] == [[1, 3, 5][:rows], [1, 3, 5][rows:]]
        assert [[row.line for row in part.ragged] for part in parts] == [[2, 4][:rows], [2, 4][rows:]]
