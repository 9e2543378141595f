"""Undo is complete, co-operative and brings back what was superseded, whatever is under way."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from aetherflow.errors import ConflictError
from apps.accounts.models import User
from apps.datasets.current import current_rows
from apps.datasets.models import Dataset, Reject, clean_table
from apps.datasets.services import clear_undone, lock_department, mark_undone
from apps.datasets.storage import raw_storage
from apps.insights.models import Insight
from apps.jobs.models import Job, JobStatus, Stage, State
from apps.jobs.services import etl as stage
from apps.jobs.services import ml as ml_stage
from apps.jobs.services.again import reprocess, undo
from apps.jobs.services.claims import claim
from tests.accounts.blocking import wait_for_blocked_backends
from tests.jobs.beside import in_another_connection
from tests.jobs.files import row, sales
from tests.jobs.line import delivery
from tests.jobs.steps import deliver, rows_of, taken, work_failing

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("partition"),
]


def undoing(job: Job, *, by: User) -> Job | None:
    return undo(dataset=job.dataset, by=by, at=timezone.now(), request_id="request-0002")


def prices() -> list[float]:
    return sorted(current_rows("sales", columns=("unit_price",))["unit_price"].tolist())


def test_a_later_upload_supersedes_and_undoing_it_brings_the_older_row_back(
    upload: Callable[..., Job], work: Callable[[], None], seller: User
) -> None:
    upload(sales(row(1, price="10.00"), row(2, price="5.00")))
    work()
    newer = upload(sales(row(1, price="99.00")))
    work()
    assert prices() == [5.0, 99.0]
    recompute = undoing(newer, by=seller)
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
        undoing(job, by=seller)
    assert clean_table("sales")._default_manager.count() == 0
    assert raw_storage().exists(job.dataset.key), "kept until its retention ends"


def test_an_upload_undone_while_queued_is_never_worked(upload: Callable[..., Job], sqs: Any, seller: User) -> None:
    job = upload(sales(row(1)))
    undoing(job, by=seller)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.stages.get().error_code == "upload-undone"
    assert deliver(*taken(sqs)) is None
    assert rows_of(job).count() == 0


def test_an_upload_undone_while_a_worker_claims_it_is_left_to_the_worker(
    upload: Callable[..., Job], sqs: Any, seller: User
) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    with transaction.atomic():
        claim(job.stages.get(), delivery=delivery(headers, message_id="m"), worker="w", at=timezone.now())
        thread = in_another_connection(lambda: undoing(job, by=seller))
        wait_for_blocked_backends(1)
    thread.join(20)
    assert Dataset.objects.get(pk=job.dataset_id).deleted_at is not None
    assert job.stages.get().state == State.PROCESSING
    assert deliver(message, headers, message_id="m", receive_count=2) is None
    assert job.stages.get().error_code == "upload-undone"
    assert rows_of(job).count() == 0


def test_an_upload_undone_while_its_rows_are_loaded_leaves_none(
    upload: Callable[..., Job], sqs: Any, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1), row(2)))
    load = stage.replace_rows

    def load_and_undo(**arguments: Any) -> Any:
        counts = load(**arguments)
        in_another_connection(lambda: undoing(job, by=seller)).join(20)
        return counts

    monkeypatch.setattr(stage, "replace_rows", load_and_undo)
    assert deliver(*taken(sqs)) is None
    run = job.stages.get()
    assert (run.state, run.error_code) == (State.FAILED, "upload-undone")
    assert rows_of(job).count() == 0


def test_undo_and_a_reload_of_the_same_upload_do_not_block_each_other(
    upload: Callable[..., Job], work: Callable[[], None], sqs: Any, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1), row(2)))
    work()
    reprocess(dataset=job.dataset, first=Stage.ETL, by=None, at=timezone.now())
    load = stage.replace_rows
    threads = []

    def load_while_undoing(**arguments: Any) -> Any:
        """The reload holds the old rows; the undo comes in between and has to wait for them."""
        counts = load(**arguments)
        threads.append(in_another_connection(lambda: undoing(job, by=seller)))
        threads[0].join(1)
        return counts

    monkeypatch.setattr(stage, "replace_rows", load_while_undoing)
    assert deliver(*taken(sqs)) is None
    threads[0].join(20)
    assert not threads[0].is_alive()
    assert rows_of(job).count() == 0
    assert set(Job.objects.exclude(cause="upload").values_list("status", flat=True)) == {JobStatus.FAILED}


def test_an_undone_upload_whose_worker_died_ends_when_its_message_comes_again(
    upload: Callable[..., Job], sqs: Any, seller: User
) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    claim(job.stages.get(), delivery=delivery(headers, message_id="m"), worker="w", at=timezone.now())
    undoing(job, by=seller)
    assert deliver(message, headers, message_id="m", receive_count=2) is None
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED


def test_a_refusal_after_the_undo_keeps_nothing_of_the_file(
    upload: Callable[..., Job], sqs: Any, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1), row(2, quantity="secret"), row(3, quantity="x")))
    load = stage.replace_rows

    def load_and_undo(**arguments: Any) -> Any:
        counts = load(**arguments)
        in_another_connection(lambda: undoing(job, by=seller)).join(20)
        return counts

    monkeypatch.setattr(stage, "replace_rows", load_and_undo)
    assert work_failing(job, sqs).error_code == "too-many-rejects"
    assert not Reject.objects.filter(dataset=job.dataset).exists()


def test_insights_that_rest_on_an_undone_upload_go_even_if_nothing_can_recompute_them(
    upload: Callable[..., Job], work: Callable[[], None], sqs: Any, seller: User
) -> None:
    undone = upload(sales(row(1)))
    work()
    other = upload(sales(row(2)))
    work()
    again = reprocess(dataset=other.dataset, first=Stage.ETL, by=None, at=timezone.now())
    assert undoing(undone, by=seller) is None, "the other upload's job is under way"
    raw_storage().delete(other.dataset.key)
    work_failing(again, sqs)
    assert not Insight.objects.exists()


def test_insights_computed_while_an_upload_is_undone_are_computed_again(
    upload: Callable[..., Job], work: Callable[[], None], sqs: Any, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    undone = upload(sales(row(1)))
    work()
    upload(sales(row(2)))
    compute = ml_stage._computed
    seen = []

    def compute_and_undo(*arguments: Any, **options: Any) -> Any:
        computed = compute(*arguments, **options)
        seen.append(computed.rows)
        if len(seen) == 1:
            in_another_connection(lambda: undoing(undone, by=seller)).join(20)
        return computed

    monkeypatch.setattr(ml_stage, "_computed", compute_and_undo)
    work()
    assert seen[:2] == [2, 1]
    assert {tuple(insight.basis["datasets"]) for insight in Insight.objects.all()} == {
        (str(Dataset.objects.get(deleted_at=None).pk),)
    }


def test_insights_that_are_overtaken_again_and_again_are_left_to_the_next_attempt(
    upload: Callable[..., Job], work: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1)))
    monkeypatch.setattr(ml_stage, "_store", lambda *_, **__: False)
    with pytest.raises(ConflictError):
        work()
    run = job.stages.get(stage=Stage.ML)
    assert (run.state, run.error_code) == (State.FAILED, "uploads-changing")
    assert run.error_hint


def test_an_undo_waits_for_insights_that_are_being_stored(
    upload: Callable[..., Job], work: Callable[[], None], seller: User
) -> None:
    """Else it could look for what to recompute before they are there, and they would stay."""
    job = upload(sales(row(1)))
    work()
    with transaction.atomic():
        lock_department("sales", using="default")
        thread = in_another_connection(lambda: undoing(job, by=seller))
        thread.join(1)
        assert thread.is_alive()
    thread.join(20)
    assert Dataset.objects.get(pk=job.dataset_id).deleted_at is not None


def test_what_a_killed_undo_left_counts_no_more_and_is_cleared(
    upload: Callable[..., Job], work: Callable[[], None], seller: User
) -> None:
    job = upload(sales(row(1)))
    work()
    with transaction.atomic():
        mark_undone(dataset=job.dataset, by=seller, at=timezone.now())
    assert rows_of(job).count() == 1
    assert prices() == []
    assert clear_undone() == 1
    assert rows_of(job).count() == 0
    assert clear_undone() == 0
