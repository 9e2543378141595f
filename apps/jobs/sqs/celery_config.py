"""The complete Celery configuration for SQS, and what a worker checks before it takes a message."""

import logging
import os
import time
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from celery import Celery, bootsteps
from kombu import Queue as CeleryQueue

from apps.jobs.sqs import names
from apps.jobs.sqs.messages import InvalidMessage
from apps.jobs.sqs.pins import UnpinnedVersion, check_pins
from apps.jobs.sqs.queues import QueueNotReady, require_redrive_policy
from apps.jobs.sqs.settings import SqsSettings
from apps.jobs.sqs.stopping import GracefulStop
from apps.jobs.sqs.visibility import VisibilityHeartbeat

logger = logging.getLogger(__name__)

_GUARD_TRIES = 15
_GUARD_RETRY_SECONDS = 2


def celery_settings(settings: SqsSettings) -> dict[str, Any]:
    """All that Celery must be told; why each value is what it is stands beside it."""
    endpoint = urlsplit(settings.endpoint_url or "")
    return {
        "sqs": settings,  # read by the worker's own steps
        "broker_url": _broker_url(settings),
        "broker_transport": "apps.jobs.sqs.transport:Transport",
        "broker_transport_options": {
            "region": settings.region,
            "is_secure": endpoint.scheme != "http",
            # Also how long an idle worker may take to stop.
            "wait_time_seconds": settings.wait_seconds,
            # The default of 1 s throttles a worker whose prefetch is full to 2 tasks per second.
            "polling_interval": 0,
            # kombu then makes no queue: provisioning does, with redrive policies.
            "predefined_queues": {
                queue.key: {"url": settings.queue_url(queue), "backoff_policy": settings.backoff_policy}
                for queue in settings.queues.all
            },
            "fetch_message_attributes": {"MessageSystemAttributeNames": ["ApproximateReceiveCount", "SentTimestamp"]},
            # Bodies a person can read in the DLQ.
            "sqs_base64_encoding": False,
            "body_encoding": None,
            "client-config": {"connect_timeout": 3, "read_timeout": 10, "retries": {"total_max_attempts": 2}},
            "departments": settings.departments,
        },
        "broker_connection_retry_on_startup": True,
        "task_queues": [CeleryQueue(queue.key, routing_key=queue.key) for queue in settings.queues.all],
        "task_routes": {task: {"queue": queue} for queue, task in names.TASK_OF_QUEUE.items()},
        "task_default_queue": names.ETL,
        "task_default_routing_key": names.ETL,
        "task_default_exchange": "",
        "task_create_missing_queues": False,
        # Retries belong to SQS: what raises, hangs or dies stays in the queue and is counted there.
        "task_acks_late": True,
        "task_acks_on_failure": False,
        "task_acks_on_timeout": False,
        # Counter-intuitive: with True a killed child's message skips the back-off and no failure signal fires.
        "task_reject_on_worker_lost": False,
        # A prefetched message burns a receive at every deploy.
        "worker_prefetch_multiplier": 1,
        # Without limits a hung task would hold its child for ever. Both in one place, or Celery refuses to send; the
        # general ones are for the task of refused messages.
        "task_annotations": {
            task: {
                "soft_time_limit": settings.time_limits(queue_key).soft,
                "time_limit": settings.time_limits(queue_key).hard,
            }
            for queue_key, task in names.TASK_OF_QUEUE.items()
        },
        "task_soft_time_limit": settings.ml_time_limits.soft,
        "task_time_limit": settings.ml_time_limits.hard,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        # SQS has no broadcast: control and events would ask for queues that do not exist.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
    }


def install(app: Celery) -> None:
    """Give `app`, configured with `celery_settings`, the steps and the task that the transport counts on."""
    app.steps["worker"].add(QueueGuard)
    app.steps["worker"].add(GracefulStop)
    app.steps["consumer"].add(VisibilityHeartbeat)
    app.task(_invalid_message, name=names.INVALID_TASK)
    app.task(_noted_message, name=names.NOTED_TASK)


class QueueGuard(bootsteps.Step):
    """Worker step: no start with unproven versions, or on a queue that would lose its failing messages."""

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        try:
            check_pins()
            settings: SqsSettings = worker.app.conf["sqs"]
            consumed = worker.app.amqp.queues.consume_from
            for queue in settings.queues.all:
                if queue.key in consumed:
                    _wait_for(settings, queue_key=queue.key)
        except (QueueNotReady, UnpinnedVersion) as refusal:
            logger.critical("the worker does not start: %s", refusal)
            # Not a failure a restart mends: the code tells the supervisor to leave it to a person.
            raise SystemExit(os.EX_CONFIG) from refusal


def _wait_for(settings: SqsSettings, *, queue_key: str) -> None:
    """Check one queue; an endpoint that does not answer yet is asked again for half a minute."""
    queue = next(queue for queue in settings.queues.all if queue.key == queue_key)
    client = settings.client(connect_timeout=2, read_timeout=5, attempts=1)
    for attempt in range(1, _GUARD_TRIES + 1):
        try:
            require_redrive_policy(client, queue=queue, max_receives=settings.max_receives)
        except (BotoCoreError, ClientError) as error:
            logger.warning("SQS does not answer for the queue %s (try %d): %s", queue.name, attempt, error)
            if attempt == _GUARD_TRIES:
                raise QueueNotReady(
                    code="queue-unreachable",
                    message=f"The queue {queue.name} could not be read in {_GUARD_TRIES} tries: {error}.",
                    hint="Check the endpoint, the credentials and the right to sqs:GetQueueAttributes.",
                ) from error
            time.sleep(_GUARD_RETRY_SECONDS)
        else:
            return


def _invalid_message(message: dict[str, str]) -> None:
    """Fail for a message the transport refused, at every receive, until SQS moves the original to the DLQ."""
    raise InvalidMessage(message["reason"])


def _noted_message(message: dict[str, str]) -> None:
    """End well, so that the message is acknowledged."""
    logger.info("a message of the queue asks for no work: %s", message["reason"])


def _broker_url(settings: SqsSettings) -> str:
    keys = ""
    if settings.access_key and settings.secret_key:
        keys = f"{quote(settings.access_key, safe='')}:{quote(settings.secret_key, safe='')}@"
    return f"sqs://{keys}{urlsplit(settings.endpoint_url or '').netloc}"
