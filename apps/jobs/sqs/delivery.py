"""What a running task may know of its delivery."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from apps.jobs.sqs import names

_FOREIGN_JOBS = UUID("5a4a0d52-6a9c-5a55-9b43-6a7f0f5e2f10")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One receive of one SQS message.

    `receive_count` is the attempt, counted by SQS from 1 over all workers. A task that was called in process has
    no message: it counts as the first attempt and its ids are None. `foreign` is true where the producer sent
    plain JSON without a Celery envelope; such a message knows no job, and its request id is its message id. With
    `asks_help` somebody works its stage, and asks for help with it.
    """

    receive_count: int
    message_id: str | None
    receipt_handle: str | None
    queue_url: str | None
    job_id: str | None
    request_id: str | None
    foreign: bool
    asks_help: bool = False


def delivery_of(request: Any) -> Delivery:
    """The delivery of a bound task's `self.request`."""
    info = (request.properties or {}).get("delivery_info") or {}
    received = info.get("sqs_message") or {}
    headers = request.headers or {}
    return Delivery(
        receive_count=int(received.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
        message_id=received.get("MessageId"),
        receipt_handle=received.get("ReceiptHandle"),
        queue_url=info.get("sqs_queue"),
        job_id=headers.get(names.JOB_ID_HEADER),
        request_id=headers.get(names.REQUEST_ID_HEADER),
        foreign=bool(headers.get(names.FOREIGN_HEADER)),
        asks_help=bool(headers.get(names.HELP_HEADER)),
    )


def foreign_job_id(message_id: str) -> UUID:
    """A foreign message's job is named after the SQS message, so that its redelivery finds the same job."""
    return uuid5(_FOREIGN_JOBS, message_id)


def name_job(request: Any, *, job_id: str) -> None:
    """Tell the chain's next link its job: the chain of a foreign message was made before there was one."""
    for link in request.chain or ():
        link["options"].setdefault("headers", {})[names.JOB_ID_HEADER] = job_id


def end_chain(request: Any) -> None:
    """Send no ML message when this ETL run returns (it was superseded, or there is nothing to compute)."""
    request.chain = None
