"""The operators' job list among 100,000 jobs: `python -m bench.console`."""

import argparse
import json
from statistics import median

from bench.platform import platform, scratch
from bench.table import show, spread

TARGET_MS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with scratch() as folder, platform(folder, workers=False) as stack:
        done = stack.run("-m", "bench.consoling", str(options.jobs), str(options.rounds))
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout.splitlines()[-1])
    rows = []
    for name, page in found.items():
        ratios = [queries / reference for queries, reference in zip(page["queries"], page["reference"], strict=True)]
        remark = (
            f"queries {spread(page['queries'], unit='ms', digits=0)}, "
            f"{median(ratios):.1f} x plain SQL of {median(page['reference']):.1f} ms; {page['rows'][0]:.0f} rows"
        )
        rows.append((name, spread(page["page"], unit="ms", digits=0), remark))
    show(f"The job list among {options.jobs:,} jobs, target <= {TARGET_MS} ms", rows)
    worst = max(found, key=lambda name: median(found[name]["page"]))
    print(f"  slowest: {worst}, {median(found[worst]['page']):.0f} ms")


if __name__ == "__main__":
    main()
