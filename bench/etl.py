"""Large files through the real workers, beside what PostgreSQL itself takes: `python -m bench.etl`."""

import argparse
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aetherflow.registry import departments
from bench.client import SELDOM_SECONDS, Sender, stage
from bench.data import WRITERS, DataFile
from bench.floor import Floor, floor
from bench.memory import children, forget_peaks, largest, warm
from bench.platform import platform, scratch
from bench.table import show, spread
from tests.support.stack import Stack

Measured = Mapping[str, list[float]]
# Rows of which bulk_create's time is taken, as many times as there are; all of them would take a minute a round.
BULK_ROWS = 50_000
REFERENCE_ROUNDS = 3
# Time of the ETL stage over the time of a floor, by what is loaded.
TARGETS = {"good": {"plain": 0.85, "attached": 1.3}, "bad": {"plain": 0.95, "attached": 1.45}}
TARGET_MEGABYTES = 600
TARGET_BULK, TARGET_NAIVE = 15, 2.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--department", choices=sorted(departments()), default="sales")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bad", type=float, default=0.01, help="share of the second file's rows that cannot be loaded")
    parser.add_argument("--without-references", action="store_true", help="leave bulk_create and plain pandas out")
    parser.add_argument("--storage", choices=("disk", "s3"), default="disk")
    options = parser.parse_args()
    with scratch() as folder:
        measured = measure(folder, options)
    show(
        f"{options.rows:,} rows of {options.department} ({measured['megabytes'][0]:.0f} MB), {options.rounds} rounds, "
        f"raw files on {options.storage}",
        [
            ("floor c: COPY, key, two indexes", spread(measured["plain"], unit="s"), ""),
            ("floor d: COPY FREEZE, key, ATTACH", spread(measured["attached"], unit="s"), ""),
            *_stage("good", "ETL stage", measured, rows=options.rows),
            *_stage("bad", f"ETL stage, {options.bad:.0%} bad", measured, rows=options.rows),
            *_references(measured, rows=options.rows),
            ("ETL worker, RSS before", spread(measured["RSS before"], unit="MB", digits=0), ""),
            ("ETL worker, peak RSS", spread(measured["RSS"], unit="MB", digits=0), f"target <= {TARGET_MEGABYTES} MB"),
            ("undo", spread(measured["undo"], unit="s"), "until the rows are gone"),
        ],
    )


def _stage(kind: str, name: str, measured: Measured, *, rows: int) -> list[tuple[str, str, str]]:
    took = measured[kind]
    return [
        (name, spread(took, unit="s"), f"{rows / sorted(took)[len(took) // 2] / 1000:,.0f} rows/ms"),
        *(
            (f"  / floor {letter}", spread(_ratios(took, measured[of]), unit="x"), f"target <= {TARGETS[kind][of]}")
            for letter, of in (("c", "plain"), ("d", "attached"))
        ),
    ]


def _references(measured: Measured, *, rows: int) -> list[tuple[str, str, str]]:
    if not measured["naive"]:
        return []
    bulk = [seconds * rows / min(BULK_ROWS, rows) for seconds in measured["bulk"]]
    return [
        (
            name,
            spread(_ratios(took, measured["beside references"]), unit="x", digits=1),
            f"target >= {target}; {spread(took, unit='s')}",
        )
        for name, took, target in (
            ("bulk_create / ETL stage", bulk, TARGET_BULK),
            ("read_csv, pandera, COPY / ETL stage", measured["naive"], TARGET_NAIVE),
        )
    ]


def _ratios(one: list[float], other: list[float]) -> list[float]:
    """Round by round: the machine's speed drifts."""
    return [a / b for a, b in zip(one, other, strict=True)]


def measure(folder: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds and MB, round by round, everything in turn. Each upload is undone before the next."""
    measured: dict[str, list[float]] = defaultdict(list)
    slug = options.department
    write = WRITERS[slug]
    good = write(folder / "good.csv", rows=options.rows)
    bad = write(folder / "bad.csv", rows=options.rows, series=1, bad_share=options.bad)
    measured["megabytes"].append(good.megabytes)
    with platform(folder, storage=options.storage) as stack:
        sender = Sender(stack, department=slug)
        # The pool's processes take turns: two files at once warm both of them.
        first = [sender.send(write(folder / f"first-{at}.csv", rows=1_000, series=1 + at).path) for at in (1, 2)]
        for answer in first:
            sender.undo(sender.until_done(answer) and answer)
        with floor(stack.env["DATABASE_URL"], department=slug, folder=folder) as reference:
            _load(sender, good, stack=stack, measured=defaultdict(list), name="first", floor_of=reference)
            for _ in range(options.rounds):
                warm(rows=options.rows)
                measured["plain"].append(reference.plain())
                _load(sender, good, stack=stack, measured=measured, name="good")
                warm(rows=options.rows)
                measured["attached"].append(reference.attached())
                _load(sender, bad, stack=stack, measured=measured, name="bad")
            # After the floors: what the references leave PostgreSQL to tidy up would be at work beside the next loads.
            for _ in range(0 if options.without_references else REFERENCE_ROUNDS):
                _load(sender, good, stack=stack, measured=measured, name="beside references")
                for way, rows in (("naive", options.rows), ("bulk", BULK_ROWS)):
                    done = stack.run("-m", "bench.references", way, str(good.path), slug, str(rows))
                    measured[way].append(float(done.stdout))
    return measured


def _load(
    sender: Sender,
    file: DataFile,
    *,
    stack: Stack,
    measured: dict[str, list[float]],
    name: str,
    floor_of: Floor | None = None,
) -> None:
    """One upload, and what its ETL stage took; then it is undone."""
    pids = children(stack.pid("worker-etl"))
    warm(rows=file.rows)
    forget_peaks(pids)
    measured["RSS before"].append(largest(pids).now)
    answer = sender.send(file.path)
    job: dict[str, Any] = sender.until_done(answer, every=SELDOM_SECONDS)
    measured["RSS"].append(largest(pids).peak)
    etl = stage(job, "etl")
    assert etl["rows"]["loaded"] == file.rows - file.bad, job
    measured[name].append(etl["duration_ms"] / 1000)
    if floor_of:
        floor_of.take_newest()
    measured["undo"].append(sender.undo(answer))


if __name__ == "__main__":
    main()
