"""A file's way from upload to insight, stage by stage, on real PostgreSQL and in-process S3 and SQS."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from aetherflow.errors import ConflictError
from aetherflow.registry import departments
from apps.accounts.models import User
from apps.datasets.models import Dataset, Reject
from apps.datasets.selectors import clean_rows
from apps.datasets.storage import raw_storage
from apps.insights.models import Insight
from apps.jobs.models import Job, JobStatus, Stage, State
from apps.jobs.services.again import reprocess, retry
from tests.accounts.factories import UserFactory
from tests.jobs.files import row, sales
from tests.jobs.steps import rows_of, work_failing

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("partition"),
]


@pytest.mark.parametrize("department", sorted(departments()))
def test_a_good_file_becomes_rows_and_insights(
    department: str, upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    job = upload(by=UserFactory(department=department))
    work()
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED, list(job.stages.values())
    dataset = job.dataset
    dataset.refresh_from_db()
    assert dataset.rows_loaded == clean_rows(dataset).count() > 0
    assert {insight.kind for insight in Insight.objects.filter(dataset=dataset)} == {
        insight.kind for insight in departments()[department].insights
    }
    etl = job.stages.get(stage=Stage.ETL)
    assert (etl.rows_read, etl.rows_loaded) == (dataset.rows_read, dataset.rows_loaded)
    assert [event.target for event in etl.events.all()] == ["queued", "processing", "succeeded"]


def test_rows_are_typed_and_know_their_line(upload: Callable[..., Job], work: Callable[[], None]) -> None:
    job = upload(sales(row(1), "", row(2, quantity="3", price='"1,250.50"')))
    work()
    rows = list(rows_of(job))
    assert [(each["line"], each["quantity"], str(each["unit_price"])) for each in rows] == [
        (2, 2, "10.0000"),
        (4, 3, "1250.5000"),
    ]


def test_some_bad_rows_are_kept_aside_with_their_reason(upload: Callable[..., Job], work: Callable[[], None]) -> None:
    job = upload(sales(*(row(n) for n in range(1, 10)), row(10, quantity="many")))
    work()
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED
    reject = Reject.objects.get(dataset=job.dataset)
    assert (reject.line, reject.column, reject.value, reject.code) == (11, "quantity", "many", "type-error")
    assert reject.message
    assert reject.hint
    assert reject.cells[0] == "T-10"
    dataset = Dataset.objects.get(pk=job.dataset_id)
    assert dataset.counts() == {"read": 10, "loaded": 9, "rejected": 1, "duplicate": 0}
    assert dataset.rejects_by_code == {"type-error": 1}


def test_too_many_bad_rows_refuse_the_file_and_show_them_all(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(row(1), row(2, quantity="x"), row(3, quantity="y")))
    run = work_failing(job, sqs)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert run.error_code == "too-many-rejects"
    assert (run.rows_read, run.rows_loaded, run.rows_rejected) == (3, 0, 2)
    assert (run.attempts, run.max_attempts) == (1, 3)
    assert not run.dead_lettered
    assert rows_of(job).count() == 0
    assert Reject.objects.filter(dataset=job.dataset).count() == 2


def test_on_error_refuse_refuses_for_one_bad_row(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(*(row(n) for n in range(1, 30)), row(30, quantity="x")), on_error="refuse")
    run = work_failing(job, sqs)
    assert run.state == State.FAILED
    assert run.rows_rejected == 1
    assert rows_of(job).count() == 0


def test_the_last_attempt_says_that_the_message_is_dead_lettered(upload: Callable[..., Job], sqs: Any) -> None:
    run = work_failing(upload(b"no;such;columns\n1;2;3\n"), sqs, receive_count=3)
    assert run.error_code == "missing-label"
    assert run.dead_lettered


def test_a_reprocessed_dataset_replaces_its_rows(upload: Callable[..., Job], work: Callable[[], None]) -> None:
    job = upload(sales(row(1), row(2)))
    work()
    again = reprocess(dataset=job.dataset, first=Stage.ETL, by=None, at=timezone.now())
    work()
    again.refresh_from_db()
    assert again.status == JobStatus.SUCCEEDED
    assert rows_of(job).count() == 2
    assert Insight.objects.filter(dataset=job.dataset).count() == 1


def test_a_job_that_waits_to_be_tried_again_is_told_that_a_newer_one_has_taken_over(
    upload: Callable[..., Job], work: Callable[[], None], sqs: Any
) -> None:
    job = upload(sales(row(1)))
    raw = raw_storage().stream(job.dataset.key)
    content = b"".join(raw)
    raw_storage().delete(job.dataset.key)
    failed = work_failing(job, sqs)
    assert not failed.dead_lettered
    assert failed.error_hint.startswith("The platform tries again by itself.")
    raw_storage().save(job.dataset.key, ContentFile(content))
    reprocess(dataset=job.dataset, first=Stage.ETL, by=None, at=timezone.now())
    failed.refresh_from_db()
    assert failed.error_hint == "A newer job of the upload has taken over: look at that one."
    work()
    assert rows_of(job).count() == 1
    failed.refresh_from_db()
    assert failed.state == State.FAILED


def test_a_failed_job_is_retried_from_the_stage_that_failed(
    upload: Callable[..., Job], work: Callable[[], None], sqs: Any, seller: User
) -> None:
    job = upload(sales(row(1)))
    content = raw_storage().open(job.dataset.key).read()
    raw_storage().delete(job.dataset.key)
    run = work_failing(job, sqs)
    assert run.error_code == "storage-unavailable"

    raw_storage().save(job.dataset.key, ContentFile(content))
    retried = retry(job=job, by=seller, at=timezone.now())
    assert retried.status == JobStatus.QUEUED
    work()
    retried.refresh_from_db()
    assert retried.status == JobStatus.SUCCEEDED
    assert job.stages.get(stage=Stage.ETL).error_code == ""
    with pytest.raises(ConflictError):
        retry(job=job, by=seller, at=timezone.now())


def test_a_job_is_not_retried_beside_another_one_of_its_upload(
    upload: Callable[..., Job], sqs: Any, seller: User
) -> None:
    """Of two machines' clocks the other job's may be behind, so that it does not look newer."""
    job = upload(sales(row(1)))
    raw_storage().delete(job.dataset.key)
    work_failing(job, sqs)
    other = reprocess(dataset=job.dataset, first=Stage.ETL, by=seller, at=job.created_at - timedelta(minutes=1))
    with pytest.raises(ConflictError, match="is being worked on already"):
        retry(job=job, by=seller, at=timezone.now())
    other.refresh_from_db()
    assert other.status == JobStatus.QUEUED
