"""Many small files, one after the other: what the ETL stage costs beside their rows: `python -m bench.small`."""

import argparse
from collections import defaultdict
from pathlib import Path
from statistics import median

from aetherflow.registry import departments
from bench.client import Sender, stage
from bench.data import WRITERS
from bench.floor import floor
from bench.platform import platform, scratch
from bench.table import show, spread

TARGET_MS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--department", choices=sorted(departments()), default="sales")
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3, help="times all rows are sent as one file")
    options = parser.parse_args()
    with scratch() as folder:
        measured = measure(folder, options)
    rows = [median(measured["whole"]) / options.files] * len(measured["small"])
    beyond = [small - of_rows for small, of_rows in zip(measured["small"], rows, strict=True)]
    ratios = [small / copy for small, copy in zip(measured["small"], measured["copy"], strict=True)]
    show(
        f"{options.files} files of {options.rows:,} rows of {options.department}",
        [
            ("ETL stage of a file", spread(measured["small"], unit="ms", digits=0), ""),
            ("its rows' share of one large file", spread(rows[:1], unit="ms", digits=1), ""),
            ("beyond the rows", spread(beyond, unit="ms", digits=0), f"target <= {TARGET_MS} ms"),
            ("ETL stage / COPY of its rows", spread(ratios, unit="x", digits=1), "into a table with key, two indexes"),
        ],
    )


def measure(folder: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    """Milliseconds. All files stay, so that each is compared with those before it."""
    measured: dict[str, list[float]] = defaultdict(list)
    write = WRITERS[options.department]
    with platform(folder) as stack:
        sender = Sender(stack, department=options.department)
        with floor(stack.env["DATABASE_URL"], department=options.department, folder=folder) as reference:

            def etl_ms(at: int, rows: int) -> float:
                file = write(folder / f"{at}.csv", rows=rows, series=at)
                etl = stage(sender.until_done(sender.send(file.path)), "etl")
                assert etl["rows"]["loaded"] == file.rows - file.bad, etl
                file.path.unlink()
                return float(etl["duration_ms"])

            for at in range(options.rounds + 1):
                took = etl_ms(at, options.files * options.rows)
                if at:  # the first one warms the worker
                    measured["whole"].append(took)
            for at in range(options.files):
                measured["small"].append(etl_ms(options.rounds + 1 + at, options.rows))
                reference.take_newest()
                measured["copy"].append(reference.plain() * 1000)
    return measured


if __name__ == "__main__":
    main()
