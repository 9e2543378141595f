"""Putting a contract message on its queue."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from celery import Celery, Signature, chain
from celery.result import AsyncResult
from kombu.exceptions import OperationalError

from apps.jobs.sqs import names
from apps.jobs.sqs.messages import EtlMessage, Message


class NotSent(RuntimeError):  # noqa: N818 - the outbox row it belongs to stays unsent
    """SQS did not take the message; the sender's outbox row stays, the relay sends it later."""


def send(app: Celery, message: Message, *, job_id: str, request_id: str) -> str:
    """Send `message`; an ETL message carries the ML link of its chain with it. Returns the task id.

    Job and request id travel in the headers of both links. The message group lets AWS share a busy queue fairly
    between departments. Raises NotSent.
    """
    options = _options(message, job_id=job_id, request_id=request_id)
    first = _signature(app, message, options=options)
    if isinstance(message, EtlMessage):
        run = _sent(message, chain(first, app.signature(names.ML_TASK, options=options), app=app))
        return str(run.parent.id)
    return str(_sent(message, first).id)


def call_for_help(app: Celery, message: EtlMessage, *, job_id: str, request_id: str) -> None:
    """Send the message of a job whose ETL is in work once more, for whoever is free to help with it. A worker that does
    not know of help takes it for a duplicate of the message that is being worked. Raises NotSent."""
    options = _options(message, job_id=job_id, request_id=request_id)
    options["headers"] |= {names.HELP_HEADER: "yes"}
    _sent(message, _signature(app, message, options=options))


def _options(message: Message, *, job_id: str, request_id: str) -> dict[str, Any]:
    return {
        "headers": {names.JOB_ID_HEADER: job_id, names.REQUEST_ID_HEADER: request_id},
        "MessageGroupId": message.department,
    }


def _signature(app: Celery, message: Message, *, options: dict[str, Any]) -> Signature[Any]:
    # Not Celery's retries on top of the client's own: a request may be waiting, and the relay sends what is left.
    task = names.TASK_OF_QUEUE[message.job_type]
    return app.signature(task, args=[message.as_dict()], options=options | {"retry": False})


def _sent(message: Message, what: Signature[Any]) -> AsyncResult[Any]:
    try:
        return what.apply_async()
    except (OperationalError, BotoCoreError, ClientError) as error:
        raise NotSent(
            f"the {message.job_type} message of dataset {message.dataset_id} was not sent: {error}"
        ) from error
