"""The tasks: the message in, one service call, the next message out.

Retries are SQS's: a task that raises leaves its message in the queue, which delivers it again after the back-off and
moves it to the dead-letter queue after the last attempt.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from billiard.exceptions import WorkerLostError
from celery import shared_task
from celery.signals import task_failure, worker_init
from django.db import connections

from aetherflow.errors import AnticipatedError
from apps.accounts.scope import department_scope
from apps.jobs import clock, lines
from apps.jobs.memory import why_ended
from apps.jobs.services.claims import fail_lost
from apps.jobs.services.dispatch import pass_on
from apps.jobs.services.etl import work_etl
from apps.jobs.services.logs import keep_log
from apps.jobs.services.ml import work_ml
from apps.jobs.sqs import names
from apps.jobs.sqs.delivery import Delivery, delivery_of, end_chain, name_job
from apps.jobs.sqs.messages import MESSAGE_OF_JOB_TYPE, EtlMessage, Message, MlMessage

log = structlog.get_logger(__name__)

_this_worker = {"name": ""}


class StageFailed(Exception):  # noqa: N818  (what Celery reports; the reason itself stands in the job)
    """Tells Celery that the attempt failed, in plain text: errors of boto3 and psycopg2 cannot be pickled."""


@shared_task(name=names.ETL_TASK, bind=True, throws=(StageFailed,))
def etl(self: Any, message: dict[str, Any], **_: Any) -> dict[str, str] | None:
    delivery = delivery_of(self.request)
    work = EtlMessage.parse(message)
    with _attempt(work, delivery=delivery):
        following = work_etl(message=work, delivery=delivery, worker=self.request.hostname, at=clock.now())
    if following is None:
        end_chain(self.request)
        return None
    name_job(self.request, job_id=str(following.job_id))
    return following.message.as_dict()


@shared_task(name=names.ML_TASK, bind=True, throws=(StageFailed,))
def ml(self: Any, message: dict[str, Any], **_: Any) -> None:
    delivery = delivery_of(self.request)
    work = MlMessage.parse(message)
    with _attempt(work, delivery=delivery):
        work_ml(message=work, delivery=delivery, worker=self.request.hostname, at=clock.now())


@contextmanager
def _attempt(message: Message, *, delivery: Delivery) -> Iterator[None]:
    """Two log lines an attempt, with the ids that follow the file from the upload on; what it says is kept."""
    began = time.monotonic()
    ids = {
        "request_id": delivery.request_id,
        "job_id": delivery.job_id,
        "dataset_id": str(message.dataset_id),
        "department": message.department,
        "stage": message.job_type,
        "attempt": delivery.receive_count,
    }
    with department_scope(message.department), structlog.contextvars.bound_contextvars(**ids):
        try:
            with lines.kept(**ids) as said:
                log.info("stage_started")
                try:
                    yield
                except Exception as error:
                    reason = f"{getattr(error, 'code', type(error).__name__)}: {error}"
                    # A person can act on an anticipated error; for any other the trace is what an operator needs.
                    log.warning(
                        "stage_ended",
                        status="failed",
                        duration_ms=_since(began),
                        error=reason[:500],
                        exc_info=not isinstance(error, AnticipatedError),
                    )
                    raise StageFailed(reason[:500]) from None
                else:
                    log.info("stage_ended", status="succeeded", duration_ms=_since(began))
        finally:
            # Its place in the line may be free now. The next file does not wait for what this one has logged.
            pass_on(message.department)
            keep_log(said, at=clock.now())


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


@worker_init.connect
def remember_worker(sender: Any = None, **_: Any) -> None:
    """The parent's failure signal does not say whose child it was; the name under which it claims does."""
    _this_worker["name"] = sender.hostname


@task_failure.connect
def note_lost_child(
    sender: Any = None, task_id: str = "", exception: BaseException | None = None, args: Any = None, **_: Any
) -> None:
    """A killed child, or one over a hard limit, could not write its reason: the parent does."""
    if sender.name not in names.TASK_OF_QUEUE.values() or isinstance(exception, StageFailed) or exception is None:
        return
    # Only of a lost child: a child forked after a kill has inherited a note of it, which is the parent's to take.
    ended = why_ended(task_id) if isinstance(exception, WorkerLostError) else None
    message = MESSAGE_OF_JOB_TYPE[args[0]["job_type"]].parse(args[0])
    # After a hard time limit Celery tells nothing of the delivery; the dataset is always known.
    delivery = delivery_of(sender.request)
    if delivery.asks_help:
        # Whoever has called goes on, with the split that is free again after a while.
        log.warning("help_lost", job_id=delivery.job_id, error=str(ended or exception)[:500])
        return
    log.error(
        "stage_lost",
        status="failed",
        request_id=delivery.request_id,
        job_id=delivery.job_id,
        dataset_id=str(message.dataset_id),
        department=message.department,
        stage=message.job_type,
        error=str(ended or exception)[:500],
    )
    try:
        with department_scope(message.department):
            fail_lost(message=message, worker=_this_worker["name"], error=ended or exception, at=clock.now())
    finally:
        # The parent forks: a connection left open here would be shared with the next child.
        connections.close_all()
