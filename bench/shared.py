"""One large file by one worker and by two: `python -m bench.shared`.

Each worker has a processor of its own, and PostgreSQL and all else (queue, gateway, this bench) those of the workers:
what is asked is whether twice the machine takes half the time. Beside it two workers with a file of half the rows each,
of which none is shared, since both are busy, and one worker with both processors, whose threads keep them busy already.
What sharing itself costs shows in the seconds of a processor that workers and PostgreSQL take.
"""

import argparse
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import psycopg2

from bench.platform import platform, scratch
from bench.scale import NOWHERE, SETTINGS, processor_of, start, upload, worked
from bench.table import show, spread
from tests.e2e.people import Person
from tests.support.stack import Stack

SETUPS = {
    "1 worker, 1 processor": (1, 1, 1),
    "2 workers, 2 processors, one file": (2, 2, 1),
    "2 workers, 2 processors, two files of half the rows": (2, 2, 2),
    "1 worker, 2 processors": (1, 2, 1),
}
# Large enough to be shared.
WARMING_ROWS = 500_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found = {name: Taken() for name in SETUPS}
    for _ in range(options.rounds):
        # A platform of its own each: of what the round before has deleted autovacuum takes its part.
        with scratch() as folder, platform(folder, workers=False, settings=SETTINGS) as stack:
            measure(stack, folder, rows=options.rows, found=found)
    first = next(iter(found.values()))
    rows = []
    for name, taken in found.items():
        against = median(one / each for one, each in zip(first.seconds, taken.seconds, strict=True))
        spent = f"{spread(taken.processor, unit='s', digits=1)} of a processor"
        told = f"{against:.2f} x as fast, {spent}" if taken is not first else spent
        rows.append((name, spread(taken.seconds, unit="s"), told))
    show(f"{options.rows:,} sales rows, {options.rounds} rounds", rows)


@dataclass(kw_only=True)
class Taken:
    """Round by round: seconds, and seconds of a processor that workers and PostgreSQL took."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def measure(stack: Stack, folder: Path, *, rows: int, found: dict[str, Taken]) -> None:
    """Adds to each of SETUPS a round, one after the other."""
    processors = sorted(os.sched_getaffinity(0))
    with (
        stack.another_web(AWS_ENDPOINT_URL_SQS=NOWHERE) as url,
        closing(psycopg2.connect(stack.env["DATABASE_URL"])) as own,
    ):
        person = Person(url, department="sales")
        postmaster = psutil.Process(own.info.backend_pid).parent()
        assert postmaster is not None
        for name, (workers, of_machine, files) in SETUPS.items():
            names = start(stack, workers)
            keep_to(processors[:of_machine], psutil.Process(), postmaster)
            for at, worker in enumerate(names if workers > 1 else ()):
                keep_to(processors[at : at + 1], psutil.Process(stack.pid(worker)))
            # A worker's first files, and its first large one, take longer than those after.
            for files_before, rows_of_each in ((2 * workers, 1_000), (1, WARMING_ROWS)):
                before_it = upload(person, folder, files=files_before, rows=rows_of_each)
                worked(stack, person, before_it)
                forget(person, before_it)
            uploads = upload(person, folder, files=files, rows=rows // files)
            own_processes = [postmaster, *(psutil.Process(stack.pid(worker)) for worker in names)]
            before = sum(map(processor_of, own_processes))
            found[name].seconds.append(worked(stack, person, uploads))
            found[name].processor.append(sum(map(processor_of, own_processes)) - before)
            for worker in names:
                stack.end(worker)
            forget(person, uploads)
        keep_to(processors, psutil.Process(), postmaster)


def forget(person: Person, uploads: list[dict[str, Any]]) -> None:
    """So that the next ones are compared with none."""
    for each in uploads:
        assert person.delete(f"/datasets/{each['dataset']['id']}").status_code == 204


def keep_to(processors: Sequence[int], *processes: psutil.Process) -> None:
    """The processes with all their threads and children, and what they begin from now on."""
    for process in processes:
        for each in (process, *process.children(recursive=True)):
            for thread in each.threads():
                os.sched_setaffinity(thread.id, processors)


if __name__ == "__main__":
    main()
