"""The letters of a dead-letter queue in an operator's hands.

SQS has no way to look into a queue but to receive. A letter that is received is hidden from everybody for a while and
comes back by itself, so whoever looks or acts may die at any point: nothing is lost. In a DLQ receives are counted
without effect.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from aetherflow.errors import UnavailableError
from apps.jobs.sqs.queues import Queue, QueueNotReady, QueueStats, arn_of, stats_of, url_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

log = structlog.get_logger(__name__)

# How long a look, or an act, may keep letters from others if it dies.
LOOK_SECONDS = 20
ACT_SECONDS = 60
_AT_ONCE = 10  # SQS gives no more
# Of a long queue the first letters come again while the last are read; so often nothing new may come.
_IDLE_ROUNDS = 3
_PAUSE_SECONDS = 0.02
_NOT_OURS = ("ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight")


class NotOurs(Exception):  # noqa: N818  (named for what happened)
    """We had the letter for too long, and somebody else has received it since."""


@dataclass(frozen=True, kw_only=True)
class RawLetter:
    """One receive of a dead letter. `sent_at` is when it was sent to its source queue."""

    message_id: str
    receipt_handle: str
    body: str
    sent_at: datetime
    receive_count: int
    group: str | None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def answering() -> Iterator[None]:
    """SQS that is away or refuses, as one error to show; its own words, with addresses and keys, go to the log."""
    try:
        yield
    except QueueNotReady as error:
        raise UnavailableError(error.message, code=error.code, hint=error.hint) from error
    except (BotoCoreError, ClientError) as error:
        log.warning("sqs_not_answering", error=str(error)[:300])
        raise UnavailableError(
            f"SQS does not answer ({_code_of(error) or type(error).__name__}).",
            code="queues-unavailable",
            hint="Nothing is lost: what was not done is still in the queue. Try again; `manage.py queues` tells.",
        ) from error


class LetterBox:
    """The dead letters of one queue. Whatever it does raises UnavailableError where SQS is away."""

    def __init__(self, client: "SQSClient", queue: Queue) -> None:
        self._client = client
        self.queue = queue
        with answering():
            self._source = url_of(client, queue.name)
            self._dead = url_of(client, queue.dead_letter_name)

    def counts(self) -> QueueStats:
        with answering():
            return stats_of(self._client, self.queue.dead_letter_name)

    def hold(
        self, *, seconds: int, at_most: int | None = None, expected: int | None = None, until: float | None = None
    ) -> "Held":
        """Receive the letters, `at_most` so many, and keep them from others until the end of the `with`.

        After as many as are `expected` nobody waits for more: a second less, where it is no harm to miss one. No
        receive begins that would not end before `until`, a moment of `time.monotonic`.
        """
        return Held(self, seconds=seconds, at_most=at_most, expected=expected, until=until)

    def receive(self, *, seconds: int, number: int, wait: bool = True) -> list[RawLetter]:
        with answering():
            received = self._client.receive_message(
                QueueUrl=self._dead,
                MaxNumberOfMessages=min(number, _AT_ONCE),
                VisibilityTimeout=seconds,
                # Without a wait SQS asks a part of its servers only, and a letter elsewhere would seem gone.
                WaitTimeSeconds=1 if wait else 0,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        return [_raw(message) for message in received.get("Messages", ())]

    def show(self, handles: list[str]) -> None:
        """Give letters back at once; those that cannot be come back by themselves."""
        for first in range(0, len(handles), _AT_ONCE):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(handles[first : first + _AT_ONCE])
            ]
            try:
                self._client.change_message_visibility_batch(QueueUrl=self._dead, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                log.warning("letters_not_given_back", queue=self.queue.dead_letter_name, error=str(error)[:300])
                return

    def send_on(self, letter: RawLetter, *, group: str = "") -> str:
        """Put a copy into the source queue, in its message group or, where it had none, in `group`; the copy's id."""
        options: dict[str, Any] = {"MessageAttributes": dict(letter.attributes)} if letter.attributes else {}
        if in_group := letter.group or group:
            options["MessageGroupId"] = in_group
        with answering():
            sent = self._client.send_message(QueueUrl=self._source, MessageBody=letter.body, **options)
        return sent["MessageId"]

    def delete(self, letter: RawLetter) -> None:
        """Raises NotOurs besides."""
        try:
            with answering():
                self._client.delete_message(QueueUrl=self._dead, ReceiptHandle=letter.receipt_handle)
        except UnavailableError as error:
            if _code_of(error.__cause__) in _NOT_OURS:
                raise NotOurs(letter.message_id) from error
            raise

    def purge(self) -> bool:
        """Delete all letters; False where SQS does so already and takes no second order for a minute."""
        try:
            with answering():
                self._client.purge_queue(QueueUrl=self._dead)
        except UnavailableError as error:
            if "PurgeQueueInProgress" in _code_of(error.__cause__):
                return False
            raise
        return True

    def is_moving(self) -> bool | None:
        """Whether SQS moves the letters by an order of before; None where the endpoint has no such orders, or we may
        not give them. Local ones have none (moto answers 500, ministack InvalidAction)."""
        with answering():
            source = arn_of(self._client, self._dead)
            try:
                tasks = self._client.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"]
            except ClientError as error:
                # Whatever it says: letters can be moved without.
                log.info("no_move_tasks", queue=self.queue.dead_letter_name, error=str(error)[:200])
                return None
        return any(task.get("Status") in {"RUNNING", "CANCELLING"} for task in tasks)

    def start_move_task(self) -> bool:
        """Order SQS to move all letters to the source queue, in its own time. False where it does already."""
        try:
            with answering():
                self._client.start_message_move_task(
                    SourceArn=arn_of(self._client, self._dead), DestinationArn=arn_of(self._client, self._source)
                )
        except UnavailableError:
            if self.is_moving():
                return False
            raise
        return True


