"""What was confirmed is written down whole, once, and told of; what is refused leaves nothing."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from aetherflow.errors import AnticipatedError, ConflictError, InvalidError
from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry, User
from apps.accounts.origin import Origin, asked_from
from apps.jobs.models import Job, JobStatus, Operation, OperationItem, OperationKind, Stage
from apps.jobs.selectors import selection_of
from apps.jobs.services.operations import MOST_RATE, stop_operation, work_next
from tests.accounts.factories import AdminFactory
from tests.jobs.beside import in_another_connection
from tests.jobs.many import failed_jobs
from tests.jobs.operations.working import WHY, WORDS, outcomes, work_off
from tests.support.timing import at_most

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
EVERYTHING = Job.objects.all()


def test_an_operation_is_written_down_whole_and_told_of(start: Callable[..., Operation], operator: User) -> None:
    jobs = list(failed_jobs(3))
    with asked_from(Origin(address="192.0.2.7", request_id="request-of-olive")):
        operation = start(filter_data={"status": "failed"}, rate=30, expected=3)
    assert (operation.total, operation.left, operation.ended_at) == (3, 3, None)
    assert (operation.reason, operation.filter_words, operation.filter) == (WHY, WORDS, {"status": "failed"})
    assert [item.job_id for item in operation.items.all()] == [job.pk for job in jobs], "the oldest first"
    assert {(item.status, item.dataset_id, item.at) for item in operation.items.all()} == {("waiting", None, None)}
    told = AuditEntry.objects.get(action=AuditAction.OPERATION_STARTED)
    assert (told.actor, told.target_type, told.target_id) == (operator, "operation", str(operation.pk))
    assert (told.target, told.reason, told.department) == (f"Retry: {WORDS}", WHY, "sales")
    assert told.details == {"kind": "retry", "items": 3, "refused": 0, "rate": 30}
    assert (told.address, told.request_id) == ("192.0.2.7", "request-of-olive")
    assert set(Job.objects.values_list("status", flat=True)) == {"failed"}, "nothing is done yet"


def test_an_operation_on_several_departments_is_none_of_theirs(start: Callable[..., Operation]) -> None:
    failed_jobs(1)
    failed_jobs(1, department="finance")
    start()
    assert AuditEntry.objects.get(action=AuditAction.OPERATION_STARTED).department == ""


@pytest.mark.parametrize("kind", [OperationKind.REPROCESS_ETL, OperationKind.REPROCESS_ML, OperationKind.UNDO])
def test_what_is_done_to_uploads_is_done_once_to_each(start: Callable[..., Operation], kind: OperationKind) -> None:
    newer = list(failed_jobs(2))
    for job in newer:
        Job.objects.create(
            dataset=job.dataset,
            department="sales",
            stage=Stage.ETL,
            request_id="r",
            status=JobStatus.FAILED,
            created_at=job.created_at - timedelta(days=1),
            finished_at=job.created_at,
        )
    assert selection_of(kind, EVERYTHING.all()).count == 2
    operation = start(kind, expected=2)
    assert [item.dataset_id for item in operation.items.all()] == [job.dataset_id for job in newer]
    assert selection_of(OperationKind.RETRY, EVERYTHING.all()).count == 4


def test_a_filter_that_joins_and_one_that_is_cut_choose_what_they_show(start: Callable[..., Operation]) -> None:
    jobs = list(failed_jobs(5))
    joined = Job.objects.filter(stages__error_code="internal-error", stages__events__isnull=False)
    assert start(jobs=joined, expected=5).total == 5
    assert start(OperationKind.UNDO, Job.objects.order_by("-created_at")[:2]).total == 2
    cut = OperationItem.objects.filter(kind="undo").values_list("dataset", flat=True)
    assert set(cut) == {job.dataset_id for job in jobs[-2:]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"expected": 4}, "The filter matches 3 now, 4 were confirmed."),
        ({"expected": 2}, "The filter matches 3 now, 2 were confirmed."),
        ({"jobs": Job.objects.none()}, "Nothing matches"),
        ({"jobs": Job.objects.filter(status="queued"), "expected": 2}, "The filter matches 0 now, 2 were confirmed."),
        ({"reason": " "}, "needs a reason"),
        ({"rate": 0}, "out of bounds"),
        ({"rate": MOST_RATE + 1}, "out of bounds"),
    ],
)
def test_a_refused_operation_leaves_nothing(
    start: Callable[..., Operation], options: dict[str, Any], said: str
) -> None:
    failed_jobs(3)
    with pytest.raises(AnticipatedError, match=said) as refused:
        start(**options)
    assert isinstance(refused.value, (InvalidError, ConflictError))
    assert refused.value.hint
    assert not Operation.objects.exists()
    assert not AuditEntry.objects.exists()


def test_what_waits_in_another_operation_of_the_kind_is_refused_at_once_and_says_whose(
    start: Callable[..., Operation],
) -> None:
    first, second, *_ = failed_jobs(4)
    earlier = AdminFactory(full_name="Ernest Earlier")
    start(jobs=Job.objects.filter(pk__in=[first.pk, second.pk]), by=earlier)
    selection = selection_of(OperationKind.RETRY, EVERYTHING.all())
    assert (selection.count, selection.waiting_elsewhere, selection.departments) == (4, 2, {"sales": 4})
    operation = start(expected=4)
    assert outcomes(operation) == {"refused": 2, "waiting": 2}
    assert (operation.total, operation.refused, operation.left) == (4, 2, 2)
    words = operation.items.filter(status="refused").values_list("words", flat=True)
    assert all(text.startswith("Ernest Earlier began the same with it on 2") for text in words)
    assert work_off() == 4
    assert AuditEntry.objects.filter(action=AuditAction.JOB_RETRIED).count() == 4
    assert not Operation.objects.filter(ended_at=None).exists()


def test_the_same_again_is_refused_as_a_whole_until_it_is_done(start: Callable[..., Operation]) -> None:
    failed_jobs(2)
    start()
    with pytest.raises(ConflictError, match="All 2 wait for the same already"):
        start()
    start(OperationKind.UNDO), "another kind is another matter"
    work_off()
    assert start().left == 2


def test_of_two_operators_at_once_each_job_is_one_operations(start: Callable[..., Operation]) -> None:
    jobs = list(failed_jobs(40))
    together = threading.Barrier(2)
    halves = [Job.objects.filter(pk__in=[job.pk for job in some]) for some in (jobs[:30], jobs[10:])]

    def begin(half: QuerySet[Job]) -> None:
        together.wait()
        start(jobs=half)

    threads = [in_another_connection(lambda half=half: begin(half)) for half in halves]
    for thread in threads:
        thread.join(20)
    waiting = OperationItem.objects.filter(status="waiting").values_list("job", flat=True)
    assert sorted(waiting) == sorted(job.pk for job in jobs)
    assert OperationItem.objects.filter(status="refused").count() == 20


def test_the_database_itself_refuses_that_something_waits_twice(start: Callable[..., Operation]) -> None:
    failed_jobs(1)
    for kind in (OperationKind.RETRY, OperationKind.UNDO):
        item = start(kind).items.get()
        item.pk = None
        with pytest.raises(IntegrityError, match="waits_once"), transaction.atomic():
            item.save()


def test_what_cannot_be_told_of_is_not_begun(start: Callable[..., Operation], monkeypatch: pytest.MonkeyPatch) -> None:
    failed_jobs(1)
    with monkeypatch.context() as broken:
        broken.setattr(AuditEntry.objects, "create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            start()
    assert not Operation.objects.exists()
    operation = start()
    with monkeypatch.context() as broken:
        broken.setattr(AuditEntry.objects, "create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stop_operation(operation=operation, by=operation.started_by, at=timezone.now())
    assert outcomes(operation) == {"waiting": 1}


def test_fifty_thousand_are_begun_worked_and_stopped_in_seconds_and_pass_through_no_memory(
    start: Callable[..., Operation], operator: User, sqs: Any
) -> None:
    failed_jobs(50_000)
    failing = Job.objects.filter(status=JobStatus.FAILED, stages__error_code="internal-error")
    with at_most(seconds=60, megabytes=5):
        assert selection_of(OperationKind.RETRY, failing).count == 50_000
    with at_most(seconds=60, megabytes=5):
        operation = start(jobs=failing, expected=50_000, rate=MOST_RATE)
    assert outcomes(operation) == {"waiting": 50_000}
    with at_most(seconds=60, megabytes=5):
        for _ in range(20):
            assert work_next(at=timezone.now() + timedelta(hours=1))
    with pytest.raises(ConflictError, match="All 49,980 wait"):
        start(jobs=failing)
    with at_most(seconds=60, megabytes=5):
        stop_operation(operation=operation, by=operator, at=timezone.now())
    assert outcomes(operation) == {"done": 20, "left": 49_980}
