"""Acting on very many jobs at once: `python -m bench.operations`."""

import argparse
import json

from bench.platform import platform, scratch
from bench.table import show, spread

TARGET_SECONDS, TARGET_ITEM = 5, 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with scratch() as folder, platform(folder, workers=False) as stack:
        done = stack.run("-m", "bench.operations_parts", str(options.jobs), str(options.rounds))
        measured: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    ratios = [item / alone for item, alone in zip(measured["item"], measured["alone"], strict=True)]

    def milliseconds(part: str) -> str:
        return spread([1_000 * seconds for seconds in measured[part]], unit="ms", digits=1)

    show(
        f"an operation on {options.jobs:,} jobs, {options.rounds} rounds",
        [
            ("counted for the page that confirms", spread(measured["counted"], unit="s"), ""),
            ("begun", spread(measured["begun"], unit="s"), f"target <= {TARGET_SECONDS} s"),
            ("  the same rows by bulk_create", spread(measured["bulk_create"], unit="s"), ""),
            ("stopped", spread(measured["stopped"], unit="s"), f"target <= {TARGET_SECONDS} s"),
            ("an item of a retry", milliseconds("item"), ""),
            ("  a retry alone", milliseconds("alone"), ""),
            ("  item / alone", spread(ratios, unit="x"), f"target <= {TARGET_ITEM} x"),
            ("an item once the others are queued", milliseconds("item beside the others queued"), ""),
        ],
    )


if __name__ == "__main__":
    main()
