"""The fuzz of the reader, in a process of its own, since what goes wrong may end it:
`python -m tests.aetherflow.etl.fuzz --seconds 30 --seed 1 --folder DIR`. What became of the files is printed as JSON; a
file that something is wrong with is left in the folder, and the exit code is not 0."""

from __future__ import annotations

import argparse
import faulthandler
import json
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from aetherflow import registry
from aetherflow.etl import Batch, Counts, FileRefused, Reading, ReadOtherwise, open_file
from tests.aetherflow.etl.fuzzed import Sent, files

# Far from what a file of a few thousand bytes takes on the slowest machine.
SECONDS, MEGABYTES = 30, 500
ROUND = 25
CURRENT = "current"
Outcome = tuple[Counts, dict[int, dict[str, Any]], list[tuple[int, str | None, str]]]


def status(name: str) -> int:
    """Of this process, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024


def rows_by_hand(content: bytes, reading: Reading) -> int | None:
    """How many rows a file without quotation marks has: its lines below the header that are not blank."""
    if (
        b'"' in content
        or reading.format != "csv"
        or reading.compression
        or not reading.delimiter
        or not reading.encoding
    ):
        return None
    text = content.decode(reading.encoding, errors="replace").removeprefix("\ufeff")
    lines = re.split("\r\n|\r|\n", text)
    return sum(bool(line.replace(reading.delimiter, "").strip()) for line in lines[reading.header_line :])


def outcome(path: Path, sent: Sent, **options: Any) -> tuple[Reading, Outcome]:
    with open_file(path, filename=sent.filename, department=registry.department(sent.department), **options) as source:
        try:
            batches = list(source.batches())
        except ReadOtherwise:
            batches = list(source.batches())
    return source.reading, told(batches)


def told(batches: list[Batch]) -> Outcome:
    loaded = {row.pop("line"): row for batch in batches for row in batch.rows.to_pylist()}
    faults = [(reject.line, reject.column, reject.code) for batch in batches for reject in batch.rejects]
    return sum((batch.counts for batch in batches), Counts()), loaded, faults


def in_plain_words(refusal: FileRefused) -> str:
    assert refusal.code, refusal
    assert refusal.message.endswith("."), refusal.message
    assert refusal.hint.endswith("."), refusal.hint
    assert len(refusal.message) < 3_000
    json.dumps([refusal.message, refusal.hint, refusal.details]).encode()
    return refusal.code


def judged(path: Path, sent: Sent) -> str:
    """Read a file; AssertionError where a row is lost, or where it is said otherwise than in plain words."""
    try:
        reading, found = outcome(path, sent)
    except FileRefused as refusal:
        return in_plain_words(refusal)
    counts, loaded, faults = found
    repeated = {line for line, _, code in faults if code == "unique-error"}
    rejected = {line for line, _, _ in faults} - repeated
    assert (len(loaded), len(rejected), len(repeated)) == (counts.loaded, counts.rejected, counts.duplicate)
    assert len(loaded.keys() | rejected | repeated) == counts.read
    assert rows_by_hand(sent.content, reading) in {None, counts.read}, counts
    json.dumps(reading.as_dict()).encode()
    assert outcome(path, sent, in_haste=True, batch_rows=7)[1] == found
    return f"read {reading.format}"


def watched(path: Path, sent: Sent) -> str:
    """Judged, within its time and its memory."""
    path.write_bytes(sent.content)
    path.with_suffix(".name").write_text(f"{sent.department} {sent.filename}")
    Path("/proc/self/clear_refs").write_text("5")
    before, started = status("VmRSS"), time.process_time()
    # Its stack, and the end: nothing can interrupt a library that does not come back.
    faulthandler.dump_traceback_later(4 * SECONDS, exit=True)
    try:
        became = judged(path, sent)
    finally:
        faulthandler.cancel_dump_traceback_later()
    assert time.process_time() - started < SECONDS, "it takes too long"
    assert status("VmHWM") - before < MEGABYTES, f"{status('VmHWM') - before} MB"
    return became


def one_round(check: Callable[[Sent], None], *, of_seed: int) -> None:
    bounded = settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
    )
    seed(of_seed)(bounded(given(sent=files())(check)))()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    # Rather an error here than the machine's memory gone.
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    ends, became, at = time.monotonic() + options.seconds, Counter[str](), options.seed

    def check(sent: Sent) -> None:
        if time.monotonic() < ends:
            became[watched(options.folder / CURRENT, sent)] += 1

    while time.monotonic() < ends:
        (options.folder / "seed").write_text(str(at))
        one_round(check, of_seed=at)
        at += 1
    sys.stdout.write(json.dumps({"files": became.total(), "seeds": [options.seed, at - 1], "became": became}))


if __name__ == "__main__":
    main()
