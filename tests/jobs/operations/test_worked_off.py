"""Each item by its service, at the operation's rate, whatever becomes of the others; and what a stop leaves."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from aetherflow.errors import ConflictError
from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry, User
from apps.accounts.origin import Origin, asked_from
from apps.datasets.models import Dataset
from apps.datasets.services import lock_department
from apps.jobs.models import Cause, Job, JobStatus, Operation, OperationKind, Stage
from apps.jobs.services import operations
from apps.jobs.services.again import reprocess, retry, undo
from apps.jobs.services.operations import stop_operation, work_next
from tests.jobs.beside import in_another_connection
from tests.jobs.files import row, sales
from tests.jobs.many import failed_jobs
from tests.jobs.operations.working import WHY, loaded, outcomes, work_off
from tests.support.timing import SOON

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def test_a_retry_of_many_queues_each_and_says_so_in_the_audit(
    start: Callable[..., Operation], operator: User, sqs: Any
) -> None:
    failed_jobs(3)
    with asked_from(Origin(address="192.0.2.7", request_id="request-of-olive")):
        operation = start()
    assert work_off() == 3
    operation.refresh_from_db()
    assert (operation.done, operation.refused, operation.left) == (3, 0, 0)
    assert operation.ended_at is not None
    assert operation.stopped_at is None
    assert set(operation.items.values_list("status", "words")) == {("done", "Queued again from etl.")}
    assert set(Job.objects.values_list("status", flat=True)) == {JobStatus.QUEUED}
    told = AuditEntry.objects.filter(action=AuditAction.JOB_RETRIED)
    assert {entry.target_id for entry in told} == {str(pk) for pk in Job.objects.values_list("pk", flat=True)}
    assert {(entry.actor, entry.reason, entry.address, entry.request_id) for entry in told} == {
        (operator, WHY, "192.0.2.7", "request-of-olive")
    }
    assert {entry.details["operation"] for entry in told} == {str(operation.pk)}


ACTS = [
    (OperationKind.REPROCESS_ETL, AuditAction.REPROCESSED, "dataset"),
    (OperationKind.REPROCESS_ML, AuditAction.REPROCESSED, "dataset"),
    (OperationKind.UNDO, AuditAction.UNDONE, "dataset"),
]


@pytest.mark.parametrize(("kind", "action", "of"), ACTS)
def test_each_kind_does_what_its_service_does(
    start: Callable[..., Operation],
    upload: Callable[..., Job],
    work: Callable[[], None],
    kind: OperationKind,
    action: AuditAction,
    of: str,
) -> None:
    jobs = loaded(upload, work, 2)
    operation = start(kind)
    assert work_off() == 2
    assert outcomes(operation) == {"done": 2}
    told = AuditEntry.objects.filter(action=action)
    assert {(entry.target_type, entry.target_id) for entry in told} == {(of, str(job.dataset_id)) for job in jobs}
    assert {entry.details["operation"] for entry in told} == {str(operation.pk)}
    if kind == OperationKind.UNDO:
        assert not Dataset.objects.filter(deleted_at=None).exists()
        assert not Dataset.objects.exclude(loaded_at=None).exists(), "their rows are gone too"
    else:
        first = Stage.ETL if kind == OperationKind.REPROCESS_ETL else Stage.ML
        made = Job.objects.filter(cause=Cause.REPROCESS)
        assert {job.stage for job in made} == {first}
        words = set(operation.items.values_list("words", flat=True))
        assert words == {f"Queued from {first} as job {job.pk}." for job in made}
        work()
        assert set(Job.objects.values_list("status", flat=True)) == {JobStatus.SUCCEEDED}


def test_many_are_cancelled(start: Callable[..., Operation], upload: Callable[..., Job], sqs: Any) -> None:
    for number in range(3):
        upload(sales(row(number)))
    operation = start(OperationKind.CANCEL, Job.objects.filter(status=JobStatus.QUEUED))
    assert work_off() == 3
    assert set(operation.items.values_list("words", flat=True)) == {"Cancelled at etl."}
    told = AuditEntry.objects.filter(action=AuditAction.JOB_CANCELLED)
    assert {entry.details["operation"] for entry in told} == {str(operation.pk)}
    assert {run.error_code for job in Job.objects.all() for run in job.stages.all()} == {"cancelled"}


def test_what_moved_meanwhile_is_refused_in_the_services_own_words(
    start: Callable[..., Operation],
    upload: Callable[..., Job],
    work: Callable[[], None],
    seller: User,
    sqs: Any,
) -> None:
    undone, active, good = loaded(upload, work, 3)
    operation = start(OperationKind.REPROCESS_ETL)
    undoing = start(OperationKind.UNDO, Job.objects.filter(pk=undone.pk))
    retrying = start(OperationKind.RETRY, Job.objects.filter(pk=good.pk))
    undo(dataset=undone.dataset, by=seller, at=timezone.now(), request_id="r")
    reprocess(dataset=active.dataset, first=Stage.ML, by=None, at=timezone.now())
    work_off()
    assert [(item.status, item.words) for item in operation.items.all()][:2] == [
        ("refused", "The upload was undone."),
        ("refused", f"The dataset {active.dataset.name} is being worked on already."),
    ]
    assert undoing.items.get().words == "The upload was undone before."
    assert retrying.items.get().words.startswith("The job is ")
    operation.refresh_from_db()
    assert operation.done + operation.refused == operation.total == 3


def test_a_clock_that_was_ahead_stops_nothing_and_floods_nothing(start: Callable[..., Operation]) -> None:
    failed_jobs(3)
    now = timezone.now()
    operation = start(at=now + timedelta(hours=1), rate=60)
    assert [work_next(at=now), work_next(at=now), work_next(at=now + timedelta(seconds=1))] == [True, False, True]
    assert outcomes(operation) == {"done": 2, "waiting": 1}


def test_one_whose_department_is_held_keeps_its_turn_and_holds_up_nobody(
    start: Callable[..., Operation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "_PATIENCE", timedelta(milliseconds=200))
    failed_jobs(1)
    undoing = start(OperationKind.UNDO)
    failed_jobs(1, department="finance")
    retrying, at = start(OperationKind.RETRY, Job.objects.filter(department="finance")), timezone.now()
    with transaction.atomic(using="loader"):
        lock_department("sales", using="loader")
        began = time.monotonic()
        assert work_next(at=at)
        assert time.monotonic() - began < SOON
        assert (outcomes(undoing), outcomes(retrying)) == ({"waiting": 1}, {"waiting": 1})
        assert work_next(at=at)
        assert not work_next(at=at)
    assert (outcomes(undoing), outcomes(retrying)) == ({"waiting": 1}, {"done": 1})
    assert work_next(at=at + timedelta(seconds=10))
    assert outcomes(undoing) == {"done": 1}


def test_one_that_breaks_is_refused_with_a_sentence_and_the_others_go_on(
    start: Callable[..., Operation], sqs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = list(failed_jobs(3))
    operation = start()

    def broken(*, job: Job, **options: Any) -> Job:
        retried = retry(job=job, **options)
        if job.pk == jobs[1].pk:
            raise KeyError("boom")
        return retried

    monkeypatch.setattr(operations, "retry", broken)
    assert work_off() == 3
    assert [item.status for item in operation.items.all()] == ["done", "refused", "done"]
    assert operation.items.get(status="refused").words == "Something broke on our side (KeyError); the log says what."
    assert "operation_item_failed" in caplog.text
    jobs[1].refresh_from_db()
    assert jobs[1].status == JobStatus.FAILED, "nothing half-done"
    assert AuditEntry.objects.filter(action=AuditAction.JOB_RETRIED).count() == 2


def test_an_item_whose_database_goes_away_waits_until_there_is_one_again(
    start: Callable[..., Operation], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_jobs(1)
    operation = start()

    def away(**_: Any) -> None:
        connections["default"].connection.close()
        Job.objects.count()

    with monkeypatch.context() as patched:
        patched.setattr(operations, "retry", away)
        with pytest.raises(Exception, match="connection"):
            work_next(at=timezone.now())
    connections["default"].close()
    assert outcomes(operation) == {"waiting": 1}
    assert work_off() == 1
    assert outcomes(operation) == {"done": 1}


def test_it_goes_at_its_rate_and_makes_up_for_the_relays_sleep_but_not_for_its_absence(
    start: Callable[..., Operation], sqs: Any, settings: Any
) -> None:
    settings.RELAY_INTERVAL_SECONDS = 5
    failed_jobs(60)
    began = timezone.now()
    start(rate=60, at=began)

    def sweep(after: float) -> int:
        items = 0
        while work_next(at=began + timedelta(seconds=after)):
            items += 1
        return items

    assert [sweep(0), sweep(0.5), sweep(5), sweep(10)] == [1, 0, 5, 5]
    assert sweep(3_600) == 11, "what it could have done within two sweeps"
    assert sweep(3_601) == 1


def test_operations_take_turns(start: Callable[..., Operation], sqs: Any) -> None:
    jobs = list(failed_jobs(4))
    at = timezone.now()
    first = start(jobs=Job.objects.filter(pk__in=[job.pk for job in jobs[:2]]), at=at, rate=60)
    second = start(jobs=Job.objects.filter(pk__in=[job.pk for job in jobs[2:]]), at=at, rate=60)
    assert work_next(at=at)
    assert work_next(at=at)
    assert outcomes(first) == outcomes(second) == {"done": 1, "waiting": 1}


# --- Stopped ---


def test_a_stopped_operation_leaves_the_rest_as_it_is(
    start: Callable[..., Operation], operator: User, sqs: Any
) -> None:
    failed_jobs(3)
    operation = start()
    work_next(at=timezone.now())
    stopped = stop_operation(operation=operation, by=operator, at=timezone.now(), reason="the wrong filter")
    assert (stopped.done, stopped.left, stopped.stopped_by) == (1, 2, operator)
    assert stopped.ended_at == stopped.stopped_at is not None
    assert outcomes(operation) == {"done": 1, "left": 2}
    assert operation.items.last().words == "Olive Operator stopped the operation before its turn came."
    assert work_off(at=timezone.now() + timedelta(days=1)) == 0
    told = AuditEntry.objects.get(action=AuditAction.OPERATION_STOPPED)
    assert told.details == {"kind": "retry", "done": 1, "refused": 0, "left": 2}
    assert (told.reason, told.target_id) == ("the wrong filter", str(operation.pk))
    assert start(jobs=Job.objects.filter(status=JobStatus.FAILED)).left == 2, "they are free for another one"


def test_what_has_ended_cannot_be_stopped(start: Callable[..., Operation], operator: User, sqs: Any) -> None:
    failed_jobs(1)
    operation = start()
    work_off()
    with pytest.raises(ConflictError, match="ended already"):
        stop_operation(operation=operation, by=operator, at=timezone.now())
    assert outcomes(operation) == {"done": 1}
    assert not AuditEntry.objects.filter(action=AuditAction.OPERATION_STOPPED).exists()


def test_a_stop_waits_for_the_item_that_is_being_worked(
    start: Callable[..., Operation], operator: User, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_jobs(2)
    operation = start()
    stops = []

    def slow(**options: Any) -> Job:
        retried = retry(**options)
        stops.append(in_another_connection(lambda: stop_operation(operation=operation, by=operator, at=timezone.now())))
        stops[0].join(0.5)
        assert stops[0].is_alive()
        return retried

    monkeypatch.setattr(operations, "retry", slow)
    assert work_next(at=timezone.now())
    stops[0].join(20)
    assert outcomes(operation) == {"done": 1, "left": 1}
