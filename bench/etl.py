"""A large file through the real workers: `python -m bench.etl`."""

import argparse
from collections import defaultdict
from pathlib import Path

from bench.client import Sender, stage
from bench.data import write_sales
from bench.floor import floor
from bench.memory import children, forget_peaks, largest
from bench.platform import platform, scratch
from bench.table import show, spread

TARGET_SECONDS = 60
TARGET_MEGABYTES = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bad", type=float, default=0.0, help="share of rows that cannot be loaded, e.g. 0.01")
    parser.add_argument("--storage", choices=("disk", "s3"), default="disk")
    options = parser.parse_args()
    with scratch() as folder:
        measured = measure(
            folder, rows=options.rows, rounds=options.rounds, bad_share=options.bad, storage=options.storage
        )
    of_million = f"target < {TARGET_SECONDS} s for 1,000,000"
    ratios = [copy / etl for etl, copy in zip(measured["ETL"], measured["COPY"], strict=True)]
    show(
        f"{options.rows:,} sales rows ({measured['megabytes'][0]:.0f} MB), {options.bad:.0%} bad, "
        f"{options.rounds} rounds, raw files on {options.storage}",
        [
            ("ETL stage", spread(measured["ETL"], unit="s"), of_million),
            ("ETL rows", spread([options.rows / took / 1000 for took in measured["ETL"]], unit="k/s", digits=0), ""),
            ("plain COPY of the clean rows", spread(measured["COPY"], unit="s"), "identity key and two indexes"),
            ("ETL / plain COPY, speed", spread(ratios, unit="x"), "1 is the speed of plain COPY"),
            *_memory("ETL", measured, remark=f"target < {TARGET_MEGABYTES} MB"),
            ("ML stage", spread(measured["ML"], unit="s"), "all of the department's rows"),
            *_memory("ML", measured, remark=""),
        ],
    )


def _memory(name: str, measured: dict[str, list[float]], *, remark: str) -> list[tuple[str, str, str]]:
    return [
        (f"{name} worker, RSS before", spread(measured[f"{name} before"], unit="MB", digits=0), ""),
        (f"{name} worker, peak RSS", spread(measured[f"{name} peak"], unit="MB", digits=0), remark),
    ]


def measure(folder: Path, *, rows: int, rounds: int, bad_share: float, storage: str) -> dict[str, list[float]]:
    """Seconds and MB, round by round. Each upload is undone before the next, so that ML always sees `rows` rows."""
    measured: dict[str, list[float]] = defaultdict(list)
    file = write_sales(folder / "large.csv", rows=rows, bad_share=bad_share)
    measured["megabytes"].append(file.megabytes)
    with platform(folder, storage="s3" if storage == "s3" else "disk") as stack:
        sender = Sender(stack)
        warm = [sender.send(write_sales(folder / f"warm-{at}.csv", rows=1_000, series=at).path) for at in (1, 2)]
        for answer in warm:
            sender.until_done(answer)
        pools = {"ETL": children(stack.pid("worker-etl")), "ML": children(stack.pid("worker-ml"))}
        with floor(stack.env["DATABASE_URL"], folder=folder) as reference:
            for _ in range(rounds):
                for name, pids in pools.items():
                    forget_peaks(pids)
                    measured[f"{name} before"].append(largest(pids).now)
                answer = sender.send(file.path)
                job = sender.until_on_dashboard(answer)
                for name, pids in pools.items():
                    measured[f"{name} peak"].append(largest(pids).peak)
                    measured[name].append(stage(job, name.lower())["duration_ms"] / 1000)
                copied, took = reference.copy_newest()
                reference.empty()
                assert copied == rows - file.bad == stage(job, "etl")["rows"]["loaded"], job
                measured["COPY"].append(took)
                sender.undo(answer)
    return measured


if __name__ == "__main__":
    main()
