"""What a worker's main process does beside its event loop, in threads that no child is forked in the middle of.

A child is a copy of its parent at one moment, and a lock that another thread holds at that moment stays locked in the
child for ever. libpq (its GSSAPI part), the C library's resolver of names and the output stream have such locks, which
nobody sees; a child that waits for one sits on its message until the hard time limit. So each round of a thread is done
under a lock of its own, and a fork takes all of these locks first.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery import bootsteps

logger = logging.getLogger(__name__)

_rounds: list[threading.Lock] = []


@dataclass(frozen=True, kw_only=True)
class Work:
    """What to do in each round, and the seconds between two."""

    do: Callable[[], None]
    every: float


class BackgroundStep(bootsteps.StartStopStep):
    """Worker step: one thread, from the consumer's start until the process ends. `work` is all a subclass says."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._thread: threading.Thread | None = None

    def work(self, consumer: Any) -> Work | None:
        """None: this worker needs none of it."""
        raise NotImplementedError

    def start(self, consumer: Any) -> None:
        # The consumer starts again after a lost connection, while the thread of the first start goes on.
        if self._thread is not None and self._thread.is_alive():
            return
        if work := self.work(consumer):
            self._thread = begin(work, name=type(self).__name__)

    def stop(self, consumer: Any) -> None:
        """A warm shutdown stops the consumer first and lets running tasks finish: go on until the process ends."""


def begin(work: Work, *, name: str) -> threading.Thread:
    """Do it in a thread, the first time at once."""
    free = threading.Lock()
    _rounds.append(free)
    thread = threading.Thread(target=_go_on, kwargs={"work": work, "name": name, "free": free}, name=name, daemon=True)
    thread.start()
    return thread


def _go_on(*, work: Work, name: str, free: threading.Lock) -> None:
    while True:
        with free:
            try:
                work.do()
            except Exception:
                # Whatever it was: a worker without its signs of life, its visibility or its memory limit is worse off.
                logger.exception("%s failed, its next round tries again", name)
        time.sleep(work.every)


def _take_all() -> None:
    """Hold none while waiting for another: a database that hangs must not keep messages from being extended."""
    slow: threading.Lock | None = None
    while True:
        taken = []
        if slow:
            slow.acquire()
            taken.append(slow)
        for free in _rounds:
            if free is slow:
                continue
            if not free.acquire(blocking=False):
                slow = free
                break
            taken.append(free)
        else:
            return
        for free in taken:
            free.release()


def _release_all() -> None:
    for free in _rounds:
        free.release()


# In the child too: it has no other threads, but its locks are as the parent's were.
os.register_at_fork(before=_take_all, after_in_parent=_release_all, after_in_child=_release_all)
