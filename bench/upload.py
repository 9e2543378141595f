"""A large upload and the web process's memory: `python -m bench.upload`."""

import argparse
import os
import time
from collections import defaultdict
from pathlib import Path

from bench.client import Sender
from bench.data import write_sales
from bench.memory import children, forget_peaks, largest
from bench.platform import platform, scratch
from bench.table import show, spread

TARGET_MEGABYTES = 50
BYTES_PER_ROW = 75
SMALL = b"transaction_id,date\nT-1,2026-01-01\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--storage", choices=("disk", "s3"), default="disk")
    options = parser.parse_args()
    with scratch() as folder:
        measured = measure(folder, megabytes=options.megabytes, rounds=options.rounds, storage=options.storage)
    size = measured["megabytes"][0]
    rises = [peak - before for before, peak in zip(measured["before"], measured["peak"], strict=True)]
    ratios = [write / took for took, write in zip(measured["upload"], measured["write"], strict=True)]
    show(
        f"Upload of {size:.0f} MB, {options.rounds} rounds, raw files on {options.storage}",
        [
            ("upload, POST to 202", spread(measured["upload"], unit="s"), ""),
            ("upload", spread([size / took for took in measured["upload"]], unit="MB/s", digits=0), ""),
            (
                "write + fsync of the same bytes",
                spread([size / took for took in measured["write"]], unit="MB/s", digits=0),
                "",
            ),
            ("upload / write + fsync, speed", spread(ratios, unit="x"), "1 is the speed of the disk"),
            ("web process, RSS before", spread(measured["before"], unit="MB", digits=0), ""),
            ("web process, peak RSS", spread(measured["peak"], unit="MB", digits=0), ""),
            ("web process, RSS after", spread(measured["after"], unit="MB", digits=0), ""),
            ("rise by the upload", spread(rises, unit="MB", digits=0), f"target <= {TARGET_MEGABYTES} MB for 100 MB"),
        ],
    )


def measure(folder: Path, *, megabytes: int, rounds: int, storage: str) -> dict[str, list[float]]:
    """Seconds and MB, round by round. No worker runs, so that none takes the web process's processor."""
    measured: dict[str, list[float]] = defaultdict(list)
    file = write_sales(folder / "large.csv", rows=megabytes * 1_000_000 // BYTES_PER_ROW).path
    measured["megabytes"].append(file.stat().st_size / 1e6)
    with platform(folder, storage="s3" if storage == "s3" else "disk", workers=False) as stack:
        sender = Sender(stack)
        small = folder / "small.csv"
        small.write_bytes(SMALL)
        for _ in range(4):  # as many as the server has threads: code and connections are there afterwards
            sender.send(small)
        web = children(stack.pid("web"))
        for _ in range(rounds):
            forget_peaks(web)
            measured["before"].append(largest(web).now)
            began = time.perf_counter()
            sender.send(file)
            measured["upload"].append(time.perf_counter() - began)
            memory = largest(web)
            measured["peak"].append(memory.peak)
            measured["after"].append(memory.now)
            measured["write"].append(_write(file, folder / "plain.csv"))
    return measured


def _write(source: Path, target: Path) -> float:
    """Seconds to write the same bytes to the same disk, until they are on it."""
    began = time.perf_counter()
    with source.open("rb") as read, target.open("wb") as out:
        while chunk := read.read(1 << 20):
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    took = time.perf_counter() - began
    target.unlink()
    return took


if __name__ == "__main__":
    main()
