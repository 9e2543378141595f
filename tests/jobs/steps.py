"""One delivery of one message, as a worker works it."""

from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from aetherflow.errors import AnticipatedError
from apps.datasets.models import Dataset
from apps.datasets.selectors import clean_rows
from apps.jobs.models import Job, Stage, StageRun
from apps.jobs.services.etl import Following, work_etl
from apps.jobs.services.ml import work_ml
from apps.jobs.sqs.messages import EtlMessage, MlMessage
from tests.jobs.line import delivery, messages_of


def taken(sqs: Any) -> tuple[EtlMessage, dict[str, Any]]:
    """The one message of the ETL queue and its headers; it is taken out."""
    ((message, headers),) = messages_of(sqs, "etl")
    return EtlMessage.parse(message), headers


def deliver(
    message: EtlMessage, headers: dict[str, Any], *, worker: str = "etl@test", **options: Any
) -> Following | None:
    return work_etl(message=message, delivery=delivery(headers, **options), worker=worker, at=timezone.now())


def compute(message: MlMessage, headers: dict[str, Any], **options: Any) -> None:
    work_ml(message=message, delivery=delivery(headers, **options), worker="ml@test", at=timezone.now())


def worked(sqs: Any) -> tuple[MlMessage, dict[str, Any]]:
    """The ETL stage done; what the ML worker then receives."""
    message, headers = taken(sqs)
    following = deliver(message, headers)
    assert following is not None
    return following.message, headers


def work_failing(job: Job, sqs: Any, **options: Any) -> StageRun:
    """Work the queue's one message, which fails for a reason a person can act on; the run as it then is."""
    message, headers = taken(sqs)
    with pytest.raises(AnticipatedError):
        deliver(message, headers, **options)
    return job.stages.get(stage=Stage.ETL)


def rows_of(job: Job) -> QuerySet[Any, dict[str, Any]]:
    """The clean rows of the job's dataset, wherever they stand by now."""
    return clean_rows(Dataset.objects.get(pk=job.dataset_id))


def foreign(dataset: Dataset, **changes: str) -> EtlMessage:
    """The message another producer would send for the dataset's file."""
    return EtlMessage.parse(
        {
            "job_type": "etl",
            "dataset_id": str(dataset.pk),
            "department": dataset.department,
            "s3_bucket": dataset.bucket,
            "s3_key": dataset.key,
            "requested_by": str(dataset.uploaded_by_id),
            "requested_at": "2026-11-23T12:00:00+00:00",
        }
        | changes
    )
