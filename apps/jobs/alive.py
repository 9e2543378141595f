"""A sign of life that leans on nothing: a file whose time the loop of a worker or the relay renews.

The row in the database tells the operators who is at work. A container must not be ended because the database is away:
its health check looks at this file (`config.alive`).
"""

from pathlib import Path
from typing import Any

import structlog
from celery import bootsteps
from django.conf import settings

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 5


def show_alive() -> None:
    if not settings.ALIVE_FILE:
        return
    try:
        Path(settings.ALIVE_FILE).touch()
    except OSError as error:
        log.warning("sign_of_life_failed", file=settings.ALIVE_FILE, error=str(error))


class AliveStep(bootsteps.StartStopStep):
    """Worker step: by a timer of the event loop, so that it ends with the loop that acknowledges, extends and stops."""

    requires = ("celery.worker.components:Hub",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._timer: Any = None

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:  # noqa: ARG002 - celery's signature
        # Called again when the consumer has lost its connection.
        if self._timer is not None:
            self._timer.cancel()
        show_alive()
        self._timer = hub.call_repeatedly(_EVERY_SECONDS, show_alive)
