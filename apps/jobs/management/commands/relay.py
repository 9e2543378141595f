"""Send what the direct send lost: the outbox' sweep."""

import json
import signal
import threading
from types import FrameType
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from apps.jobs.services.dispatch import recover, relay
from apps.jobs.services.rescue import rescue

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Send queued stages whose message was never sent, and queue again what no living worker can hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="sweep until stopped")
        parser.add_argument(
            "--recover",
            action="store_true",
            help="the queues were lost and the workers stopped: send all again",
        )
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        if options["loop"]:
            self._loop()
            return
        report = {"recovered": recover(at=timezone.now())} if options["recover"] else {}
        report |= self._sweep()
        self.stdout.write(json.dumps(report) if options["json"] else ", ".join(f"{v} {k}" for k, v in report.items()))

    def _sweep(self) -> dict[str, int]:
        at = timezone.now()
        return {"rescued": rescue(at=at), "sent": relay(at=at)}

    def _loop(self) -> None:
        stop = threading.Event()

        def on_signal(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
            stop.set()

        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)
        while not stop.is_set():
            close_old_connections()
            try:
                done = self._sweep()
                if any(done.values()):
                    log.info("relay_swept", **done)
            except Exception:
                # Whatever is away now, the relay must outlive it: it is what sends afterwards.
                log.exception("relay_failed")
            stop.wait(settings.RELAY_INTERVAL_SECONDS)
