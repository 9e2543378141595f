"""The list of rejects is complete in its counts and bounded in everything else."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aetherflow.department import Department
from aetherflow.etl import open_file
from aetherflow.etl.listing import MOST_PER_LINE
from aetherflow.etl.rejects import counted_by_column

HEADER = "parcel,sent,pieces,weight,value"
GOOD = "P-1,2026-11-02,1,1,1"
EXTRA = [f"extra {at}" for at in range(480)]


def wide(*rows: str) -> str:
    return "\n".join([",".join([HEADER, *EXTRA]), *rows, ""])


def test_a_line_with_very_many_faults_is_itemised_in_part_and_counted_in_full(load: Callable[..., Any]) -> None:
    damaged = ",".join(["some text and a \x00"] * len(EXTRA))
    loaded = load(wide(f"{GOOD},{damaged}", f"P-2,soon,1,1,1{',' * len(EXTRA)}"))
    assert loaded.by_code == {"null-byte": len(EXTRA), "type-error": 1}
    assert Counter(reject.line for reject in loaded.rejects) == {2: MOST_PER_LINE, 3: 1}
    *others, last, _ = loaded.rejects
    assert last.message.endswith(f" {len(EXTRA) - MOST_PER_LINE} more faults of this line are counted and not listed.")
    assert not any("more faults" in reject.message for reject in others)
    assert all(reject.cells is others[0].cells for reject in others), "the cells of a line are held once"


def test_exactly_as_many_faults_as_are_itemised_leave_no_rest(load: Callable[..., Any]) -> None:
    damaged = ",".join(["a \x00"] * MOST_PER_LINE + ["some text"] * (len(EXTRA) - MOST_PER_LINE))
    rejects = load(wide(f"{GOOD},{damaged}")).rejects
    assert len(rejects) == MOST_PER_LINE
    assert "more fault" not in rejects[-1].message


def test_a_listing_gives_the_same_rejects_however_often_it_is_read(parcels: Department, tmp_path: Path) -> None:
    path = tmp_path / "parcels.csv"
    path.write_text(f"{HEADER}\n{GOOD}\nP-2,soon,none,1,1\n{GOOD}\nP-3\n{GOOD},6\nP-4,2026-11-02,0,1,1\n")
    with open_file(path, filename="parcels.csv", department=parcels) as source:
        (batch,) = source.batches()
    rejects = list(batch.rejects)
    assert [(reject.line, reject.code) for reject in rejects] == [
        (3, "type-error"),
        (3, "missing-value"),
        (4, "unique-error"),
        (5, "missing-cell"),
        (6, "extra-cell"),
        (7, "constraint-error"),
    ]
    assert list(batch.rejects) == rejects
    assert len(batch.rejects) == len(rejects) == sum(batch.by_code.values())


@pytest.mark.parametrize(("limit", "listed"), list(enumerate([0, 1, 1, 3, 4, 5, 6, 7, 7])))
def test_a_full_listing_ends_at_the_limit_and_with_a_whole_line(
    load: Callable[..., Any], limit: int, listed: int
) -> None:
    content = f"{HEADER}\n{GOOD}\n{GOOD}\nP-2,soon,none,1,1\nP-3\n{GOOD},6\n{GOOD}\nP-4,2026-11-02,0,1,1\n"
    faults = load(content).faults
    assert [line for line, _, _ in faults] == [3, 4, 4, 5, 6, 7, 8]
    loaded = load(content, listing_limit=limit)
    assert loaded.faults == faults[:listed]
    assert loaded.by_code.total() == len(faults)


def test_nothing_is_listed_behind_a_line_that_was_left_out(load: Callable[..., Any]) -> None:
    """Room for one more is left where a line of two did not fit; a later line of one would leave a gap unseen."""
    rows = [GOOD, "P-2,soon,none,1,1", *(f"P-{at},2026-11-02,1,1,1" for at in range(3, 3_000)), "P-3000,soon,1,1,1"]
    loaded = load("\n".join([HEADER, *rows, ""]), listing_limit=1, block=4_096, batch_rows=500)
    assert loaded.batches > 1
    assert loaded.faults == []
    assert loaded.by_code == {"type-error": 2, "missing-value": 1}


def test_faults_are_counted_by_column_and_code_over_all_batches_listed_or_not(load: Callable[..., Any]) -> None:
    header = "Parcel No,Date,Qty,weight,value,note,,"
    mixed = ["P-2,2026-11-02,0,heavy,1,a \x00,\x00,\x00", "P-3", "P-4,2026-11-02,1,1,1,,,"]
    rows = ["P-1,soon,1,1,1,,,"] * 700 + mixed * 2
    loaded = load("\n".join([header, *rows, ""]), listing_limit=3, block=4_096, batch_rows=100)
    assert loaded.batches > 1
    assert counted_by_column(loaded.kinds) == [
        {"column": "sent", "label": "Date", "code": "type-error", "count": 700},
        {"column": None, "label": "", "code": "null-byte", "count": 4},
        {"column": None, "label": None, "code": "missing-cell", "count": 2},
        {"column": "pieces", "label": "Qty", "code": "constraint-error", "count": 2},
        {"column": None, "label": "note", "code": "null-byte", "count": 2},
        {"column": "weight", "label": "weight", "code": "type-error", "count": 2},
        {"column": "parcel", "label": "Parcel No", "code": "unique-error", "count": 1},
    ]
    assert len(loaded.rejects) == 3


PEAK = """
import sys
from pathlib import Path
from aetherflow.etl import open_file
from aetherflow.registry import department

def held(name):
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) * 1024 / 1e6

sales = department("sales")
before, read, listed = held("VmRSS"), 0, 0
with open_file(Path(sys.argv[1]), filename="wide.csv", department=sales) as source:
    for batch in source.batches():
        read += batch.counts.read
        listed += sum(1 for reject in batch.rejects if reject.message and reject.cells)
print(read, listed, held("VmHWM") - before)
"""
SALES = (
    "transaction_id,date,store_id,region,product_category,sku,quantity,unit_price,discount_pct,customer_segment,"
    "payment_method"
)


def sale(number: int, *, quantity: str = "2") -> str:
    return f"T-{number},2026-03-02,S-1,North,Books,SKU-1,{quantity},10.00,0,loyalty,card"


def all_damaged() -> tuple[list[str], int, int]:
    cells = ",".join(["some text and a \x00"] * len(EXTRA))
    return [f"{sale(at)},{cells}" for at in range(150)], 150, 150 * MOST_PER_LINE


def all_bad() -> tuple[list[str], int, int]:
    cells = ",".join(["abc"] * len(EXTRA))
    return [f"{sale(at, quantity='x')},{cells}" for at in range(8_000)], 8_000, 8_000


def blank_below_the_table() -> tuple[list[str], int, int]:
    return [sale(1) + "," * len(EXTRA), *[""] * 300_000], 1, 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="The peak of a process is read under /proc.")
@pytest.mark.parametrize("rows", [all_damaged, all_bad, blank_below_the_table])
def test_a_file_of_many_columns_takes_no_more_memory_than_any_other(
    rows: Callable[[], tuple[list[str], int, int]], tmp_path: Path
) -> None:
    """With all rejects of a batch at once, and 1 MB blocks whatever is in them: 4,300 MB, 510 MB and 1,370 MB."""
    lines, read, listed = rows()
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([",".join([SALES, *EXTRA]), *lines, ""]))
    done = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True, timeout=120)
    found_read, found_listed, megabytes = done.stdout.split()
    assert (int(found_read), int(found_listed)) == (read, listed)
    assert float(megabytes) < 250
