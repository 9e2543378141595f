"""Large files straight into the bucket, and what the web process has to do with them: `python -m bench.direct`.

A small and a large file, each sent both ways in each round: through the web process, and in parts by addresses that it
signs. Without workers, which would take its processor.
"""

import argparse
import hashlib
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bench.client import Sender
from bench.data import write_sales
from bench.memory import children, forget_peaks, largest
from bench.platform import platform, scratch
from bench.processor import processor_seconds, spent
from bench.table import show, spread
from tests.e2e.people import Person
from tests.support.stack import Stack

BYTES_PER_ROW = 75
WAYS = ("through the web process", "straight to the bucket")


@dataclass(kw_only=True)
class Taken:
    """Round by round: seconds of the web process's processor, MB it grew by, and seconds that its answers took."""

    processor: list[float] = field(default_factory=list)
    rise: list[float] = field(default_factory=list)
    answering: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs=2, default=[50, 400])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with scratch() as folder, platform(folder, storage="s3", workers=False) as stack:
        found = measure(stack, folder, sizes=options.megabytes, rounds=options.rounds)
    small, large = options.megabytes
    rows = []
    for way in WAYS:
        for size in (small, large):
            taken = found[way, size]
            answers, rise = spread(taken.answering, unit="s"), spread(taken.rise, unit="MB", digits=0)
            remark = f"its answers {answers}, it grew by {rise}"
            rows.append((f"{size} MB {way}, its processor", spread(taken.processor, unit="s"), remark))
        pairs = zip(found[way, large].processor, found[way, small].processor, strict=True)
        times = spread([more / less for more, less in pairs], unit="x", digits=1)
        rows.append((f"  {large} MB / {small} MB", times, f"{large / small:.0f} x the bytes"))
    show(f"The web process and files of {small} and {large} MB, {options.rounds} rounds", rows)


def measure(stack: Stack, folder: Path, *, sizes: list[int], rounds: int) -> dict[tuple[str, int], Taken]:
    found: defaultdict[tuple[str, int], Taken] = defaultdict(Taken)
    sender = Sender(stack)
    # Code and connections are there afterwards; as many as the server has threads.
    for _ in range(4):
        write_sales(folder / "first.csv", rows=100)
        sender.send(folder / "first.csv")
        straight(sender.person, folder / "first.csv")
    web = children(stack.pid("web"))
    files = {size: write_sales(folder / f"{size}.csv", rows=size * 1_000_000 // BYTES_PER_ROW).path for size in sizes}
    for _ in range(rounds):
        for size, file in files.items():
            for way in WAYS:
                forget_peaks(web)
                memory, processor = largest(web).now, processor_seconds(web)
                if way == WAYS[0]:
                    began = time.perf_counter()
                    sender.send(file)
                    answering = time.perf_counter() - began
                else:
                    answering = straight(sender.person, file)
                taken = found[way, size]
                taken.processor.append(spent(processor, processor_seconds(web)))
                taken.rise.append(largest(web).peak - memory)
                taken.answering.append(answering)
    return found


def straight(person: Person, file: Path) -> float:
    """Send the file in parts, as the dashboard does; seconds that the web process took to answer, all together."""
    waited = 0.0

    def ask(path: str, body: dict[str, Any]) -> dict[str, Any]:
        nonlocal waited
        began = time.perf_counter()
        answer = person.post(path, json=body)
        waited += time.perf_counter() - began
        assert answer.ok, answer.text
        told: dict[str, Any] = answer.json()
        return told

    upload = ask("/datasets/uploads", {"filename": file.name, "size_bytes": file.stat().st_size})
    path, parts, whole = f"/datasets/uploads/{upload['id']}", [], hashlib.sha256()
    with file.open("rb") as content:
        while sent := content.read(upload["part_size"]):
            whole.update(sent)
            part = {"number": len(parts) + 1, "sha256": hashlib.sha256(sent).hexdigest()}
            (signed,) = ask(f"{path}/parts", {"parts": [part]})["parts"]
            put = requests.put(signed["url"], data=sent, headers=signed["headers"], timeout=60)
            assert put.ok, put.text
            parts.append(part)
    ask(f"{path}/complete", {"sha256": whole.hexdigest(), "parts": parts})
    return waited


if __name__ == "__main__":
    main()
