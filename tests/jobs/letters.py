"""Messages that end in the DLQ as they do in life: received as often as the queue allows, and moved by SQS itself."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from aetherflow.errors import UnavailableError
from apps.datasets.models import Dataset
from apps.datasets.storage import raw_storage
from apps.jobs.broker import sqs_settings
from apps.jobs.dead_letters import Letter, look_for
from apps.jobs.models import Job, JobStatus, StageRun
from apps.jobs.services.dead_letters import Report, Result
from apps.jobs.services.etl import work_etl
from apps.jobs.services.ml import work_ml
from apps.jobs.sqs import names
from apps.jobs.sqs.delivery import Delivery
from apps.jobs.sqs.envelope import task_envelope
from apps.jobs.sqs.messages import MESSAGE_OF_JOB_TYPE, EtlMessage
from tests.jobs.files import row, sales
from tests.jobs.steps import foreign

BAD_FILE = b"no,such,columns\n1,2,3\n"
GOOD = sales(row(1), row(2))
Upload = Callable[..., Job]


def url(queue: str, *, dead: bool = False) -> str:
    found = getattr(sqs_settings().queues, queue)
    return sqs_settings().queue_url(found).removesuffix(found.name) + (found.dead_letter_name if dead else found.name)


def work_all(sqs: Any, queue: str = "etl", *, worked: bool = True) -> list[str]:
    """Take what lies in the source queue through the workers' door until nothing comes any more; what does not fail is
    acknowledged, the rest SQS moves to the DLQ. Returns the ids of what was received.

    `worked=False`: nobody gets to it; the receives are used up by workers that die.
    """
    seen: list[str] = []
    while received := sqs.receive_message(
        QueueUrl=url(queue), VisibilityTimeout=0, MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        (message,) = received
        seen.append(message["MessageId"])
        if worked and _succeeds(message, queue=queue):
            sqs.delete_message(QueueUrl=url(queue), ReceiptHandle=message["ReceiptHandle"])
    return list(dict.fromkeys(seen))


def _succeeds(message: dict[str, Any], *, queue: str) -> bool:
    envelope = task_envelope(message["Body"], queue=queue, message_id=message["MessageId"])
    headers = envelope["headers"]
    if headers["task"] == names.INVALID_TASK:
        return False
    contract = MESSAGE_OF_JOB_TYPE[queue].parse(json.loads(envelope["body"])[0][0])
    delivery = Delivery(
        receive_count=int(message["Attributes"]["ApproximateReceiveCount"]),
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        queue_url=url(queue),
        job_id=headers.get(names.JOB_ID_HEADER),
        request_id=headers.get(names.REQUEST_ID_HEADER),
        foreign=bool(headers.get(names.FOREIGN_HEADER)),
    )
    with suppress(Exception):
        if isinstance(contract, EtlMessage):
            work_etl(message=contract, delivery=delivery, worker="etl@test", at=timezone.now())
        else:
            work_ml(message=contract, delivery=delivery, worker="ml@test", at=timezone.now())
        return True
    return False


def dead_letter_of(job: Job, sqs: Any) -> str:
    """Work the job's ETL message until it is dead-lettered; its id."""
    (message_id,) = work_all(sqs)
    assert run_of(job).dead_lettered
    return message_id


def run_of(job: Job, stage: str = "etl") -> StageRun:
    return StageRun.objects.get(job=job, stage=stage)


def mend(job: Job, content: bytes) -> None:
    """Put another file in the place of the bad one: what made the job fail is away."""
    dataset = Dataset.objects.get(pk=job.dataset_id)
    raw_storage().delete(dataset.key)
    raw_storage().save(dataset.key, ContentFile(content))


def bodies(sqs: Any, queue: str, *, dead: bool = False) -> dict[str, str]:
    """Message id → body of what lies in a queue; it stays there."""
    found: dict[str, str] = {}
    handles = []
    while received := sqs.receive_message(
        QueueUrl=url(queue, dead=dead), MaxNumberOfMessages=10, VisibilityTimeout=60
    ).get("Messages"):
        found |= {message["MessageId"]: message["Body"] for message in received}
        handles += [message["ReceiptHandle"] for message in received]
    for handle in handles:
        sqs.change_message_visibility(QueueUrl=url(queue, dead=dead), ReceiptHandle=handle, VisibilityTimeout=0)
    return found


def put(sqs: Any, body: str, *, queue: str = "etl") -> str:
    """A message straight into the DLQ; its id."""
    return str(sqs.send_message(QueueUrl=url(queue, dead=True), MessageBody=body)["MessageId"])


def plain(job: Job, **changes: str) -> str:
    """As another producer would write it."""
    return json.dumps(foreign(job.dataset, **changes).as_dict())


def only(report: Report) -> tuple[Result, str]:
    (outcome,) = report.outcomes
    return outcome.result, outcome.words


def letter(message_id: str, queue: str = "etl") -> Letter:
    (found,) = look_for(queue, ids=[message_id]).letters
    return found


def settled(job: Job) -> JobStatus:
    job.refresh_from_db()
    return JobStatus(job.status)


def refuse(*_: Any, **__: Any) -> str:
    raise UnavailableError("SQS does not answer (Timeout).", code="queues-unavailable", hint="Try again.")
