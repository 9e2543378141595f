"""SIGTERM: no new message, a while for the tasks that run, and what is left goes back to the queue at once.

Celery's own warm shutdown waits for running tasks without end. Its soft one is no way out: it sleeps its whole grace in
the signal handler, while the event loop stands still, so that a task that ends meanwhile is not acknowledged and is
worked again. Here the loop goes on: results, acknowledgements, back-offs and time limits work to the end.

SIGINT and SIGQUIT stay Celery's. The signal is for the worker's main process: a child that gets it dies of it.
"""

import logging
import os
import signal
import time
from typing import Any

from celery import bootsteps, signals
from celery.worker import state

from apps.jobs.sqs.settings import SqsSettings

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
# An open poll ends by itself after its wait; one that does not by then is held by a network that is gone.
_POLL_SLACK_SECONDS = 1


class GracefulStop(bootsteps.StartStopStep):
    """Worker step for the prefork pool: takes SIGTERM over from Celery, and hands over to its warm shutdown once
    nothing is held any more."""

    requires = ("celery.worker.components:Hub",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._settings: SqsSettings = worker.app.conf["sqs"]
        self._in_loop = False
        self._told = False

    def start(self, worker: Any) -> None:  # noqa: ARG002 - celery's signature
        # Celery has installed its own handlers just before the steps start.
        self._pid = os.getpid()
        self._listener, self._bell = os.pipe()
        os.set_blocking(self._bell, False)
        signal.signal(signal.SIGTERM, self._on_sigterm)

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        hub.add_reader(self._listener, self._begin, worker)
        self._in_loop = True

    def _on_sigterm(self, *_: object) -> None:
        """Runs between any two instructions of the main thread, which may hold the hub's lock: only ring the bell."""
        if os.getpid() != self._pid:
            return  # a child that was forked this moment and has not yet put its own handler in place
        if not self._in_loop:
            state.should_stop = os.EX_OK
        os.write(self._bell, b"\0")

    def _begin(self, worker: Any) -> None:
        os.read(self._listener, 4096)
        if self._told:
            return
        self._told = True
        self._told_at = time.monotonic()
        signals.worker_shutting_down.send(sender=worker.hostname, sig="SIGTERM", how="Warm", exitcode=os.EX_OK)
        consumer = worker.consumer
        consumer.task_consumer.cancel()
        waiting = [request for request in state.reserved_requests if request._apply_result is None]
        # They wait for a free child; the next one to be free must not begin what another worker has by then.
        worker.semaphore.clear()
        for request in waiting:
            self._give_back(consumer, request)
        logger.info(
            "SIGTERM: no new messages, %d given back, %d in work have %d s",
            len(waiting),
            len(consumer.task_consumer.channel.held),
            self._settings.stop_seconds,
        )
        self._timer = worker.hub.call_repeatedly(_LOOK_SECONDS, self._await_tasks, worker)

    def _await_tasks(self, worker: Any) -> None:
        """Go on as soon as nothing is held any more; with the grace over, see to it that nothing is."""
        if self._waited >= self._settings.stop_seconds:
            self._end_running(worker.consumer)
        if worker.consumer.task_consumer.channel.held:
            return
        # Cancelled first: the pool fires the hub's timers from a thread of its own while it stops.
        self._timer.cancel()
        # It takes a second and a half for idle children to end: the time in which SQS answers our last poll.
        worker.pool.stop()
        self._timer = worker.hub.call_repeatedly(_LOOK_SECONDS, self._await_polls, worker)

    def _await_polls(self, worker: Any) -> None:
        """The loop has to run until then: what a poll brings now, kombu makes visible again at once."""
        channel = worker.consumer.task_consumer.channel
        if channel.polls and self._waited < self._settings.wait_seconds + _POLL_SLACK_SECONDS:
            return
        self._timer.cancel()
        state.should_stop = os.EX_OK
        # The hub looks at that only after its next wait, which this one cuts short.
        os.write(self._bell, b"\0")

    @property
    def _waited(self) -> float:
        return time.monotonic() - self._told_at

    def _end_running(self, consumer: Any) -> None:
        running = list(state.reserved_requests)
        for request in running:
            logger.warning(
                "task %s did not end in %d s, its message goes back to the queue",
                request.id,
                self._settings.stop_seconds,
            )
            # KILL, for no other signal ends a native call: the next worker must not meet this one at work. Celery
            # reports a cancelled request as neither failed nor done.
            request.cancel(consumer.pool, signal="KILL", emit_retry=False)
        # All are ended before SQS is asked for the first: one that hangs must not leave the others at work.
        for request in running:
            self._give_back(consumer, request)
        # A message whose request is lost would hold the stop up until a SIGKILL.
        for delivery_tag in consumer.task_consumer.channel.held:
            consumer.task_consumer.channel.qos.give_back(delivery_tag)

    def _give_back(self, consumer: Any, request: Any) -> None:
        request.acknowledged = True  # nothing that still comes of it may settle the message once more
        state.task_ready(request)
        consumer.task_consumer.channel.qos.give_back(request.message.delivery_tag)
