"""Backup and restore of a platform with a million rows, by the commands of docs/backup.md: `python -m bench.restore`.

Beside it, in the same round, COPY of the same clean rows into a table with a key and two indexes: what PostgreSQL
itself takes to have them again.
"""

import argparse
import os
import time
from collections import defaultdict
from pathlib import Path

from bench.data import write_sales
from bench.floor import floor
from bench.platform import scratch
from bench.table import show, spread
from tests.faults.platform import Platform
from tests.faults.restoring import PROCESSES, lose_and_restore, run
from tests.faults.settled import await_end
from tests.support.session import DEFAULTS

SECONDS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    # The keys of the tests: none of them can reach a real account.
    os.environ.update(DEFAULTS)
    with scratch() as folder:
        platform = Platform(folder, settings={"LOG_LEVEL": "WARNING"})
        try:
            platform.begin()
            took, size = measure(platform, folder, rows=options.rows, rounds=options.rounds)
        finally:
            platform.close()
    ratios = [whole / copy for whole, copy in zip(took["restore, until it can start"], took["plain COPY"], strict=True)]
    show(
        f"{options.rows:,} sales rows, {options.rounds} rounds; the dump has {size / 1e6:.0f} MB",
        [
            *((name, spread(values, unit="s"), "") for name, values in took.items()),
            ("restore / plain COPY", spread(ratios, unit="x"), "the same rows, key and two indexes"),
        ],
    )


def measure(platform: Platform, folder: Path, *, rows: int, rounds: int) -> tuple[dict[str, list[float]], int]:
    """Seconds by part, round by round, and the bytes of the dump."""
    took: dict[str, list[float]] = defaultdict(list)
    file = write_sales(folder / "file.csv", rows=rows)
    upload = platform.upload("sales", content=file.path.read_bytes())
    await_end(platform, upload, seconds=SECONDS)
    backup = folder / "aetherflow.dump"
    for _ in range(rounds):
        took["backup, while in use"].append(_seconds(lambda: run(platform, "backup", backup=backup)))
        with floor(platform.env["DATABASE_URL"], department="sales", folder=folder) as reference:
            reference.take_newest()
            took["plain COPY"].append(reference.plain())
        for name in PROCESSES:
            platform.stop(name)
        took["restore, until it can start"].append(_seconds(lambda: lose_and_restore(platform, backup=backup)))
        for name in PROCESSES:
            platform.start(name)
        platform.await_ready()
        assert platform.query("SELECT count(*) AS found FROM clean_sales") == [{"found": reference.rows}]
    return took, backup.stat().st_size


def _seconds(act) -> float:  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
