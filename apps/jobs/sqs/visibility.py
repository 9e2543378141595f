"""While a worker holds a message, keep it invisible to the others.

Neither Celery nor kombu extends a message's visibility: without this a task longer than the queue's timeout runs
several times at once and is dead-lettered although every run succeeded. With it the timeout can be short, so that
the messages of a killed worker come back soon.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from celery.worker import state

from apps.jobs.sqs.background import BackgroundStep, Work
from apps.jobs.sqs.settings import SqsSettings

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

_BATCH = 10  # the SQS bound on one batch call

# Held by whoever changes the visibility of messages. Without it a beat that was under way while a task failed would
# land after the back-off and push the next attempt out again.
SETTLING = threading.Lock()
_SETTLED = "settled"
_LOST = "lost"


def settle(delivery_info: dict[str, Any]) -> None:
    """Mark a delivery as acknowledged or given back: from now on no beat extends it. Call it under SETTLING."""
    delivery_info[_SETTLED] = True


def is_lost(delivery_info: Mapping[str, Any]) -> bool:
    """Whether SQS has refused to extend the delivery, or is no longer asked: another worker may have the message."""
    return bool(delivery_info.get(_LOST))


@dataclass(frozen=True)
class Held:
    """One message this worker holds; `delivery_info` is kombu's own, where settled and lost are marked."""

    queue_url: str
    receipt_handle: str
    message_id: str
    delivery_info: dict[str, Any]


def held_messages() -> list[Held]:
    """The SQS messages of all requests that are waiting for the pool or running in it."""
    held = []
    for request in {*state.reserved_requests, *state.active_requests}:
        info = request.message.delivery_info or {}
        received, url = info.get("sqs_message"), info.get("sqs_queue")
        if received and url and not request.acknowledged:
            held.append(Held(url, received["ReceiptHandle"], received.get("MessageId", ""), info))
    return held


class Heartbeat:
    """Extends what is held, for as long as the queue's cap allows; `caps` is queue URL → seconds."""

    def __init__(
        self,
        *,
        client: "SQSClient",
        extend_seconds: int,
        caps: Mapping[str, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._extend_seconds = extend_seconds
        self._caps = caps
        self._clock = clock
        self._held_since: dict[str, float] = {}
        self._lost: set[str] = set()

    def beat(self, held: Iterable[Held]) -> None:
        """One round. A message SQS no longer knows under its handle is reported once and left alone."""
        now = self._clock()
        held = list(held)
        handles = {message.receipt_handle for message in held}
        self._held_since = {handle: self._held_since.get(handle, now) for handle in handles}
        self._lost &= handles
        by_queue: dict[str, list[Held]] = defaultdict(list)
        for message in held:
            if message.receipt_handle in self._lost:
                continue
            if now - self._held_since[message.receipt_handle] > self._caps[message.queue_url]:
                self._lose(message, "it is held longer than a task of its queue may run")
            else:
                by_queue[message.queue_url].append(message)
        for url, messages in by_queue.items():
            for start in range(0, len(messages), _BATCH):
                self._extend(url, messages[start : start + _BATCH])

    def _extend(self, queue_url: str, messages: list[Held]) -> None:
        with SETTLING:
            unsettled = [message for message in messages if not message.delivery_info.get(_SETTLED)]
            if not unsettled:
                return
            try:
                answer = self._client.change_message_visibility_batch(
                    QueueUrl=queue_url,
                    Entries=[
                        {
                            "Id": str(number),
                            "ReceiptHandle": message.receipt_handle,
                            "VisibilityTimeout": self._extend_seconds,
                        }
                        for number, message in enumerate(unsettled)
                    ],
                )
            except (BotoCoreError, ClientError) as error:
                # The next beat tries again; there are three in every visibility timeout.
                logger.warning("the visibility of %d messages was not extended: %s", len(unsettled), error)
                return
        for failed in answer.get("Failed", ()):
            self._lose(unsettled[int(failed["Id"])], f"SQS answers {failed.get('Code')}")

    def _lose(self, message: Held, reason: str) -> None:
        self._lost.add(message.receipt_handle)
        message.delivery_info[_LOST] = True
        logger.warning(
            "message %s may be delivered a second time, its visibility is no longer extended: %s",
            message.message_id,
            reason,
        )


class VisibilityHeartbeat(BackgroundStep):
    """Worker step: beats three times per visibility timeout."""

    def work(self, consumer: Any) -> Work:
        settings: SqsSettings = consumer.app.conf["sqs"]
        heartbeat = Heartbeat(
            # The main thread waits for SETTLING when it acknowledges: short timeouts, and no retries, the next beat is
            # near.
            client=settings.client(connect_timeout=2, read_timeout=3, attempts=1),
            extend_seconds=settings.visibility_seconds,
            caps={settings.queue_url(queue): settings.extension_cap(queue.key) for queue in settings.queues.all},
        )
        return Work(do=lambda: heartbeat.beat(held_messages()), every=settings.visibility_seconds / 3)
