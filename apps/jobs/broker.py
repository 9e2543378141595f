"""This installation's queues, and the Celery application that sends to them, from the settings."""

from functools import cache
from typing import TYPE_CHECKING

from celery import Celery
from django.conf import settings

from aetherflow.registry import departments
from apps.jobs.sqs import celery_config
from apps.jobs.sqs.settings import SqsSettings, TimeLimits

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def sqs_settings() -> SqsSettings:
    limits = {stage: TimeLimits(soft=soft, hard=hard) for stage, (soft, hard) in settings.STAGE_TIME_LIMITS.items()}
    return SqsSettings(
        region=settings.AWS_REGION,
        endpoint_url=settings.AWS_ENDPOINT_URL_SQS,
        queue_url_base=settings.QUEUE_URL_BASE,
        queue_prefix=settings.QUEUE_PREFIX,
        visibility_seconds=settings.QUEUE_VISIBILITY_SECONDS,
        max_receives=settings.QUEUE_MAX_RECEIVES,
        backoff_seconds=settings.QUEUE_BACKOFF_SECONDS,
        wait_seconds=settings.QUEUE_WAIT_SECONDS,
        etl_time_limits=limits["etl"],
        ml_time_limits=limits["ml"],
        stop_seconds=settings.WORKER_STOP_SECONDS,
        departments=frozenset(departments()),
    )


@cache
def quick_client(sqs: SqsSettings) -> "SQSClient":
    """For a page that somebody waits for: one try, and short waits. Kept, since a new one asks for the role's
    credentials anew, and costs more than the question."""
    return sqs.client(connect_timeout=2, read_timeout=3, attempts=1)


def _application() -> Celery:
    application = Celery("aetherflow")
    application.conf.update(celery_config.celery_settings(sqs_settings()))
    celery_config.install(application)
    application.autodiscover_tasks(["apps.jobs"])
    application.set_default()
    return application


app = _application()
