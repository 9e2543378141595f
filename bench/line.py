"""A small file from POST to dashboard, with warm workers: `python -m bench.line`."""

import argparse
import time
from collections import defaultdict
from pathlib import Path

from bench.client import Sender, seconds_between, stage
from bench.data import write_sales
from bench.floor import floor
from bench.platform import platform, scratch
from bench.table import show, spread

TARGET_SECONDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--storage", choices=("disk", "s3"), default="disk")
    options = parser.parse_args()
    with scratch() as folder:
        measured = measure(folder, rows=options.rows, rounds=options.rounds, storage=options.storage)
    total, plain = measured["POST to dashboard"], measured["plain COPY"]
    ratios = [whole / copy for whole, copy in zip(total, plain, strict=True)]
    show(
        f"{options.rows:,} sales rows, {options.rounds} rounds, raw files on {options.storage}",
        [
            *(
                (name, spread(values, unit="s"), f"target < {TARGET_SECONDS} s" if values is total else "")
                for name, values in measured.items()
            ),
            (
                "POST to dashboard / plain COPY",
                spread(ratios, unit="x", digits=1),
                "the same rows, key and two indexes",
            ),
        ],
    )


def measure(folder: Path, *, rows: int, rounds: int, storage: str) -> dict[str, list[float]]:
    """Seconds of every part, round by round, in the order a file passes them."""
    measured: dict[str, list[float]] = defaultdict(list)
    with platform(folder, storage="s3" if storage == "s3" else "disk") as stack:
        sender = Sender(stack)
        with floor(stack.env["DATABASE_URL"], department="sales", folder=folder) as reference:
            # The pool's processes take turns: two files at once warm both of them.
            warm = [sender.send(write_sales(folder / f"warm-{at}.csv", rows=rows, series=at).path) for at in (1, 2)]
            for answer in warm:
                sender.until_done(answer)
            reference.take_newest()
            reference.plain()
            for at in range(rounds):
                file = write_sales(folder / "round.csv", rows=rows, series=10 + at)
                began = time.perf_counter()
                answer = sender.send(file.path)
                accepted = time.perf_counter()
                job = sender.until_on_dashboard(answer)
                measured["POST to dashboard"].append(time.perf_counter() - began)
                etl, ml = stage(job, "etl"), stage(job, "ml")
                measured["  POST to 202"].append(accepted - began)
                measured["  until a worker has it"].append(seconds_between(job["created_at"], etl["started_at"]))
                measured["  ETL"].append(etl["duration_ms"] / 1000)
                measured["  ETL to ML"].append(seconds_between(etl["finished_at"], ml["started_at"]))
                measured["  ML (all the department's rows)"].append(ml["duration_ms"] / 1000)
                reference.take_newest()
                assert reference.rows == rows - file.bad == etl["rows"]["loaded"], etl
                measured["plain COPY"].append(reference.plain())
    return measured


if __name__ == "__main__":
    main()
