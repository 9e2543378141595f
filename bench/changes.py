"""What it costs to say what an upload changes, by how much is there before it: `python -m bench.changes`."""

import argparse
import json
from collections import defaultdict
from pathlib import Path

from aetherflow.registry import departments
from bench.data import WRITERS
from bench.platform import platform, scratch
from bench.table import show, spread

# Millions of rows there before; seconds, for a large file and for a small one beside the longest history.
HISTORIES = (0, 1, 10)
SMALL_ROWS, TARGET_SMALL = 1_000, 0.3
TARGET_STORED = 0.1

Measured = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--department", choices=sorted(departments()), default="sales")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with scratch() as folder:
        measured = measure(folder, options)
    lines = []
    for rows in (options.rows, SMALL_ROWS):
        for history in HISTORIES:
            lines += _lines(measured[rows, history], rows=rows, history=history)
    show(f"What {options.department} uploads change, {options.rounds} rounds", lines)


def _lines(measured: Measured, *, rows: int, history: int) -> list[tuple[str, str, str]]:
    parts = ("hashed", "stored", "compared")
    added = [sum(each) for each in zip(*(measured[part] for part in parts), strict=True)]
    without = [
        loaded - hashed - stored
        for loaded, hashed, stored in zip(*(measured[part] for part in ("loaded", *parts[:2])), strict=True)
    ]
    ratios = [more / rest for more, rest in zip(added, without, strict=True)]
    is_small = rows == SMALL_ROWS
    small = f"target <= {TARGET_SMALL} s" if is_small and history == HISTORIES[-1] else ""
    return [
        (f"{rows:,} rows beside {history} million: added", spread(added, unit="s", digits=3), small),
        *(
            (f"  {part}", spread(measured[part], unit="s", digits=3), _target(part, is_small=is_small))
            for part in parts
        ),
        *([] if is_small else [("  / rows read, checked and copied", spread(ratios, unit="x"), "")]),
    ]


def _target(part: str, *, is_small: bool) -> str:
    return f"target <= {TARGET_STORED} s a million rows" if part == "stored" and not is_small else ""


def measure(folder: Path, options: argparse.Namespace) -> dict[tuple[int, int], Measured]:
    """Seconds by the file's rows and the millions there before."""
    measured: dict[tuple[int, int], Measured] = defaultdict(lambda: defaultdict(list))
    write = WRITERS[options.department]
    files = {rows: write(folder / f"{rows}.csv", rows=rows).path for rows in (options.rows, SMALL_ROWS)}
    with platform(folder, workers=False) as stack:
        for _ in range(options.rounds):
            for history in HISTORIES:
                for rows, path in files.items():
                    done = stack.run("-m", "bench.history", str(path), options.department, str(history))
                    for part, seconds in json.loads(done.stdout.splitlines()[-1]).items():
                        measured[rows, history][part].append(seconds)
    return measured


if __name__ == "__main__":
    main()
