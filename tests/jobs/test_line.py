"""A file's way from upload to insight, stage by stage, on real PostgreSQL and in-process S3 and SQS."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone

from aetherflow.errors import AnticipatedError, ConflictError, InvalidError
from aetherflow.registry import departments
from apps.accounts.models import User
from apps.datasets.models import Dataset, Reject, clean_table
from apps.datasets.selectors import clean_rows, current_rows
from apps.datasets.storage import raw_storage
from apps.insights.models import Insight
from apps.jobs.models import Job, JobStatus, Stage, StageRun, State
from apps.jobs.services import etl as stage
from apps.jobs.services.again import reprocess, retry, undo
from apps.jobs.services.dispatch import recover, relay, rescue
from apps.jobs.services.etl import work_etl
from apps.jobs.services.ml import work_ml
from apps.jobs.sqs.messages import EtlMessage
from tests.accounts.factories import UserFactory
from tests.jobs.line import delivery, messages_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

HEADER = (
    "transaction_id,date,store_id,region,product_category,sku,quantity,unit_price,"
    "discount_pct,customer_segment,payment_method\n"
)


def sales(*rows: str) -> bytes:
    return (HEADER + "".join(f"{row}\n" for row in rows)).encode()


def row(number: int = 1, *, quantity: str = "2", price: str = "10.00", sku: str = "SKU-1") -> str:
    return f"T-{number},2026-03-02,S-1,North,Electronics,{sku},{quantity},{price},0,loyalty,card"


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
    rows = list(clean_rows(job.dataset))
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


def work_failing(job: Job, sqs: Any, **options: Any) -> StageRun:
    ((message, headers),) = messages_of(sqs, "etl")
    with pytest.raises(AnticipatedError):
        work_etl(
            message=EtlMessage.parse(message), delivery=delivery(headers, **options), worker="w", at=timezone.now()
        )
    return job.stages.get(stage=Stage.ETL)


def test_too_many_bad_rows_refuse_the_file_and_show_them_all(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(row(1), row(2, quantity="x"), row(3, quantity="y")))
    run = work_failing(job, sqs)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert run.error_code == "too-many-rejects"
    assert (run.rows_read, run.rows_rejected, run.attempts, run.max_attempts) == (3, 2, 1, 3)
    assert not run.dead_lettered
    assert clean_rows(job.dataset).count() == 0
    assert Reject.objects.filter(dataset=job.dataset).count() == 2


def test_on_error_refuse_refuses_for_one_bad_row(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(*(row(n) for n in range(1, 30)), row(30, quantity="x")), on_error="refuse")
    run = work_failing(job, sqs)
    assert run.state == State.FAILED
    assert run.rows_rejected == 1
    assert clean_rows(job.dataset).count() == 0


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
    assert clean_rows(job.dataset).count() == 2
    assert Insight.objects.filter(dataset=job.dataset).count() == 1


def test_a_delivery_of_a_done_stage_does_no_work_and_gives_the_chain_its_message(
    upload: Callable[..., Job], sqs: Any
) -> None:
    job = upload(sales(row(1)))
    ((message, headers),) = messages_of(sqs, "etl")
    etl = EtlMessage.parse(message)
    first = work_etl(message=etl, delivery=delivery(headers), worker="w", at=timezone.now())
    before = StageRun.objects.get(job=job, stage=Stage.ETL)
    again = work_etl(message=etl, delivery=delivery(headers, receive_count=2), worker="w", at=timezone.now())
    after = StageRun.objects.get(job=job, stage=Stage.ETL)
    assert again is not None
    assert first is not None
    assert again.dataset_id == first.dataset_id
    assert (before.token, before.finished_at) == (after.token, after.finished_at)


def test_the_ml_message_twice_computes_once(upload: Callable[..., Job], sqs: Any) -> None:
    upload(sales(row(1)))
    ((message, headers),) = messages_of(sqs, "etl")
    following = work_etl(message=EtlMessage.parse(message), delivery=delivery(headers), worker="w", at=timezone.now())
    assert following is not None
    for _ in range(2):
        work_ml(message=following, delivery=delivery(headers), worker="w", at=timezone.now())
    assert Insight.objects.count() == 1
    assert StageRun.objects.get(stage=Stage.ML).token == 1


def test_a_later_upload_supersedes_and_undoing_it_brings_the_older_row_back(
    upload: Callable[..., Job], work: Callable[[], None], seller: User
) -> None:
    upload(sales(row(1, price="10.00"), row(2, price="5.00")))
    work()
    newer = upload(sales(row(1, price="99.00")))
    work()

    def prices() -> list[float]:
        return sorted(current_rows("sales", columns=("unit_price",))["unit_price"].tolist())

    assert prices() == [5.0, 99.0]
    recompute = undo(dataset=newer.dataset, by=seller, at=timezone.now(), request_id="request-0002")
    assert prices() == [5.0, 10.0]
    assert recompute is not None
    assert not Insight.objects.filter(dataset=newer.dataset).exists()
    work()
    recompute.refresh_from_db()
    assert recompute.status == JobStatus.SUCCEEDED
    (insight,) = Insight.objects.all()
    assert insight.basis["rows"] == 2


def test_undoing_twice_changes_nothing_more(upload: Callable[..., Job], work: Callable[[], None], seller: User) -> None:
    job = upload(sales(row(1)))
    work()
    for _ in range(2):
        undo(dataset=job.dataset, by=seller, at=timezone.now(), request_id="request-0002")
    assert clean_table("sales")._default_manager.count() == 0
    assert raw_storage().exists(job.dataset.key)


def test_an_upload_undone_while_queued_is_never_worked(upload: Callable[..., Job], sqs: Any, seller: User) -> None:
    job = upload(sales(row(1)))
    undo(dataset=job.dataset, by=seller, at=timezone.now(), request_id="request-0002")
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    ((message, headers),) = messages_of(sqs, "etl")
    assert (
        work_etl(message=EtlMessage.parse(message), delivery=delivery(headers), worker="w", at=timezone.now()) is None
    )
    assert clean_rows(job.dataset).count() == 0


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


def test_a_message_seen_again_takes_over_and_the_former_worker_cannot_finish(
    upload: Callable[..., Job], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1)))
    ((message, headers),) = messages_of(sqs, "etl")
    etl = EtlMessage.parse(message)

    load = stage._load

    def load_slowly(run: StageRun, **rest: Any) -> bool:
        """While the first worker is at it, SQS gives the message to a second one, which finishes."""
        monkeypatch.setattr(stage, "_load", load)
        work_etl(
            message=etl, delivery=delivery(headers, message_id="m-1", receive_count=2), worker="b", at=timezone.now()
        )
        return load(run, **rest)

    monkeypatch.setattr(stage, "_load", load_slowly)
    with pytest.raises(Exception, match="not ours any more"):
        work_etl(message=etl, delivery=delivery(headers, message_id="m-1"), worker="a", at=timezone.now())
    run = job.stages.get(stage=Stage.ETL)
    assert (run.state, run.worker, run.token) == (State.SUCCEEDED, "b", 2)
    assert clean_rows(job.dataset).count() == 1


def test_another_message_for_a_stage_in_work_changes_nothing(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(row(1)))
    ((message, headers),) = messages_of(sqs, "etl")
    StageRun.objects.filter(job=job).update(state=State.PROCESSING, message_id="m-1", token=1, worker="a")
    answer = work_etl(
        message=EtlMessage.parse(message), delivery=delivery(headers, message_id="m-2"), worker="b", at=timezone.now()
    )
    assert answer is None
    assert StageRun.objects.get(job=job).worker == "a"


def foreign(dataset: Dataset, **changes: str) -> EtlMessage:
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


def test_a_foreign_message_for_a_known_dataset_gets_a_job_of_its_own(
    upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    job = upload(sales(row(1)))
    work()
    incoming = delivery(message_id=str(uuid.uuid4()))
    for _ in range(2):
        work_etl(message=foreign(job.dataset), delivery=incoming, worker="w", at=timezone.now())
    (own,) = Job.objects.filter(dataset=job.dataset, cause="message")
    assert own.stages.get(stage=Stage.ETL).state == State.SUCCEEDED
    assert own.stages.get(stage=Stage.ML).state == State.QUEUED


def test_a_foreign_message_for_a_file_in_the_bucket_records_the_dataset(sqs: Any, seller: User) -> None:

    dataset_id = uuid.uuid4()
    key = f"raw/sales/{dataset_id}/nightly.csv"
    raw_storage().save(key, ContentFile(sales(row(1), row(2))))
    shape = Dataset(pk=dataset_id, department="sales", bucket=settings.RAW_BUCKET, key=key, uploaded_by_id=seller.pk)
    work_etl(message=foreign(shape), delivery=delivery(), worker="w", at=timezone.now())
    dataset = Dataset.objects.get(pk=dataset_id)
    assert (dataset.uploaded_by, dataset.rows_loaded, dataset.name) == (seller, 2, "nightly.csv")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"s3_bucket": "another-bucket"}, "unknown-bucket"),
        ({"s3_key": "raw/sales/{id}/other.csv"}, "message-mismatch"),
        ({"department": "finance", "s3_key": "raw/finance/{id}/upload.csv"}, "message-mismatch"),
    ],
)
def test_a_foreign_message_that_does_not_fit_its_dataset_is_refused(
    upload: Callable[..., Job], changes: dict[str, str], code: str
) -> None:
    dataset = upload(sales(row(1))).dataset
    fitted = {key: value.format(id=dataset.pk) for key, value in changes.items()}
    with pytest.raises(InvalidError) as refused:
        work_etl(message=foreign(dataset, **fitted), delivery=delivery(), worker="w", at=timezone.now())
    assert refused.value.code == code


def test_a_stranger_cannot_bring_files_in(sqs: Any) -> None:
    other = UserFactory(department="finance")
    dataset_id = uuid.uuid4()
    shape = Dataset(
        pk=dataset_id,
        department="sales",
        bucket=settings.RAW_BUCKET,
        key=f"raw/sales/{dataset_id}/x.csv",
        uploaded_by_id=other.pk,
    )
    with pytest.raises(InvalidError) as refused:
        work_etl(message=foreign(shape), delivery=delivery(), worker="w", at=timezone.now())
    assert refused.value.code == "unknown-requester"
    assert not Dataset.objects.exists()


def test_the_relay_sends_what_the_direct_send_lost_and_nothing_else(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(row(1)))
    messages_of(sqs, "etl")
    now = timezone.now()
    assert relay(at=now + timedelta(hours=1)) == 0
    StageRun.objects.filter(job=job).update(dispatched_at=None)
    assert relay(at=now) == 0, "within the grace of the direct send"
    assert relay(at=now + timedelta(seconds=settings.RELAY_GRACE_SECONDS + 1)) == 1
    ((message, headers),) = messages_of(sqs, "etl")
    assert (message["dataset_id"], headers["job_id"]) == (str(job.dataset_id), str(job.pk))


def test_what_no_worker_can_still_hold_is_queued_again(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(row(1)))
    started = datetime(2026, 1, 1, tzinfo=UTC)
    StageRun.objects.filter(job=job).update(state=State.PROCESSING, started_at=started, token=1)
    assert rescue(at=started + timedelta(minutes=5)) == 0
    assert rescue(at=started + timedelta(days=1)) == 1
    run = job.stages.get(stage=Stage.ETL)
    assert (run.state, run.dispatched_at) == (State.QUEUED, None)


def test_after_the_queues_are_lost_every_unfinished_stage_is_sent_again(
    upload: Callable[..., Job], sqs: Any, work: Callable[[], None]
) -> None:
    waiting = upload(sales(row(1)))
    working = upload(sales(row(2)))
    messages_of(sqs, "etl")
    StageRun.objects.filter(job=working).update(state=State.PROCESSING, token=1, started_at=timezone.now())
    assert recover(at=timezone.now()) == 2
    assert relay(at=timezone.now()) == 2
    work()
    assert {job.status for job in Job.objects.filter(pk__in=[waiting.pk, working.pk])} == {JobStatus.SUCCEEDED}
