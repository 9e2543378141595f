"""End a worker's child that takes more memory than it may, before the whole machine has none.

Celery's own bound (worker_max_memory_per_child) is looked at between two tasks: a runaway file never comes to that
point. Without a limit the kernel chooses whom to end, and the worker's main process or the database is as likely as
the child.
"""

import os
import time
from collections.abc import Callable, Collection
from typing import Any

import psutil
import structlog
from celery.app.task import Context
from celery.worker import state

from aetherflow.errors import AnticipatedError
from apps.jobs.sqs.background import BackgroundStep, Work
from apps.jobs.sqs.delivery import delivery_of

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.25
_MB = 1024 * 1024
# A loss is reported within seconds; what is older is of a child whose result was out before it was ended.
_FORGET_SECONDS = 600

# Task id → when its child was ended, and why. The watch's thread writes it before the kill, the failure signal's
# handler takes it out in the main thread. By task: that signal does not say which process was lost.
_ended: dict[str, tuple[float, "MemoryLimitExceeded"]] = {}


class MemoryLimitExceeded(AnticipatedError):  # noqa: N818  (named for what happened)
    """`limit_mb` is the worker's own limit; without it, it was the machine that had no more memory to give."""

    default_code = "memory-limit"

    def __init__(self, *, limit_mb: int | None = None) -> None:
        super().__init__(
            "The file needed more memory than a worker may take" + (f" ({limit_mb:,} MB)." if limit_mb else "."),
            hint="Split the file into smaller ones, or ask the operators to raise WORKER_MEMORY_LIMIT_MB.",
        )


def why_ended(task_id: str) -> MemoryLimitExceeded | None:
    """The reason, if it was the watch that ended this task's child. It is told once: a task keeps its id over all its
    attempts, and the next one may be lost for another reason."""
    _, reason = _ended.pop(task_id, (0, None))
    return reason


class MemoryWatch:
    """Looks at the children that have a task.

    RSS counts the libraries a child shares with its parent too, some 150 MB; but it is what `top` and Celery's own
    bound show, and costs 40 µs a look where the child's own part would cost milliseconds.
    """

    def __init__(self, *, limit_mb: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_mb = limit_mb
        self._clock = clock

    def look(self, requests: Collection[Any]) -> None:
        """One round over Celery's requests. A child without a task holds nobody's file and is left to the recycling."""
        for task_id, (at, _) in list(_ended.items()):
            if self._clock() - at > _FORGET_SECONDS:
                _ended.pop(task_id, None)
        for request in requests:
            if request.worker_pid is not None:
                self._look_at(request)

    def _look_at(self, request: Any) -> None:
        try:
            child = psutil.Process(request.worker_pid)
            # A child that has ended may have left its number to a stranger. kill() compares the time of birth again.
            if child.ppid() != os.getpid():
                return
            rss_mb = child.memory_info().rss // _MB
            if rss_mb <= self._limit_mb:
                return
            # A killed child is still there while the kernel takes back its memory.
            known = request.id in _ended
            # Before the kill: the loss may be noticed the moment it happens.
            _ended[request.id] = (self._clock(), MemoryLimitExceeded(limit_mb=self._limit_mb))
            child.kill()
        except psutil.NoSuchProcess:
            return
        if not known:
            _tell(request, rss_mb=rss_mb, limit_mb=self._limit_mb)


def _tell(request: Any, *, rss_mb: int, limit_mb: int) -> None:
    delivery = delivery_of(Context(request.request_dict))
    message: dict[str, str] = next(iter(request.args or ()), {})
    log.error(
        "worker_child_over_memory",
        task_id=request.id,
        job_id=delivery.job_id,
        request_id=delivery.request_id,
        dataset_id=message.get("dataset_id"),
        department=message.get("department"),
        stage=message.get("job_type"),
        pid=request.worker_pid,
        rss_mb=rss_mb,
        limit_mb=limit_mb,
    )


class MemoryWatchStep(BackgroundStep):
    """Worker step: `worker_memory_limit_mb` of the application's settings; 0: none."""

    def work(self, consumer: Any) -> Work | None:
        limit_mb: int = consumer.app.conf["worker_memory_limit_mb"]
        watch = MemoryWatch(limit_mb=limit_mb)
        return Work(do=lambda: watch.look(list(state.active_requests)), every=_LOOK_SECONDS) if limit_mb else None
