"""What a worker has beyond the application that sends: its heartbeat row, its memory limit, the platform's logs."""

import threading
import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import bootsteps
from celery.signals import setup_logging
from django.conf import settings
from django.db import Error, connections

from apps.jobs import clock
from apps.jobs.broker import app
from apps.jobs.memory import MemoryWatchStep
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
                    "slots": consumer.pool.num_processes,
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


def _beat_for_ever(*, name: str, queues: list[str], slots: int, pid: int) -> None:
    began = time.monotonic()
    started_at: datetime | None = None
    while True:
        try:
            at = clock.now()
            if started_at is None:
                # Counted back: with the database away at first, the worker would seem younger than the work it took.
                started_at = at - timedelta(seconds=time.monotonic() - began)
            beat(name=name, queues=queues, slots=slots, pid=pid, started_at=started_at, at=at)
        except Error as error:
            log.warning("worker_heartbeat_failed", worker=name, error=str(error)[:300])
        finally:
            # A connection kept open here would be shared with every child process forked later.
            connections.close_all()
        time.sleep(settings.WORKER_HEARTBEAT_SECONDS)


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Being connected is the point: Celery would put its own handlers in the place of the JSON ones."""


app.conf.update(
    # In KiB, and of the largest size a child ever had: one that was large is replaced once its task has ended.
    worker_max_memory_per_child=settings.WORKER_RECYCLE_MB * 1024,
    worker_memory_limit_mb=settings.WORKER_MEMORY_LIMIT_MB,  # read by the memory watch
)
app.steps["consumer"].add(WorkerHeartbeatStep)
app.steps["consumer"].add(MemoryWatchStep)
