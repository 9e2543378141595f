"""What a worker has beyond the application that sends: its heartbeat row, and the platform's logs."""

import threading
import time
from typing import Any

import structlog
from celery import bootsteps
from celery.signals import setup_logging
from django.conf import settings
from django.db import Error, connections
from django.utils import timezone

from apps.jobs.broker import app
from apps.jobs.services.workers import beat, farewell

log = structlog.get_logger(__name__)


class WorkerHeartbeatStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """A thread that writes this worker's sign of life; SQS carries no Celery events that could tell of it."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._thread: threading.Thread | None = None

    def start(self, consumer: Any) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=_beat_for_ever,
                kwargs={
                    "name": consumer.hostname,
                    "queues": sorted(consumer.app.amqp.queues.consume_from),
                    "pid": consumer.pid,
                },
                name="worker-heartbeat",
                daemon=True,
            )
            self._thread.start()

    def stop(self, consumer: Any) -> None:
        """Running tasks still finish after this: the row stays until the process ends."""

    def shutdown(self, consumer: Any) -> None:
        try:
            farewell(name=consumer.hostname)
        except Error as error:
            log.warning("worker_farewell_failed", worker=consumer.hostname, error=str(error)[:300])
        finally:
            connections.close_all()


def _beat_for_ever(*, name: str, queues: list[str], pid: int) -> None:
    started_at = timezone.now()
    while True:
        try:
            beat(name=name, queues=queues, pid=pid, started_at=started_at, at=timezone.now())
        except Error as error:
            log.warning("worker_heartbeat_failed", worker=name, error=str(error)[:300])
        finally:
            # A connection kept open here would be shared with every child process forked later.
            connections.close_all()
        time.sleep(settings.WORKER_HEARTBEAT_SECONDS)


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Being connected is the point: Celery would put its own handlers in the place of the JSON ones."""


app.steps["consumer"].add(WorkerHeartbeatStep)
