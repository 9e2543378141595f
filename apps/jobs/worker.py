"""What a worker has beyond the application that sends: its heartbeat row, its memory limit, the platform's logs."""

import ctypes
import gc
import os
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import psutil
import pyarrow as pa
import structlog
from celery.signals import setup_logging, task_postrun, worker_process_init
from django.conf import settings
from django.db import Error, connection, connections

from apps.jobs import clock
from apps.jobs.alive import AliveStep
from apps.jobs.broker import app
from apps.jobs.memory import MemoryWatchStep
from apps.jobs.services.workers import beat, farewell
from apps.jobs.sqs import names
from apps.jobs.sqs.background import BackgroundStep, Work

log = structlog.get_logger(__name__)

# glibc's malloc.h: M_TRIM_THRESHOLD and M_MMAP_THRESHOLD, in bytes (no more is taken).
_MALLOC_OPTIONS = {-1: 1 << 28, -3: 1 << 25}
# About what loading a million rows takes, however often.
_KEPT_BYTES = 560_000_000
# More than a piece of a workbook has rows.
_NEW_OBJECTS = 10_000


class WorkerHeartbeatStep(BackgroundStep):
    """Writes this worker's sign of life; SQS carries no Celery events that could tell of it."""

    def work(self, consumer: Any) -> Work:
        life = _Life(
            name=consumer.hostname,
            queues=sorted(consumer.app.amqp.queues.consume_from),
            slots=consumer.pool.num_processes,
            pid=consumer.pid,
        )
        return Work(do=life.show, every=settings.WORKER_HEARTBEAT_SECONDS)

    def shutdown(self, consumer: Any) -> None:
        try:
            farewell(name=consumer.hostname)
        except Error as error:
            log.warning("worker_farewell_failed", worker=consumer.hostname, error=str(error)[:300])
        finally:
            connections.close_all()


class _Life:
    def __init__(self, *, name: str, queues: list[str], slots: int, pid: int) -> None:
        self._name = name
        self._queues = queues
        self._slots = slots
        self._pid = pid
        self._began = time.monotonic()
        self._started_at: datetime | None = None

    def show(self) -> None:
        try:
            at = clock.now()
            if self._started_at is None:
                # Counted back: with the database away at first, the worker would seem younger than the work it took.
                self._started_at = at - timedelta(seconds=time.monotonic() - self._began)
            beat(
                name=self._name,
                queues=self._queues,
                slots=self._slots,
                sharers=min(self._slots, max(1, len(os.sched_getaffinity(0)) // settings.ETL_PROCESSORS)),
                pid=self._pid,
                started_at=self._started_at,
                at=at,
            )
        except Error as error:
            log.warning("worker_heartbeat_failed", worker=self._name, error=str(error)[:300])
        finally:
            # A connection kept open here would be shared with every child process forked later.
            connections.close_all()


@worker_process_init.connect
def prove_child(**_: Any) -> None:
    """What a child needs first, before it says that it is there: one that was born with a lock held (libcurl resolves
    names in threads that nobody can wait for) hangs here and is replaced, not later with a file in hand."""
    try:
        connection.ensure_connection()
    except Error as error:
        log.warning("worker_child_without_database", error=str(error)[:300])


@worker_process_init.connect
def choose_allocator(**_: Any) -> None:
    """Each batch needs the memory of the one before it, which is kept between them: to give pages back and to get them
    anew, 70,000 times for a million rows, takes a tenth of the load's time, and more on a virtual machine.

    One allocator for all: with one of Arrow's own beside it, or with one arena for all threads, a million rows of
    finance leave 150 MB more resident, in the same time. Not every C library has `mallopt`.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    with suppress(OSError, AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        for option, value in _MALLOC_OPTIONS.items():
            set_option(option, value)


@worker_process_init.connect
def collect_seldom(**_: Any) -> None:
    """A few thousand rows of a workbook, or the items of a ranking, are lists and dicts of which none is garbage yet:
    with Python's usual 700 a third of the time that making them takes goes to looking for some."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


@task_postrun.connect
def give_memory_back(sender: Any = None, **_: Any) -> None:
    """Of insights over one department's whole history the next department's need nothing, nor does the next file need
    what ten million rows took."""
    if getattr(sender, "name", "") == names.ML_TASK or psutil.Process().memory_info().rss > _KEPT_BYTES:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Being connected is the point: Celery would put its own handlers in the place of the JSON ones."""


app.conf.update(
    # In KiB, and of the largest size a child ever had: one that was large is replaced once its task has ended.
    worker_max_memory_per_child=settings.WORKER_RECYCLE_MB * 1024,
    worker_memory_limit_mb=settings.WORKER_MEMORY_LIMIT_MB,  # read by the memory watch
    # Longer than a database that does not answer keeps a new child waiting.
    worker_proc_alive_timeout=20,
)
app.steps["worker"].add(AliveStep)
app.steps["consumer"].add(WorkerHeartbeatStep)
app.steps["consumer"].add(MemoryWatchStep)
