"""An older release beside this one, as during an upgrade: `python -m bench.beside COMMIT`.

The database is this release's, as `migrate` leaves it. Each release's workers work off what the other's gateway and
relay send, a file large enough to be shared among them; then both releases' workers do so side by side. Ends with exit
code 1 where a file does not come to all its rows.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.client import FailedJob, Sender
from bench.data import write_sales
from bench.platform import platform, scratch
from bench.table import show
from config.local import ROOT
from config.programs import commands
from tests.jobs.sqs.line import eventually
from tests.support.stack import Stack

# Above SPLIT_FROM_BYTES.
ROWS = 450_000
# One process is enough to share: that workers of one machine are in each other's way is of no account here.
SETTINGS = {"LOG_LEVEL": "INFO", "ETL_PROCESSORS": "1", "SPLIT_BYTES": "4000000"}
OLD, NEW = "older release", "this release"
# Whose gateway and relay send, and whose workers work.
PAIRS = ((NEW, (OLD,)), (OLD, (NEW,)), (NEW, (OLD, NEW)), (OLD, (OLD, NEW)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", help="of the older release")
    options = parser.parse_args()
    rows = []
    with (
        checked_out(options.commit) as older,
        scratch() as folder,
        platform(folder, storage="s3", workers=False, settings=SETTINGS) as stack,
    ):
        stack.end("web")
        for at, (sender, workers) in enumerate(PAIRS):
            file = write_sales(folder / "file.csv", rows=ROWS, series=at).path
            told = outcome(stack, file, sender=sender, workers=workers, roots={OLD: older, NEW: ROOT})
            rows.append((f"{sender} sends, workers of {' and '.join(workers)}", told, ""))
    show(f"Beside {options.commit}, files of {ROWS:,} rows", rows)
    if any(told.startswith("FAILED") for _, told, _ in rows):
        raise SystemExit(1)


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A folder with the files of a commit."""
    with tempfile.TemporaryDirectory() as folder:
        files = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=files, check=True)
        yield Path(folder)


def outcome(stack: Stack, file: Path, *, sender: str, workers: tuple[str, ...], roots: dict[str, Path]) -> str:
    """What came of the file."""
    began = time.monotonic()
    processes = [("web", sender), ("relay", sender)]
    processes += [(name, release) for release in workers for name in ("worker-etl", "worker-ml")]
    with ExitStack() as running:
        for name, release in processes:
            running.enter_context(started(stack, name, root=roots[release], label=f"{name} of {release}"))
        eventually(lambda: stack.ready()[0] == 200, within=120, what="both releases' processes are ready")
        client = Sender(stack)
        answer = client.send(file)
        try:
            client.until_done(answer, seconds=180)
        except FailedJob:
            (stage, *_) = client.person.get(f"/jobs/{answer['job']['id']}").json()["stages"]
            print(stack.tails())
            return f"FAILED: {stage['error'] or stage['status']}"
        rows = client.person.get(f"/datasets/{answer['dataset']['id']}").json()["rows"]["loaded"]
    told = f"{rows:,} rows, {time.monotonic() - began:.0f} s with the start"
    return told if rows == ROWS else f"FAILED: {told}"


@contextmanager
def started(stack: Stack, name: str, *, root: Path, label: str) -> Iterator[None]:
    command = commands(port=stack.port, etl_concurrency=1)[name]
    host = label.replace(" ", "-")
    stack.also(label, ["env", "-C", str(root), *(part.replace("@%h", f"@{host}") for part in command)])
    stack.start(label)
    try:
        yield
    finally:
        stack.end(label)


if __name__ == "__main__":
    main()
