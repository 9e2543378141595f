"""The running processes as one thing: honcho starts them and prints what they say; we stop them in order."""

import collections
import contextlib
import os
import shlex
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from honcho.manager import Manager
from honcho.printer import Message, Printer

from config.local import ROOT
from config.local.processes import Register

# Who is asked to stop, group by group, and the seconds each has: no new requests, then the work under
# way, then the sweep. 13 in all; endpoint and database come after.
STOP_ORDER: tuple[tuple[frozenset[str], float], ...] = (
    (frozenset({"web"}), 3.0),
    (frozenset({"worker-etl", "worker-ml"}), 8.0),
    (frozenset({"relay"}), 2.0),
)


_speaking = threading.Lock()


def say(text: str) -> None:
    """Print a sentence of the launcher's own, whole, between the lines of the processes."""
    with _speaking:
        print(text, flush=True)


class RememberingPrinter(Printer):
    """Prints every line with its process' name in front, and remembers the last ones of each."""

    def __init__(self) -> None:
        super().__init__(time_format="%H:%M:%S")
        self.last: dict[str, collections.deque[str]] = {}

    def write(self, message: Message) -> None:
        text = message.data.decode(errors="replace") if isinstance(message.data, bytes) else message.data
        self.last.setdefault(message.name, collections.deque(maxlen=12)).extend(text.splitlines())
        with _speaking:
            super().write(message)


class Line(Manager):
    """The processes of the platform. `loop()` returns when all stopped; `reason` says why, if unasked."""

    def __init__(self, *, environment: Mapping[str, str], register: Register) -> None:
        super().__init__(printer=RememberingPrinter())
        self.environment = dict(environment)
        self.register = register
        self.reason = ""
        self._terminating = False
        self.done = threading.Event()
        self._attendant: Callable[[], None] | None = None

    def add(self, name: str, command: Sequence[str]) -> None:
        # `exec`: the number we signal is the program's own, not that of a shell around it.
        self.add_process(name, f"exec {shlex.join(command)}", env=self.environment, cwd=str(ROOT))

    def loop(self, attendant: Callable[[], None] | None = None) -> None:
        """Run until a signal comes or a process ends, then stop the rest. Never leaves a process behind.

        `attendant` runs in a thread beside the processes, from when they are started.
        """
        self._attendant = attendant
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        try:
            super().loop()
        finally:
            self.done.set()
            for process in self._processes.values():
                self._signal(process, signal.SIGKILL)
            self.register.clear()

    def fail(self, reason: str) -> None:
        """Stop everything for a reason that lies outside of the processes themselves."""
        self.reason = self.reason or reason
        self.terminate()

    def terminate(self) -> None:
        """Begin the ordered stop. Called by honcho on a signal and when the first process has ended."""
        if self._terminating:
            return
        self._terminating = True
        fallen = [name for name, process in self._processes.items() if "returncode" in process]
        if fallen and not self.reason:
            self.reason = "\n".join(self._obituary(name) for name in fallen)
        threading.Thread(target=self._stop_in_order, daemon=True).start()

    def kill(self) -> None:
        """Honcho's own impatience (all at once, after 5 s) is replaced by the patience of STOP_ORDER."""

    def _obituary(self, name: str) -> str:
        said = "\n".join(f"    {line}" for line in self._printer.last.get(name, ()))
        code = self._processes[name]["returncode"]
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"stopped with exit code {code}"
        return f"{name} {how}, so everything was stopped. Its last lines:\n{said or '    (none)'}"

    def _stop_in_order(self) -> None:
        for names, patience in STOP_ORDER:
            group = [process for name, process in self._processes.items() if name in names]
            deadline = time.monotonic() + patience
            for process in group:
                # Only the main process: a worker's children would die of it, and the work in their hands.
                self._signal(process, signal.SIGTERM, lead_only=True)
            while any("returncode" not in process for process in group):
                if time.monotonic() > deadline:
                    for process in group:
                        self._signal(process, signal.SIGKILL)
                    break
                time.sleep(0.05)

    def _signal(self, process: Mapping[str, Any], which: signal.Signals, *, lead_only: bool = False) -> None:
        if "pid" in process and "returncode" not in process:
            with contextlib.suppress(ProcessLookupError):
                (os.kill if lead_only else os.killpg)(process["pid"], which)

    def _system_print(self, data: str) -> None:
        """Honcho's remarks on numbers and signals stay out of the log; what matters is said by us."""

    def _start(self) -> None:
        super()._start()
        # Only now: honcho forks, and a fork does not go well with threads.
        threading.Thread(target=self._register_all, daemon=True).start()
        if self._attendant:
            threading.Thread(target=self._attendant, daemon=True).start()

    def _register_all(self) -> None:
        for name, process in self._processes.items():
            # Honcho reads each process' output in a process of its own, which can hang when the launcher is killed.
            self.register.add(f"{name} output", process["process"].pid)
        waiting = dict(self._processes)
        while waiting and not self.done.wait(0.05):
            for name in [name for name, process in waiting.items() if "pid" in process]:
                self.register.add(name, waiting.pop(name)["pid"])
