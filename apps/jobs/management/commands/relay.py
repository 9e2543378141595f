"""Send what the direct send lost, and work operations off: the outbox' sweep."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import Error, close_old_connections

from apps.accounts.management.reporting import MISUSED, ReportingCommand, Told, add_dry_run, add_json, counted
from apps.jobs import clock
from apps.jobs.alive import show_alive
from apps.jobs.models import Stage
from apps.jobs.readiness import RELAY
from apps.jobs.selectors import Waiting, dead_after, waiting_stages, working_stages
from apps.jobs.services.dispatch import due, recover, relay
from apps.jobs.services.operations import work_next
from apps.jobs.services.rescue import rescue, rescue_now
from apps.jobs.services.workers import beat, farewell
from apps.jobs.sqs.sending import NotSent

log = structlog.get_logger(__name__)

# Metrics are kept by the minute.
_TOLD_EVERY = timedelta(minutes=1)
_NOTHING = Waiting(count=0, since=None, sent_since=None)


class Command(ReportingCommand):
    help = (
        "Send queued stages whose message was never sent, queue again what no living worker can hold, and work off "
        "operations on many jobs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="sweep until stopped")
        parser.add_argument(
            "--recover",
            action="store_true",
            help="the queues were lost and the workers stopped: send all again",
        )
        parser.add_argument("--reason", default="", help="why, for the audit; the loop writes none")
        add_dry_run(parser)
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        if options["dry_run"]:
            return self._dry_run(options)
        if options["loop"]:
            self._loop()
            return Told()
        why = options["reason"]
        report = {"recovered": recover(by=None, at=clock.now(), reason=why)} if options["recover"] else {}
        try:
            report |= self._sweep(lambda at: rescue_now(by=None, at=at, reason=why))
        except NotSent as error:
            return Told(data=report, failure=f"Not all was sent, and the next sweep sends it: {error}")
        return Told(
            data=report, summary=", ".join(f"{number} {done}" for done, number in report.items()).replace("_", " ")
        )

    def _dry_run(self, options: dict[str, Any]) -> Told:
        if options["loop"] or options["recover"]:
            raise CommandError("--dry-run is for a single sweep: not with --loop or --recover.", returncode=MISUSED)
        waiting = due(at=clock.now())
        summary = f"{counted(waiting, 'stage')} to be sent, each as its department has a place free"
        return Told(data={"waiting": waiting}, summary=summary)

    def _sweep(
        self, settle: Callable[[datetime], int], *, stopped: Callable[[], bool] = lambda: False
    ) -> dict[str, int]:
        # One thing that cannot be settled must not keep everything from being sent.
        rescued = _or_none(lambda: settle(clock.now()), failure="rescue_failed")
        worked_off = _or_none(lambda: _work_off(stopped), failure="operations_failed")
        return {"rescued": rescued, "worked_off": worked_off, "sent": relay(at=clock.now())}

    def _loop(self) -> None:
        stop = threading.Event()

        def on_signal(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
            stop.set()

        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)
        alive, line = _SignOfLife(), Line()
        while not stop.is_set():
            show_alive()
            close_old_connections()
            try:
                alive.beat()
                done = self._sweep(lambda at: rescue(at=at, signs_count=alive.unbroken), stopped=stop.is_set)
                if any(done.values()):
                    log.info("relay_swept", **done)
                line.tell(at=clock.now())
            except NotSent as error:
                log.warning("relay_cannot_send", error=str(error)[:300])
            except Exception:
                # Whatever is away now, the relay must outlive it: it is what sends afterwards.
                log.exception("relay_failed")
            stop.wait(settings.RELAY_INTERVAL_SECONDS)
        alive.end()


def _or_none(part: Callable[[], int], *, failure: str) -> int:
    try:
        return part()
    except Exception:
        log.exception(failure)
        return 0


def _work_off(stopped: Callable[[], bool]) -> int:
    """Items of operations that are due, for as long as between two sweeps: signs of life and sends wait meanwhile."""
    until = time.monotonic() + settings.RELAY_INTERVAL_SECONDS
    items = 0
    while time.monotonic() < until and not stopped() and work_next(at=clock.now()):
        items += 1
    return items


class _SignOfLife:
    """The relay's row among the workers': without one, what waits in the outbox waits for ever."""

    def __init__(self) -> None:
        self._name = f"{RELAY}@{socket.gethostname()}"
        self._started_at: datetime | None = None
        self._unbroken_since: datetime | None = None
        self._beat_at: datetime | None = None

    @property
    def unbroken(self) -> bool:
        """Whether the database has been there for long enough that every living worker has beaten to it."""
        if self._beat_at is None or self._unbroken_since is None:
            return False
        return self._beat_at - self._unbroken_since >= dead_after()

    def beat(self) -> None:
        at = clock.now()
        self._started_at = self._started_at or at
        if self._beat_at is None or at - self._beat_at > dead_after():
            self._unbroken_since = at
        self._beat_at = at
        beat(name=self._name, queues=[RELAY], slots=0, pid=os.getpid(), started_at=self._started_at, at=at)

    def end(self) -> None:
        try:
            farewell(name=self._name)
        except Error as error:
            log.warning("relay_farewell_failed", error=str(error)[:300])


class Line:
    """What the queues do not tell, in a log line for each stage: metrics are made of it (infra/logs.tf)."""

    def __init__(self) -> None:
        self._told_at: datetime | None = None

    def tell(self, *, at: datetime) -> None:
        if self._told_at is not None and at - self._told_at < _TOLD_EVERY:
            return
        self._told_at = at
        waiting, working = waiting_stages(), working_stages()
        for stage in Stage.values:
            found = waiting.get(stage, _NOTHING)
            log.info(
                "line",
                stage=stage,
                waiting=found.count,
                outbox_seconds=_age(found.since, at=at),
                unbegun_seconds=_age(found.sent_since, at=at),
                processing=working.get(stage, 0),
            )


def _age(since: datetime | None, *, at: datetime) -> float:
    return round(max(0.0, (at - since).total_seconds()), 1) if since else 0.0
