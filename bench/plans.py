"""How long PostgreSQL plans a query among many datasets with partitions of their own: `python -m bench.plans`."""

import argparse
import json
from pathlib import Path

from aetherflow.registry import departments
from bench.platform import platform, scratch
from bench.table import show, spread

TARGET_MS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--department", choices=sorted(departments()), default="sales")
    parser.add_argument("--datasets", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with scratch() as folder:
        few, many = (measure(folder / str(count), options, datasets=count) for count in (1, options.datasets))
    show(
        f"Planning among {options.datasets:,} partitions of {options.department}, beside 1",
        [
            (
                f"{what}",
                spread(many[what], unit="ms"),
                f"{spread(few[what], unit='ms')} beside 1"
                + (f"; target <= {TARGET_MS} ms" if what.startswith("one") else ""),
            )
            for what in many
        ],
    )


def measure(folder: Path, options: argparse.Namespace, *, datasets: int) -> dict[str, list[float]]:
    with platform(folder, workers=False) as stack:
        done = stack.run("-m", "bench.planning", options.department, str(datasets), str(options.rounds))
    measured: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    main()
