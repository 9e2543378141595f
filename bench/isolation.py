"""What row-level security costs the lists of the API among 100,000 jobs: `python -m bench.isolation`."""

import argparse
import json
from statistics import median

from bench.platform import platform, scratch
from bench.table import show, spread

TARGET = 1.10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with scratch() as folder, platform(folder, workers=False) as stack:
        done = stack.run("-m", "bench.isolating", str(options.jobs), str(options.rounds))
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout.splitlines()[-1])
    rows = []
    for name, took in found.items():
        ratios = [held / free for held, free in zip(took["held"], took["free"], strict=True)]
        remark = f"{spread(took['held'], unit='ms', digits=1)} with it, {median(took['free']):.1f} ms without"
        rows.append((name, spread(ratios, unit="x"), remark))
    show(f"Lists with row-level security and without, target <= {TARGET:.2f} x", rows)


if __name__ == "__main__":
    main()
