"""Looking at what the platform needs, be it hung: whoever asks waits a bounded time, whatever the thing does."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Generic, TypeVar

from django.db import connections

from apps.accounts.scope import all_departments
from apps.datasets.storage import raw_storage
from apps.jobs.broker import quick_client, sqs_settings
from apps.jobs.selectors import live_workers
from apps.jobs.sqs.queues import QueueStats, queue_stats

Found = TypeVar("Found")


class Probe(Generic[Found]):
    """Looks at one thing in a thread of its own, so that the one who asks can stop waiting.

    While a look is under way no second one begins, and who asks shares its answer: an endpoint that hangs costs one
    thread, not one for everybody who asks. The thread stays, for what its look keeps per thread (a connection to S3).
    """

    def __init__(self, look: Callable[..., Found]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked: queue.SimpleQueue[tuple[Future[Found], tuple[object, ...]]] = queue.SimpleQueue()
        self._under_way: Future[Found] | None = None

    def begin(self, *arguments: object) -> Future[Found]:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                # A daemon: a look that hangs must not keep the process from stopping.
                self._thread = threading.Thread(target=self._serve, name="probe", daemon=True)
                self._thread.start()
            if self._under_way is None or self._under_way.done():
                self._under_way = Future()
                self._asked.put((self._under_way, arguments))
            return self._under_way

    def _serve(self) -> None:
        while True:
            answer, arguments = self._asked.get()
            try:
                with all_departments():
                    found = self._look(*arguments)
            except Exception as error:  # noqa: BLE001  (it is raised again at whoever waits for the answer)
                _leave()
                answer.set_exception(error)
            else:
                _leave()
                answer.set_result(found)


def answer_of(look: Future[Found], *, until: float) -> Found:
    """What was found, or its exception; TimeoutError where it is not there at that moment (of `time.monotonic`)."""
    return look.result(timeout=max(0.0, until - time.monotonic()))


def no_answer(error: Exception, *, within: float) -> str:
    """Why there is none, for anybody to read: addresses and credentials in the error's own text belong in the log."""
    if isinstance(error, TimeoutError):
        return f"No answer within {within:g} s."
    return f"No answer ({type(error).__name__})."


def beating(at: datetime) -> Counter[str]:
    """queue → live processes that serve it."""
    return Counter(queue for worker in live_workers(at=at) for queue in worker.queues)


def _queue_counts() -> list[QueueStats]:
    sqs = sqs_settings()
    return queue_stats(quick_client(sqs), queues=sqs.queues)


def _leave() -> None:
    """A connection that is kept open here would be one more for every probe of every process."""
    connections.close_all()


# Shared by all who ask, so that they share the looks too.
storage = Probe(lambda: raw_storage().ping())
queues = Probe(_queue_counts)
