"""What must never be is refused by the database itself, whatever code writes it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.insights.models import Insight
from apps.jobs.models import Cause, Job, JobStatus, Stage, StageRun, StageTally, State

pytestmark = pytest.mark.django_db

_AT = datetime(2026, 11, 2, 8, tzinfo=UTC)


@pytest.fixture
def run(django_user_model: type[User]) -> StageRun:
    """The queued ETL run of an upload's only job."""
    by = django_user_model.objects.create(email="ada@example.com", department="sales", created_at=_AT)
    dataset = Dataset.objects.create(
        department="sales",
        name="week 12",
        original_filename="week 12.csv",
        bucket="raw",
        key="raw/sales/week 12.csv",
        size_bytes=1,
        sha256="",
        max_reject_share=0.5,
        uploaded_by=by,
        uploaded_at=_AT,
    )
    return StageRun.objects.create(
        job=job_of(dataset), department="sales", stage=Stage.ETL, max_attempts=3, queued_at=_AT, send_after=_AT
    )


def job_of(dataset: Dataset, **columns: Any) -> Job:
    return Job.objects.create(
        dataset=dataset, department="sales", cause=Cause.UPLOAD, stage=Stage.ETL, created_at=_AT, **columns
    )


def runs(run: StageRun, **columns: Any) -> None:
    StageRun.objects.filter(pk=run.pk).update(**columns)


def jobs(run: StageRun, **columns: Any) -> None:
    Job.objects.filter(pk=run.job_id).update(**columns)


def datasets(run: StageRun, **columns: Any) -> None:
    Dataset.objects.filter(pk=run.job.dataset_id).update(**columns)


def a_second_run_of_the_stage(run: StageRun) -> None:
    StageRun.objects.create(
        job=run.job, department="sales", stage=run.stage, max_attempts=3, queued_at=_AT, send_after=_AT
    )


def the_same_insight_twice(run: StageRun) -> None:
    for _ in range(2):
        Insight.objects.create(
            department="sales", kind="revenue_forecast", dataset=run.job.dataset, computed_at=_AT, summary="", data={}
        )


def the_same_tally_twice(_: StageRun) -> None:
    for _ in range(2):
        StageTally.objects.create(stage=Stage.ETL, department="sales", outcome="failed", duration_buckets=[0] * 12)


ILLEGAL: dict[str, Callable[[StageRun], object]] = {
    "a run that succeeded at no time": lambda run: runs(run, state=State.SUCCEEDED),
    "a run that failed at no time": lambda run: runs(run, state=State.FAILED, error_message="x"),
    "a queued run that has ended": lambda run: runs(run, finished_at=_AT),
    "a run in work that has ended": lambda run: runs(run, state=State.PROCESSING, finished_at=_AT),
    "a run that failed for no reason": lambda run: runs(run, state=State.FAILED, finished_at=_AT),
    "a second run of a job's stage": a_second_run_of_the_stage,
    "a job that succeeded at no time": lambda run: jobs(run, status=JobStatus.SUCCEEDED),
    "a job under way that has ended": lambda run: jobs(run, status=JobStatus.PROCESSING, finished_at=_AT),
    "a second job under way for a dataset": lambda run: job_of(run.job.dataset),
    "rows that do not add up": lambda run: datasets(run, rows_read=3, rows_loaded=1, rows_rejected=1),
    "an upload undone by nobody": lambda run: datasets(run, deleted_at=_AT),
    "an upload that is undone at no time": lambda run: datasets(run, deleted_by=run.job.dataset.uploaded_by),
    "a share of rejects above all": lambda run: datasets(run, max_reject_share=1.1),
    "the same kind of insight twice for a dataset": the_same_insight_twice,
    "two tallies of one outcome": the_same_tally_twice,
}


@pytest.mark.parametrize("what", ILLEGAL)
def test_the_database_refuses(run: StageRun, what: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ILLEGAL[what](run)


def test_a_second_job_is_taken_once_the_first_has_ended(run: StageRun) -> None:
    jobs(run, status=JobStatus.FAILED, finished_at=_AT)
    job_of(run.job.dataset)
    assert Job.objects.count() == 2
