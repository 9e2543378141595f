"""Putting a contract message on its queue."""

from botocore.exceptions import BotoCoreError, ClientError
from celery import Celery, chain
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
    options = {
        "headers": {names.JOB_ID_HEADER: job_id, names.REQUEST_ID_HEADER: request_id},
        "MessageGroupId": message.department,
    }
    task = names.TASK_OF_QUEUE[message.job_type]
    # Not Celery's retries on top of the client's own: a request may be waiting, and the relay sends what is left.
    first = app.signature(task, args=[message.as_dict()], options=options | {"retry": False})
    try:
        if isinstance(message, EtlMessage):
            run = chain(first, app.signature(names.ML_TASK, options=options), app=app).apply_async()
            return str(run.parent.id)
        return str(first.apply_async().id)
    except (OperationalError, BotoCoreError, ClientError) as error:
        raise NotSent(
            f"the {message.job_type} message of dataset {message.dataset_id} was not sent: {error}"
        ) from error
