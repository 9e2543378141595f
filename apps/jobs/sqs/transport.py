"""kombu's SQS transport, made to survive what a queue, a network and a sender can do to it.

In stock kombu one malformed message, one failed poll, one stale receipt handle or one hard time limit on a queue
with a back-off stops the worker process. The overrides below lean on private methods, so the versions are pinned
exactly and `pins.check_pins` refuses any other (docs/adr/0003-sqs-transport.md).
"""

import json
import logging
from collections import Counter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.exceptions import OperationalError
from kombu.transport import SQS, virtual
from kombu.transport.SQS.exceptions import AccessDeniedQueueException
from vine import ensure_promise

from apps.jobs.sqs.envelope import task_envelope
from apps.jobs.sqs.visibility import SETTLING, is_lost, settle

logger = logging.getLogger(__name__)

_AWS_ERRORS = (ClientError, BotoCoreError, AccessDeniedQueueException)
_FIRST_POLL_RETRY_SECONDS = 1
_LAST_POLL_RETRY_SECONDS = 15


class _PollFailed(int):
    """Stands where kombu counts the messages of a poll: none, and the next poll must wait."""


POLL_FAILED = _PollFailed(0)


class PollConnection(AsyncSQSConnection):
    """Answers a failed ReceiveMessage (refused, 5xx, throttled, expired token) with None instead of raising."""

    def _on_list_ready(self, parent: Any, markers: Any, operation: str, response: Any) -> Any:
        if response.status != self.STATUS_CODE_OK:
            logger.warning("SQS %s failed: HTTP %s %s", operation, response.status, _reason(response))
            return None
        try:
            # botocore takes what is no JSON for an answer without messages: the next poll would follow at once.
            json.loads(response.read())
            return super()._on_list_ready(parent, markers, operation, response)
        except Exception as error:  # noqa: BLE001 - whatever a broken proxy sent; the poll is repeated
            logger.warning("SQS %s sent an answer that cannot be read: %r", operation, error)
            return None


def _reason(response: Any) -> str:
    body = response.read() or b""
    return str(response.reason or body[:200].decode("utf-8", "replace"))


class QoS(SQS.QoS):
    """A message is never put back or deleted by hand: it stays in SQS, and only how long it is hidden changes."""

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - kombu's signature
        """Give the message back after the back-off of this receive, for a failure and a requeue alike.

        Stock kombu raises KeyError('sqs_message') for a requeue on a queue with a back-off, and ClientError where
        the receipt handle is stale; either stops the worker.
        """
        message = self._delivered.get(delivery_tag)
        with SETTLING:
            if message is not None:
                settle(message.delivery_info)
            virtual.QoS.reject(self, delivery_tag, requeue=False)
            if message is not None:
                self._back_off(message.delivery_info)

    def give_back(self, delivery_tag: str) -> None:
        """Let another worker have the message at once: this one has not begun it, or has ended its task."""
        message = self._delivered.get(delivery_tag)
        if message is not None:
            virtual.QoS.reject(self, delivery_tag, requeue=False)
            self.show(message.delivery_info)

    def show(self, info: dict[str, Any]) -> None:
        """Make a received message visible to all."""
        with SETTLING:
            settle(info)
            self._hide(info, seconds=0)

    def _back_off(self, info: dict[str, Any]) -> None:
        policy = self.channel.predefined_queues.get(info.get("routing_key"), {}).get("backoff_policy", {})
        received = info.get("sqs_message")
        if received and policy:
            receive_count = int(received.get("Attributes", {}).get("ApproximateReceiveCount", 1))
            self._hide(info, seconds=policy[min(max(receive_count, 1), max(policy))])

    def _hide(self, info: dict[str, Any], *, seconds: int) -> None:
        received = info["sqs_message"]
        if is_lost(info):
            # Another worker may have it by now, and some endpoints take the old handle still: it is not ours to show.
            return
        try:
            self.channel.sqs(info["routing_key"]).change_message_visibility(
                QueueUrl=info["sqs_queue"], ReceiptHandle=received["ReceiptHandle"], VisibilityTimeout=seconds
            )
        except _AWS_ERRORS as error:
            logger.warning(
                "message %s was not hidden for %d s, it comes back after the queue's visibility timeout: %s",
                received.get("MessageId"),
                seconds,
                error,
            )


