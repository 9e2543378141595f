"""One large file by one worker and by several: `python -m bench.shared`.

Twice, since a machine of two processors is a small one. Workers with a processor each, and PostgreSQL with those of the
workers: whether twice the machine takes half the time. And workers with half a processor each, and PostgreSQL with the
other one: what sharing itself gives, where there are processors for it. Beside either, workers with a file each, who
have nothing to share.
"""

import argparse
import os
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
import psycopg2

from bench.platform import platform, scratch
from bench.quota import NoQuota, quota
from bench.scale import NOWHERE, SETTINGS, start, upload, worked
from bench.table import show, spread
from tests.e2e.people import Person
from tests.support.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Setup:
    """`share` of a processor has each worker; None: all that `processors` are."""

    workers: int
    files: int = 1
    processors: int = 2
    share: float | None = None

    @property
    def words(self) -> str:
        has = f"{self.processors} processor(s)" if self.share is None else f"{self.share} of one each"
        files = "one file" if self.files == 1 else f"{self.files} files"
        return f"{self.workers} worker(s), {has}, {files}"


WHOLE = (
    Setup(workers=1, processors=1),
    Setup(workers=2),
    Setup(workers=2, files=2),
    Setup(workers=1),
)
PARTS = (
    Setup(workers=1, share=0.5),
    Setup(workers=2, share=0.5),
    Setup(workers=2, share=0.5, files=2),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with scratch() as folder, platform(folder, workers=False, settings=SETTINGS) as stack:
        for setups in (WHOLE, PARTS):
            try:
                found = measure(stack, folder, setups, rows=options.rows, rounds=options.rounds)
            except NoQuota as error:
                show(f"Workers with a share of a processor are left out: {error}", [])
                continue
            _tell(found, title=f"{options.rows:,} sales rows in all, {options.rounds} rounds")


def measure(stack: Stack, folder: Path, setups: Sequence[Setup], *, rows: int, rounds: int) -> dict[Setup, list[float]]:
    """Seconds of each, one after the other in each round."""
    processors = sorted(os.sched_getaffinity(0))
    found: dict[Setup, list[float]] = {setup: [] for setup in setups}
    with (
        stack.another_web(AWS_ENDPOINT_URL_SQS=NOWHERE) as url,
        closing(psycopg2.connect(stack.env["DATABASE_URL"])) as own,
    ):
        person = Person(url, department="sales")
        postmaster = psutil.Process(own.info.backend_pid).parent()
        assert postmaster is not None
        try:
            for _ in range(rounds):
                for setup in setups:
                    with ExitStack() as held:
                        names = start(stack, setup.workers)
                        workers = [psutil.Process(stack.pid(name)) for name in names]
                        _place(setup, workers, postmaster, processors=processors, held=held)
                        worked(stack, person, upload(person, folder, files=2 * setup.workers, rows=1_000))
                        uploads = upload(person, folder, files=setup.files, rows=rows // setup.files)
                        found[setup].append(worked(stack, person, uploads))
                        for name in names:
                            stack.end(name)
                    for each in uploads:
                        assert person.delete(f"/datasets/{each['dataset']['id']}").status_code == 204
        finally:
            keep_to(processors, postmaster)
    return found


def _place(
    setup: Setup,
    workers: Sequence[psutil.Process],
    postmaster: psutil.Process,
    *,
    processors: Sequence[int],
    held: ExitStack,
) -> None:
    if setup.share is None:
        for at, worker in enumerate(workers):
            keep_to(processors[at : at + 1] if len(workers) > 1 else processors[: setup.processors], worker)
        keep_to(processors[: setup.processors], postmaster)
        return
    for worker in workers:
        group = held.enter_context(quota(setup.share))
        for each in (worker, *worker.children(recursive=True)):
            group.write_text(str(each.pid))
        keep_to(processors[:1], worker)
    keep_to(processors[1:2], postmaster)


def keep_to(processors: Sequence[int], process: psutil.Process) -> None:
    """The process with all its threads and children, and what they begin from now on."""
    for each in (process, *process.children(recursive=True)):
        for thread in each.threads():
            os.sched_setaffinity(thread.id, processors)


def _tell(found: dict[Setup, list[float]], *, title: str) -> None:
    first, *_ = found.values()
    rows = []
    for setup, seconds in found.items():
        faster = median([one / each for one, each in zip(first, seconds, strict=True)])
        rows.append((setup.words, spread(seconds, unit="s"), "" if seconds is first else f"{faster:.2f} x as fast"))
    show(title, rows)


if __name__ == "__main__":
    main()
