"""Deliveries as SQS makes them, for tests that call the stages' services themselves."""

import json
import uuid
from typing import Any

from apps.jobs.broker import sqs_settings
from apps.jobs.sqs import names
from apps.jobs.sqs.delivery import Delivery


def delivery(
    headers: dict[str, Any] | None = None, *, message_id: str | None = None, receive_count: int = 1
) -> Delivery:
    headers = headers or {}
    return Delivery(
        receive_count=receive_count,
        message_id=message_id or str(uuid.uuid4()),
        receipt_handle="handle",
        queue_url=None,
        job_id=headers.get(names.JOB_ID_HEADER),
        request_id=headers.get(names.REQUEST_ID_HEADER),
        foreign=not headers,
        asks_help=names.HELP_HEADER in headers,
    )


def messages_of(client: Any, queue: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(contract message, headers) of what lies in the queue; it is taken out."""
    settings = sqs_settings()
    url = settings.queue_url(getattr(settings.queues, queue))
    found = []
    while received := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for each in received:
            envelope = json.loads(each["Body"])
            (message,), _, _ = json.loads(envelope["body"])
            found.append((message, envelope["headers"]))
            client.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return found
