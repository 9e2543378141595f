"""The four queues: their names, making and repairing them, what a worker demands of them, how full they are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from apps.jobs.sqs import names

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

DAY = 24 * 3600
SOURCE_RETENTION_SECONDS = 4 * DAY
# A dead letter keeps the age it had in its source queue, so the DLQ must keep longer; 14 days is the SQS maximum.
DEAD_LETTER_RETENTION_SECONDS = 14 * DAY


@dataclass(frozen=True)
class Queue:
    """A source queue and the queue of its dead letters: `key` as Celery and `-Q` know it, the others as SQS does."""

    key: str
    name: str
    dead_letter_name: str


@dataclass(frozen=True)
class QueueNames:
    """The queues of one installation; the prefix lets several share an account."""

    prefix: str = "aetherflow"

    @property
    def etl(self) -> Queue:
        return self._queue(names.ETL)

    @property
    def ml(self) -> Queue:
        return self._queue(names.ML)

    @property
    def all(self) -> tuple[Queue, ...]:
        return (self.etl, self.ml)

    def _queue(self, key: str) -> Queue:
        return Queue(key=key, name=f"{self.prefix}-{key}", dead_letter_name=f"{self.prefix}-{key}-dlq")


class QueueNotReady(RuntimeError):  # noqa: N818 - a state of the queue, told to the operator
    """A queue no worker may consume from: `code`, `message` and `hint` for the person who starts it."""

    def __init__(self, *, code: str, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Provisioned:
    """What provisioning did to one queue; `changed` names what it set right on a queue that was there."""

    name: str
    url: str
    created: bool
    changed: tuple[str, ...]


@dataclass(frozen=True)
class QueueStats:
    """Approximate message counts of one queue, as SQS gives them (it does not give the age of the oldest)."""

    name: str
    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


def provision_queues(
    client: "SQSClient", *, queues: QueueNames, max_receives: int, visibility_seconds: int
) -> list[Provisioned]:
    """Make what is missing and set right what differs; safe to run at every start.

    A DLQ takes letters from its own source queue only, so that a redrive can tell where they belong.
    """
    done = []
    for queue in queues.all:
        dead = _ensure(
            client,
            queue.dead_letter_name,
            {
                "MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_SECONDS),
                "VisibilityTimeout": str(visibility_seconds),
            },
        )
        redrive = {"deadLetterTargetArn": arn_of(client, dead.url), "maxReceiveCount": max_receives}
        source = _ensure(
            client,
            queue.name,
            {
                "MessageRetentionPeriod": str(SOURCE_RETENTION_SECONDS),
                "VisibilityTimeout": str(visibility_seconds),
                "RedrivePolicy": json.dumps(redrive),
            },
        )
        allow = {"redrivePermission": "byQueue", "sourceQueueArns": [arn_of(client, source.url)]}
        allowed = _repair_where_known(client, dead.url, {"RedriveAllowPolicy": json.dumps(allow)})
        changed = dead.changed if dead.created else dead.changed + allowed
        done += [source, Provisioned(dead.name, dead.url, created=dead.created, changed=changed)]
    return done


def require_redrive_policy(client: "SQSClient", *, queue: Queue, max_receives: int) -> None:
    """Raise QueueNotReady unless SQS itself will move the queue's failing messages to its DLQ after `max_receives`.

    Without that policy a message that always fails would come back for ever and be kept nowhere.
    """
    hint = "Run `manage.py provision`, then start the worker again."
    url = _url(client, queue.name)
    if url is None:
        raise QueueNotReady(code="queue-missing", message=f"The queue {queue.name} does not exist.", hint=hint)
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
    policy = json.loads(found.get("RedrivePolicy") or "{}")
    target = str(policy.get("deadLetterTargetArn", ""))
    if not target:
        raise QueueNotReady(
            code="redrive-policy-missing",
            message=f"The queue {queue.name} has no redrive policy: its failing messages would never reach a DLQ.",
            hint=hint,
        )
    if target.rpartition(":")[2] != queue.dead_letter_name or _url(client, queue.dead_letter_name) is None:
        raise QueueNotReady(
            code="dead-letter-queue-missing",
            message=f"The queue {queue.name} sends its dead letters to {target}, expected {queue.dead_letter_name}.",
            hint=hint,
        )
    if int(policy.get("maxReceiveCount", 0)) != max_receives:
        raise QueueNotReady(
            code="redrive-policy-differs",
            message=(
                f"The queue {queue.name} gives up after {policy.get('maxReceiveCount')} receives, "
                f"this worker counts {max_receives} attempts."
            ),
            hint=hint,
        )


def queue_stats(client: "SQSClient", *, queues: QueueNames) -> list[QueueStats]:
    """Counts of every source queue and its DLQ, in that order. Raises QueueNotReady where one is missing."""
    names = (name for queue in queues.all for name in (queue.name, queue.dead_letter_name))
    return [stats_of(client, name) for name in names]


def stats_of(client: "SQSClient", name: str) -> QueueStats:
    """Raises QueueNotReady where the queue is missing."""
    found = client.get_queue_attributes(
        QueueUrl=url_of(client, name),
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return QueueStats(
        name=name,
        visible=int(found["ApproximateNumberOfMessages"]),
        in_flight=int(found["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(found["ApproximateNumberOfMessagesDelayed"]),
    )


def waiting_on(client: "SQSClient", url: str) -> int:
    """About how many messages nobody has received yet."""
    attribute: QueueAttributeNameType = "ApproximateNumberOfMessages"
    return int(client.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])["Attributes"][attribute])


def url_of(client: "SQSClient", name: str) -> str:
    """Raises QueueNotReady where the queue is missing."""
    url = _url(client, name)
    if url is None:
        raise QueueNotReady(
            code="queue-missing",
            message=f"The queue {name} does not exist.",
            hint="Run `manage.py provision`.",
        )
    return url


def arn_of(client: "SQSClient", url: str) -> str:
    return client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _ensure(client: "SQSClient", name: str, attributes: Mapping["QueueAttributeNameType", str]) -> Provisioned:
    url = _url(client, name)
    if url is not None:
        return Provisioned(name, url, created=False, changed=_repair(client, url, attributes))
    url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return Provisioned(name, url, created=True, changed=())


def _repair(client: "SQSClient", url: str, attributes: Mapping["QueueAttributeNameType", str]) -> tuple[str, ...]:
    differing = _differing(client, url, attributes)
    if not differing:
        return ()
    client.set_queue_attributes(QueueUrl=url, Attributes=differing)
    # Local endpoints forget the attributes they do not know; that is no change, and would be one at every start.
    refused = _differing(client, url, differing)
    return tuple(name for name in differing if name not in refused)


def _repair_where_known(
    client: "SQSClient", url: str, attributes: Mapping["QueueAttributeNameType", str]
) -> tuple[str, ...]:
    """ElasticMQ refuses an attribute that it does not know, where others forget it."""
    try:
        return _repair(client, url, attributes)
    except ClientError as refusal:
        if not refusal.response["Error"]["Code"].endswith("InvalidAttributeName"):
            raise
        return ()


def _differing(
    client: "SQSClient", url: str, attributes: Mapping["QueueAttributeNameType", str]
) -> dict["QueueAttributeNameType", str]:
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {})
    return {name: value for name, value in attributes.items() if _comparable(found.get(name)) != _comparable(value)}


def _comparable(value: str | None) -> object:
    """Policies come back as JSON with other spacing and with counts as text or as numbers."""
    parsed = json.loads(value) if value else None
    return {key: str(item) for key, item in parsed.items()} if isinstance(parsed, dict) else parsed


def _url(client: "SQSClient", name: str) -> str | None:
    try:
        return client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        return None
