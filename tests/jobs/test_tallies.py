"""Every attempt that ends is counted once, for ever, however many workers end theirs at the same moment."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from aetherflow.errors import AnticipatedError
from apps.jobs.models import DURATION_BOUNDS, FINISHED, Job, Outcome, Stage, StageRun, StageTally, State
from apps.jobs.services.again import retry, undo
from apps.jobs.services.tallies import count
from apps.jobs.services.transitions import IllegalMove, move, start
from tests.accounts.blocking import wait_for_blocked_backends
from tests.datasets.factories import DatasetFactory
from tests.jobs.files import row, sales
from tests.jobs.steps import deliver, taken, work_failing
from tests.support.threads import in_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def ended(state: State, *, seconds: float = 2.0, **columns: Any) -> StageRun:
    """A run whose attempt took so long and ended in that state; nothing has counted it."""
    job = Job.objects.create(
        dataset=DatasetFactory(department="sales"),
        department="sales",
        stage=Stage.ETL,
        request_id="request-0001",
        created_at=NOW,
    )
    run = start(job, Stage.ETL, at=NOW, max_attempts=3)
    columns |= {"started_at": NOW, "finished_at": NOW + timedelta(seconds=seconds) if state in FINISHED else None}
    StageRun.objects.filter(pk=run.pk).update(**columns, state=state, error_message="because")
    run.refresh_from_db()
    return run


def counted() -> dict[tuple[str, str, str], int]:
    return {(tally.department, tally.stage, tally.outcome): tally.attempts for tally in StageTally.objects.all()}


@pytest.mark.parametrize(
    ("state", "dead_lettered", "outcome"),
    [
        (State.SUCCEEDED, False, Outcome.SUCCEEDED),
        (State.FAILED, False, Outcome.FAILED),
        (State.FAILED, True, Outcome.DEAD_LETTERED),
    ],
)
def test_an_attempt_is_counted_by_how_it_ended(state: State, dead_lettered: bool, outcome: Outcome) -> None:
    run = ended(state, dead_lettered=dead_lettered)
    count(run, using="default")
    assert counted() == {("sales", "etl", outcome): 1}


def test_durations_add_up_and_fall_into_every_bucket_they_fit() -> None:
    for seconds in (0.1, 0.2, 4.0, 4_000.0):
        count(ended(State.SUCCEEDED, seconds=seconds), using="default")
    tally = StageTally.objects.get()
    assert tally.seconds_total == pytest.approx(4_004.3)
    assert dict(zip(DURATION_BOUNDS, tally.duration_buckets, strict=True)) == {
        bound: sum(seconds <= bound for seconds in (0.1, 0.2, 4.0, 4_000.0)) for bound in DURATION_BOUNDS
    }


def test_a_clock_that_went_back_takes_nothing_away() -> None:
    count(ended(State.SUCCEEDED, seconds=-5), using="default")
    assert StageTally.objects.get().seconds_total == 0


def test_only_the_rows_of_a_file_that_was_taken_in_count() -> None:
    rows = {"rows_read": 10, "rows_loaded": 6, "rows_rejected": 3, "rows_duplicate": 1}
    for state in (State.FAILED, State.SUCCEEDED, State.SUCCEEDED):
        count(ended(state, **rows), using="default")
    fields = StageTally.objects.order_by("-rows_read").values_list("outcome", *rows)
    assert list(fields) == [("succeeded", 20, 12, 6, 2), ("failed", 0, 0, 0, 0)]


def test_an_attempt_whose_end_is_rolled_back_is_not_counted() -> None:
    run = ended(State.SUCCEEDED)
    with transaction.atomic():
        count(run, using="default")
        transaction.set_rollback(True)
    assert counted() == {}


@pytest.mark.parametrize("before", [0, 7], ids=["the first two ever", "two more"])
def test_two_workers_that_end_at_the_same_moment_are_both_counted(before: int) -> None:
    """The second one's statement begins while the first one's row is neither committed nor to be seen."""
    run, another = ended(State.SUCCEEDED), ended(State.SUCCEEDED)
    for _ in range(before):
        count(run, using="default")

    def count_the_other() -> None:
        try:
            count(another, using="default")
        finally:
            connections.close_all()

    second = threading.Thread(target=in_scope(count_the_other))
    with transaction.atomic():
        count(run, using="default")
        second.start()
        wait_for_blocked_backends(1)
    second.join(10)
    tally = StageTally.objects.get()
    assert (tally.attempts, tally.seconds_total) == (before + 2, 2.0 * (before + 2))
    assert tally.duration_buckets == [0, 0, 0, 0] + [before + 2] * 8


def test_none_of_many_workers_attempts_is_lost() -> None:
    run = ended(State.SUCCEEDED)
    workers, each = 4, 25
    together = threading.Barrier(workers)

    def work() -> None:
        try:
            together.wait(10)
            for _ in range(each):
                count(run, using="default")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=in_scope(work)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert counted() == {("sales", "etl", "succeeded"): workers * each}


def test_the_database_refuses_a_tally_with_other_buckets() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        StageTally.objects.create(stage=Stage.ETL, department="sales", outcome="succeeded", duration_buckets=[1, 2])


# --- What a whole line counts ---


def test_a_file_that_goes_through_counts_once_for_each_stage(
    upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    job = upload(sales(*(row(n) for n in range(1, 9)), row(9, quantity="x")))
    work()
    assert counted() == {("sales", "etl", "succeeded"): 1, ("sales", "ml", "succeeded"): 1}
    etl, run = StageTally.objects.get(stage=Stage.ETL), job.stages.get(stage=Stage.ETL)
    assert (etl.rows_read, etl.rows_loaded, etl.rows_rejected) == (9, 8, 1)
    assert run.started_at is not None
    assert run.finished_at is not None
    assert etl.seconds_total == pytest.approx((run.finished_at - run.started_at).total_seconds())


def test_a_file_that_never_fits_counts_every_attempt_and_the_last_one_as_dead(
    upload: Callable[..., Job], sqs: Any
) -> None:
    job = upload(b"no,such,columns\n1,2,3\n")
    message, headers = taken(sqs)
    for receive in (1, 2, 3):
        with pytest.raises(AnticipatedError):
            deliver(message, headers, message_id="m", receive_count=receive)
    assert counted() == {("sales", "etl", "failed"): 2, ("sales", "etl", "dead_lettered"): 1}
    assert job.stages.get().dead_lettered


def test_what_nobody_worked_on_is_no_attempt(upload: Callable[..., Job], sqs: Any) -> None:
    """Undone while it was queued; and a second delivery of what is done."""
    job = upload(sales(row(1)))
    undo(dataset=job.dataset, by=job.dataset.uploaded_by, at=timezone.now(), request_id="request-0002")
    message, headers = taken(sqs)
    assert deliver(message, headers) is None
    assert job.stages.get().state == State.FAILED
    assert counted() == {}


def test_a_worker_that_lost_its_claim_counts_nothing(upload: Callable[..., Job]) -> None:
    run = upload(sales(row(1))).stages.get()
    StageRun.objects.filter(pk=run.pk).update(token=run.token + 1, state=State.PROCESSING)
    with pytest.raises(IllegalMove):
        move(run, State.SUCCEEDED, at=timezone.now())
    assert counted() == {}


def test_a_tally_outlives_its_jobs(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(b"no,such,columns\n1,2,3\n")
    failed = work_failing(job, sqs)
    assert counted() == {("sales", "etl", "failed"): 1}
    retry(job=job, by=job.dataset.uploaded_by, at=timezone.now())
    assert counted() == {("sales", "etl", "failed"): 1}, "to be queued again is no end"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs_stageevent WHERE run_id = %s", [failed.pk])
    StageRun.objects.filter(pk=failed.pk).delete()
    Job.objects.filter(pk=job.pk).delete()
    assert counted() == {("sales", "etl", "failed"): 1}