class Channel(SQS.Channel):
    """Checks every message at the door and keeps polling through failures."""

    QoS = QoS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._failed_polls: Counter[str] = Counter()
        self._open_polls: set[str] = set()

    # --- receiving ---

    def asynsqs(self, queue: str | None = None) -> AsyncSQSConnection:
        clients = self._predefined_queue_async_clients
        if queue not in clients:
            clients[queue] = PollConnection(
                sqs_connection=self.sqs(queue=queue),
                region=self.region,
                message_system_attribute_names=self.get_message_attributes["MessageSystemAttributeNames"],
            )
        return clients[queue]

    @property
    def polls(self) -> bool:
        """Whether SQS still holds a long poll of ours. Whoever hangs up on one may be handed a message all the same:
        it is then hidden from everybody for a visibility timeout."""
        return bool(self._open_polls)

    def _get_async(self, queue: str, count: int = 1, callback: Any = None) -> Any:
        self._open_polls.add(queue)
        try:
            return super()._get_async(queue, count, callback=callback)
        except _AWS_ERRORS as error:
            # Credentials that cannot be had for a moment: raised, it would close the channel, and polling never resume.
            logger.warning("a poll of the queue %s could not be sent: %s", queue, error)
            return ensure_promise(callback)(POLL_FAILED)

    def _on_messages_ready(self, queue: str, qname: str, messages: Any) -> int:
        if messages is None:
            return POLL_FAILED
        count: int = super()._on_messages_ready(queue, qname, messages)
        return count

    def _loop1(self, queue: str, messages_fetched: int | None = None) -> None:
        if messages_fetched is not None:
            self._open_polls.discard(queue)
        if isinstance(messages_fetched, _PollFailed):
            failures = self._failed_polls[queue]
            delay = min(_FIRST_POLL_RETRY_SECONDS * 2**failures, _LAST_POLL_RETRY_SECONDS)
            self._failed_polls[queue] += 1
            logger.warning("poll %d of the queue %s failed, the next is in %d s", failures + 1, queue, delay)
            self.hub.call_later(delay, self._schedule_queue, queue)
            return
        if messages_fetched is not None and self._failed_polls.pop(queue, 0):
            logger.info("the queue %s answers again", queue)
        super()._loop1(queue, messages_fetched)

    def _message_to_python(self, message: dict[str, Any], queue_name: str, q_url: str) -> dict[str, Any]:
        envelope = task_envelope(
            message["Body"],
            queue=queue_name,
            message_id=message["MessageId"],
            departments=self.transport_options.get("departments"),
        )
        payload: dict[str, Any] = self._envelope_payload(envelope, message["Body"], message, q_url)
        return payload

    # --- settling ---

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        message = self.qos._delivered.get(delivery_tag)
        if message is not None:
            with SETTLING:
                settle(message.delivery_info)
        try:
            super().basic_ack(delivery_tag, multiple)
        except _AWS_ERRORS as error:
            logger.error(  # noqa: TRY400 - the stack is kombu's, the cause is in the message
                "a finished message could not be deleted and will be delivered again: %s", error
            )
        self._poll_soon()

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        # Not kombu's own: it deletes a rejected message where it finds no redrive policy.
        virtual.Channel.basic_reject(self, delivery_tag, requeue=requeue)
        self._poll_soon()

    def _poll_soon(self) -> None:
        """A timer wakes kombu's hub, which otherwise waits on its sockets for up to a second before it looks at what
        became ready in this very round: the next poll."""
        if self.hub is not None:
            self.hub.call_later(0.001, bool)

    @property
    def held(self) -> list[str]:
        """The delivery tags of all messages that were received and are neither acknowledged nor given back."""
        return [tag for tag in self.qos._delivered if tag not in self.qos._dirty]

    def _restore(self, message: Any, *_: Any) -> None:
        """Called for what is still held when the channel closes. Stock kombu hides it for another wait of a poll."""
        self.qos.show(message.delivery_info)

    # --- sending ---

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        try:
            super()._put(queue, message, **kwargs)
        except _AWS_ERRORS as error:
            # botocore's errors cannot be pickled: a chain link that fails would be reported as another failure.
            raise OperationalError(f"SQS did not take the message: {error}") from error


class Transport(SQS.Transport):
    """Set it as `broker_transport`; it takes predefined queues only."""

    Channel = Channel