class Held:
    """Letters that were received and are in our hands; what is left at the end is given back."""

    def __init__(
        self, box: LetterBox, *, seconds: int, at_most: int | None, expected: int | None, until: float | None
    ) -> None:
        self._box = box
        self._seconds = seconds
        self._at_most = at_most
        self._expected = expected
        self._until = until
        self._slowest = 0.0
        self._handles: dict[str, str] = {}
        self._settled: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._box.show(list(self._handles.values()))

    def __iter__(self) -> Iterator[RawLetter]:
        """Each letter once, as it is received."""
        idle = 0
        while idle < _IDLE_ROUNDS and (wanted := self._wanted()) and not self._is_late():
            wait = self._expected is None or len(self._seen()) < self._expected
            # SQS waits a second at least: who has less asks again and again, each time another part of its servers.
            began = time.monotonic()
            received = self._box.receive(seconds=self._seconds, number=wanted, wait=wait and self._until is None)
            self._slowest = max(self._slowest, time.monotonic() - began)
            if not received and wait and self._until is not None:
                time.sleep(_PAUSE_SECONDS)
                continue
            if not received:
                return
            fresh = [letter for letter in received if letter.message_id not in self._seen()]
            self._handles |= {letter.message_id: letter.receipt_handle for letter in received}
            idle = 0 if fresh else idle + 1
            yield from fresh

    def send_on(self, letter: RawLetter, *, group: str = "") -> str:
        return self._box.send_on(letter, group=group)

    def delete(self, letter: RawLetter) -> None:
        """Raises NotOurs where it is not ours any more."""
        self._box.delete(letter)
        self._handles.pop(letter.message_id, None)
        self._settled.add(letter.message_id)

    def _is_late(self) -> bool:
        """Whether another receive, as slow as they are here, would not end in time."""
        return self._until is not None and time.monotonic() + self._slowest >= self._until

    def _seen(self) -> set[str]:
        return self._settled | self._handles.keys()

    def _wanted(self) -> int:
        return _AT_ONCE if self._at_most is None else self._at_most - len(self._seen())


def _raw(message: Mapping[str, Any]) -> RawLetter:
    told = message.get("Attributes", {})
    return RawLetter(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        sent_at=datetime.fromtimestamp(int(told["SentTimestamp"]) / 1000, UTC),
        receive_count=int(told["ApproximateReceiveCount"]),
        group=told.get("MessageGroupId"),
        attributes=message.get("MessageAttributes", {}),
    )


def _code_of(error: BaseException | None) -> str:
    return str(error.response["Error"].get("Code", "")) if isinstance(error, ClientError) else ""
