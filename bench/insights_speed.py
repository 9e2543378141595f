"""From loaded rows to insights, of as many rows as a department has in years: `python -m bench.insights_speed`."""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

from bench.client import SELDOM_SECONDS, Sender, seconds_between, stage
from bench.data import WRITERS
from bench.data.inventory import write_snapshots
from bench.data.ledger import write_repeating_ledger
from bench.memory import children, forget_peaks, largest
from bench.platform import platform, scratch
from bench.processor import KEPT_WORKERS, processor_seconds, spent
from bench.table import show, spread
from tests.support.stack import Stack

TARGET_SECONDS = {"sales": 10, "supply_chain": 15, "finance": 30}
TARGET_MEGABYTES = 1_200
ROWS = {"sales": 1_000_000, "supply_chain": 26 * 50_000, "finance": 1_000_000}
MAKERS = {"sales": WRITERS["sales"], "supply_chain": write_snapshots, "finance": write_repeating_ledger}
PARTS = {"read": "read of the current rows", "compute": "compute", "encode": "encode as JSON"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(ROWS), help="one department")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, help="instead of the promise's rows")
    parser.add_argument("--profile", action="store_true", help="say which functions the computing spends its time in")
    options = parser.parse_args()
    with scratch() as folder, platform(folder, settings=KEPT_WORKERS) as stack:
        for slug in [options.only] if options.only else ROWS:
            rows = options.rows or ROWS[slug]
            report(slug, rows, measure(stack, slug, rows=rows, folder=folder, options=options))


def report(slug: str, rows: int, measured: dict[str, list[float]]) -> None:
    copies = measured["copy"]
    show(
        f"{rows:,} rows of {slug}, {len(copies)} rounds",
        [
            (
                "from load to insights",
                spread(measured["whole"], unit="s"),
                f"target < {TARGET_SECONDS[slug]} s; {_times(measured['whole'], copies)}",
            ),
            ("ML stage", spread(measured["stage"], unit="s"), f"{spread(measured['cpu'], unit='s')} of CPU"),
            *(
                (
                    f"  {name}",
                    spread(measured[part], unit="s"),
                    f"{spread(measured[f'{part} CPU'], unit='s')} of CPU; {_times(measured[part], copies)}",
                )
                for part, name in PARTS.items()
            ),
            ("answer", spread(measured["megabytes"], unit="MB", digits=1), ""),
            ("reference: COPY (SELECT ...) TO", spread(copies, unit="s"), "the same cells"),
            (
                "ML worker, peak RSS",
                spread(measured["RSS"], unit="MB", digits=0),
                f"target <= {TARGET_MEGABYTES} MB; before {spread(measured['RSS before'], unit='MB', digits=0)}",
            ),
        ],
    )


def _times(took: list[float], copies: list[float]) -> str:
    return spread([one / other for one, other in zip(took, copies, strict=True)], unit="x COPY", digits=1)


def measure(stack: Stack, slug: str, *, rows: int, folder: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds and MB, round by round; each upload is undone before the next."""
    measured: dict[str, list[float]] = defaultdict(list)
    sender = Sender(stack, department=slug)
    for answer in [sender.send(WRITERS[slug](folder / "warm.csv", rows=2_000, series=at).path) for at in (1, 2)]:
        sender.until_done(answer)
        sender.undo(answer)
    file = MAKERS[slug](folder / f"{slug}.csv", rows=rows)
    for _ in range(options.rounds):
        pids = children(stack.pid("worker-ml"))
        forget_peaks(pids)
        measured["RSS before"].append(largest(pids).now)
        before = processor_seconds(pids)
        answer = sender.send(file.path)
        job = sender.until_done(answer, every=SELDOM_SECONDS)
        measured["cpu"].append(spent(before, processor_seconds(pids)))
        measured["RSS"].append(largest(pids).peak)
        etl, ml = stage(job, "etl"), stage(job, "ml")
        assert etl["rows"]["loaded"] == rows, job
        measured["stage"].append(ml["duration_ms"] / 1000)
        measured["whole"].append(seconds_between(etl["finished_at"], ml["finished_at"]))
        arguments = ["--profile"] if options.profile else []
        done = stack.run("-m", "bench.insights_parts", slug, *arguments)
        print(done.stderr if options.profile else "", end="", file=sys.stderr)
        for part, value in json.loads(done.stdout).items():
            measured[part].append(value)
        sender.undo(answer)
    file.path.unlink()
    return measured


if __name__ == "__main__":
    main()
