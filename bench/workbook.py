"""The same rows as an Excel workbook and as CSV: `python -m bench.workbook`."""

import argparse
import csv
import datetime as dt
from collections import defaultdict
from pathlib import Path

from aetherflow.department import Department
from aetherflow.registry import department as find_department
from aetherflow.registry import departments
from bench.client import SELDOM_SECONDS, Sender, stage
from bench.data import WRITERS
from bench.memory import children, forget_peaks, largest, warm
from bench.platform import platform, scratch
from bench.table import show, spread
from tests.aetherflow.etl.workbooks import day, workbook

TARGET_RATIO, TARGET_MEGABYTES = 3, 700
# Day 0 of Excel's calendar, for all days after its 29 February 1900.
EPOCH = dt.date(1899, 12, 30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--department", choices=sorted(departments()), default="sales")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with scratch() as folder:
        measured = measure(folder, options)
    ratios = [xlsx / text for xlsx, text in zip(measured["xlsx"], measured["csv"], strict=True)]
    show(
        f"{options.rows:,} rows of {options.department}, {options.rounds} rounds",
        [
            ("ETL stage, CSV", spread(measured["csv"], unit="s"), ""),
            ("ETL stage, workbook", spread(measured["xlsx"], unit="s"), f"{measured['megabytes'][0]:.0f} MB"),
            ("workbook / CSV", spread(ratios, unit="x"), f"target <= {TARGET_RATIO}"),
            ("ETL worker, peak RSS", spread(measured["RSS"], unit="MB", digits=0), f"target <= {TARGET_MEGABYTES} MB"),
        ],
    )


def measure(folder: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds and MB, both files in turn. Each upload is undone before the next."""
    measured: dict[str, list[float]] = defaultdict(list)
    text = WRITERS[options.department](folder / "rows.csv", rows=options.rows).path
    book = as_workbook(text, department=find_department(options.department))
    measured["megabytes"].append(book.stat().st_size / 1e6)
    with platform(folder) as stack:
        sender = Sender(stack, department=options.department)
        for at in range(options.rounds + 1):
            for kind, path in (("csv", text), ("xlsx", book)):
                pids = children(stack.pid("worker-etl"))
                warm(rows=options.rows)
                forget_peaks(pids)
                answer = sender.send(path)
                etl = stage(sender.until_done(answer, every=SELDOM_SECONDS), "etl")
                assert etl["rows"]["loaded"] == options.rows, etl
                if at:  # the first round warms the worker
                    measured[kind].append(etl["duration_ms"] / 1000)
                    if kind == "xlsx":
                        measured["RSS"].append(largest(pids).peak)
                sender.undo(answer)
    return measured


def as_workbook(text: Path, *, department: Department) -> Path:
    """The file with its numbers and days as such, where they are written plainly."""
    with text.open(newline="") as file:
        header, *rows = csv.reader(file)
    kinds = [department.column(name).kind for name in header]
    cells = [[_cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in rows]
    path = text.with_suffix(".xlsx")
    path.write_bytes(workbook({"Rows": [header, *cells]}))
    return path


def _cell(cell: str, kind: str) -> object:
    try:
        if kind in {"integer", "number"}:
            return float(cell)
        if kind == "date":
            return day((dt.date.fromisoformat(cell) - EPOCH).days)
    except ValueError:
        pass
    return cell or None


if __name__ == "__main__":
    main()
