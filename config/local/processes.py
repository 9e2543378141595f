"""How one of our processes is told from a stranger of the same number, and how it is ended."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

PROC = Path("/proc")


def started(pid: int) -> str | None:
    """When the process began, as the system tells it; None when there is no such process.

    Together with the number it names one process for good: numbers are used again, and ending a stranger is
    worse than leaving an orphan.
    """
    if PROC.is_dir():
        try:
            state, *fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if state == "Z" else fields[18]
    return _ps(pid, "lstart=")


def command(pid: int) -> str:
    """The command line of a running process; empty when there is none."""
    if PROC.is_dir():
        try:
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""
    return _ps(pid, "command=") or ""


def _ps(pid: int, column: str) -> str | None:
    answer = subprocess.run(["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def end(pid: int, *, patience: float, first: signal.Signals = signal.SIGTERM) -> None:
    """Ask one process to stop; after `patience` seconds end it together with the group it leads."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, first)
    if not gone(pid, within=patience):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, signal.SIGKILL)
        gone(pid, within=5)


def gone(pid: int, *, within: float) -> bool:
    """Whether the process has ended `within` so many seconds. A zombie counts as ended."""
    deadline = time.monotonic() + within
    while started(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Register:
    """The processes a launcher has started, on disk: the next start ends what a killed one left behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, pid: int) -> None:
        self._write(self.entries() | {name: [pid, started(pid)]})

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)

    def end_leftovers(self) -> list[str]:
        """End what is still running of an earlier start; the names of what was."""
        leftovers = {name: pid for name, (pid, since) in self.entries().items() if since and started(pid) == since}
        for pid in leftovers.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 8
        for pid in leftovers.values():
            end(pid, patience=max(0.5, deadline - time.monotonic()))
        self.clear()
        return list(leftovers)

    def entries(self) -> dict[str, tuple[int, str | None]]:
        """name → (process number, when it began)."""
        try:
            return {name: (pid, since) for name, (pid, since) in json.loads(self.path.read_text()).items()}
        except (FileNotFoundError, ValueError):
            return {}

    def _write(self, entries: dict[str, list[int | str | None] | tuple[int, str | None]]) -> None:
        self.path.write_text(json.dumps(entries))
