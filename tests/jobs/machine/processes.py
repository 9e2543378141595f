"""Processes of the platform as threads that stop where they are told, so that one schedule of them can be repeated.

Only one of them runs at a time. Each has its own database connections, as a process has.
"""

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from django.db import connections

from tests.support.threads import in_scope

_STUCK_AFTER_SECONDS = 60
_here = threading.local()


class Killed(BaseException):
    """The process is gone: nothing of the platform catches this, and open transactions are rolled back."""


class Fate(enum.Enum):
    PAUSES = enum.auto()
    DIES = enum.auto()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What becomes of a process at a point; no point at all: it runs to its end."""

    point: str = ""
    fate: Fate = Fate.PAUSES


UNDISTURBED = Plan()
DIES_AT_ONCE = Plan(point="at once", fate=Fate.DIES)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where a process stands: paused at a point, or ended with an error or none."""

    paused_at: str = ""
    error: BaseException | None = None

    @property
    def killed(self) -> bool:
        return isinstance(self.error, Killed)


class Process:
    def __init__(self) -> None:
        self.dying = False
        self._plan = UNDISTURBED
        self._orders: SimpleQueue[Callable[[], Any] | Plan | None] = SimpleQueue()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._thread = threading.Thread(target=in_scope(self._live), daemon=True)
        self._thread.start()

    def run(self, action: Callable[[], Any], plan: Plan) -> Outcome:
        self.dying = False
        self._plan = plan
        self._orders.put(action)
        return self._outcomes.get(timeout=_STUCK_AFTER_SECONDS)

    def go_on(self, plan: Plan) -> Outcome:
        self._orders.put(plan)
        return self._outcomes.get(timeout=_STUCK_AFTER_SECONDS)

    def end(self) -> None:
        self._orders.put(None)
        self._thread.join(_STUCK_AFTER_SECONDS)

    def reached(self, point: str) -> None:
        if point != self._plan.point:
            return
        if self._plan.fate is Fate.PAUSES:
            self._outcomes.put(Outcome(paused_at=point))
            order = self._orders.get()
            assert isinstance(order, Plan)
            self._plan = order
        if self._plan is DIES_AT_ONCE or self._plan == Plan(point=point, fate=Fate.DIES):
            self.dying = True
            raise Killed(point)

    def _live(self) -> None:
        _here.process = self
        try:
            while (action := self._orders.get()) is not None:
                assert callable(action)
                self._outcomes.put(self._outcome(action))
        finally:
            connections.close_all()

    def _outcome(self, action: Callable[[], Any]) -> Outcome:
        try:
            action()
        except BaseException as error:  # noqa: BLE001  (whatever ends a process is its outcome)
            return Outcome(error=error)
        return Outcome()


def point(name: str) -> None:
    """A place where the process that runs here may be told to stop."""
    if process := this_process():
        process.reached(name)


def this_process() -> Process | None:
    found: Process | None = getattr(_here, "process", None)
    return found


class Processes:
    """Threads are kept: a process' connections cost more than its work."""

    def __init__(self) -> None:
        self._idle: list[Process] = []

    def start(self, action: Callable[[], Any], plan: Plan) -> tuple[Process, Outcome]:
        process = self._idle.pop() if self._idle else Process()
        outcome = process.run(action, plan)
        self._keep(process, outcome)
        return process, outcome

    def go_on(self, process: Process, plan: Plan) -> Outcome:
        outcome = process.go_on(plan)
        self._keep(process, outcome)
        return outcome

    def end(self) -> None:
        for process in self._idle:
            process.end()

    def _keep(self, process: Process, outcome: Outcome) -> None:
        if not outcome.paused_at:
            self._idle.append(process)
