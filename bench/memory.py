"""The memory of other processes, as Linux tells it under /proc, and the machine's own."""

import mmap
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
# What is written of a million rows: the upload, the table, its key, and as much of the write-ahead log.
WARM_BYTES_A_MILLION = 800_000_000


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Resident set in MB (1e6 bytes): now, and the most since the process began or `forget_peaks`."""

    now: float
    peak: float


def children(pid: int) -> list[int]:
    """The processes that `pid` has started: a pool's workers."""
    return [int(child) for task in (PROC / str(pid) / "task").iterdir() for child in _words(task / "children")]


def largest(pids: list[int]) -> Memory:
    """The largest of several processes that take turns."""
    each = [_status(pid) for pid in pids]
    return Memory(now=max(memory.now for memory in each), peak=max(memory.peak for memory in each))


def forget_peaks(pids: list[int]) -> None:
    """Let the peak begin anew at what each process holds now."""
    for pid in pids:
        (PROC / str(pid) / "clear_refs").write_text("5")


def warm(*, rows: int) -> None:
    """Make as much free memory as so many rows need ready, so that whoever is measured next does not pay for it.

    A virtual machine gives free memory back to its host. To get a page again takes ten times as long as to write it:
    half a second for what a load of a million rows fills, at the cost of whoever happens to come first.
    """
    with mmap.mmap(-1, max(1, rows // 1_000_000) * WARM_BYTES_A_MILLION) as memory:
        for page in range(0, len(memory), mmap.PAGESIZE):
            memory[page] = 1


def _status(pid: int) -> Memory:
    fields = dict(line.split(":", 1) for line in (PROC / str(pid) / "status").read_text().splitlines())
    now, peak = (int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return Memory(now=now, peak=peak)


def _words(path: Path) -> list[str]:
    return path.read_text().split()
