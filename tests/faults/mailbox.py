"""A queue in a test's own hands. What it does goes by the platform's proxy, so that the ledger knows of it."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from apps.jobs.sqs.client import sqs_client
from config.local.endpoint import CREDENTIALS
from tests.faults.ledger import Letter
from tests.faults.platform import Platform
from tests.jobs.sqs.line import eventually

# Longer than anything a test does with what it has taken.
_HELD_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class _Taken:
    handle: str
    body: str


class Mailbox:
    """The source queue of a stage."""

    def __init__(self, platform: Platform, stage: str) -> None:
        self._platform = platform
        self._client = sqs_client(
            region="us-east-1",
            endpoint_url=platform.sqs_proxy.url,
            access_key=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            secret_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        self._url = self._client.get_queue_url(QueueName=f"aetherflow-{stage}")["QueueUrl"]

    def put(self, body: str) -> str:
        """Send a message; its id."""
        return self._client.send_message(QueueUrl=self._url, MessageBody=body)["MessageId"]

    def letter(self, message_id: str) -> Letter:
        """What became of a message."""
        (found,) = (letter for letter in self._platform.sqs_proxy.letters("") if letter.id == message_id)
        return found

    def twice_and_shuffled(self, marks: Collection[str], *, seed: int) -> Sequence[str]:
        """Replace the messages of these marks, once all are there, by two of each in another order; the new ids.

        The queue is never seen empty meanwhile: the relay would take its messages for lost.
        """
        taken: list[_Taken] = []

        def all_are_taken() -> bool:
            received = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=_HELD_SECONDS
            )
            taken.extend(
                _Taken(handle=message["ReceiptHandle"], body=message["Body"])
                for message in received.get("Messages", ())
            )
            return all(any(mark in message.body for message in taken) for mark in marks)

        eventually(all_are_taken, within=90, what=f"{len(marks)} messages to take")
        bodies = [message.body for message in taken] * 2
        random.Random(seed).shuffle(bodies)  # noqa: S311  (an order, no secret)
        ids = [self.put(body) for body in bodies]
        for message in taken:
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.handle)
        return ids

    def purge(self) -> int:
        """Empty the queue, of messages in work too; how many were waiting in it."""
        counted = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"])
        self._client.purge_queue(QueueUrl=self._url)
        return int(counted["Attributes"]["ApproximateNumberOfMessages"])
