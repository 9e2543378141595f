"""The processor time of other processes, as Linux tells it under /proc."""

import os

from bench.memory import PROC

# A setting for `platform`: a worker that grew large is kept, or what it did would be gone with it before it is read.
KEPT_WORKERS = {"WORKER_RECYCLE_MB": "16000"}
_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pids: list[int]) -> dict[int, float]:
    """Seconds each process has computed since it began, in user space and for it in the kernel, to a hundredth."""
    return {pid: _seconds(pid) for pid in pids}


def spent(before: dict[int, float], after: dict[int, float]) -> float:
    """Seconds between two readings of the same processes, all together."""
    return sum(seconds - before[pid] for pid, seconds in after.items())


def _seconds(pid: int) -> float:
    # The name in parentheses may hold spaces: fields are counted behind it.
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
