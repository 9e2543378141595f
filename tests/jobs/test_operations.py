"""One act on many jobs: what was confirmed is what is done, once, at its rate, whoever dies and whoever else acts."""

import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from aetherflow.errors import AnticipatedError, ConflictError, InvalidError
from apps.accounts.models import AuditAction, AuditEntry, User
from apps.accounts.origin import Origin, asked_from
from apps.datasets.models import Dataset
from apps.datasets.services import lock_department
from apps.jobs.models import Cause, ItemStatus, Job, JobStatus, Operation, OperationItem, OperationKind, Stage, State
from apps.jobs.selectors import selection_of
from apps.jobs.services import operations
from apps.jobs.services.again import reprocess, retry, undo
from apps.jobs.services.operations import MOST_RATE, start_operation, stop_operation, work_next
from apps.jobs.sqs import sending
from tests.accounts.factories import AdminFactory
from tests.jobs.files import row, sales
from tests.jobs.line import messages_of
from tests.jobs.many import failed_jobs

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
WHY = "the release of Monday wrote wrong rows"
WORDS = "failed with internal-error"
EVERYTHING = Job.objects.all()


@pytest.fixture
def operator(transactional_db: None) -> User:
    return AdminFactory(full_name="Olive Operator")


@pytest.fixture
def start(operator: User) -> Callable[..., Operation]:
    def start(
        kind: OperationKind = OperationKind.RETRY, jobs: QuerySet[Job] | None = None, **options: Any
    ) -> Operation:
        asked: dict[str, Any] = {"by": operator, "at": timezone.now(), "reason": WHY, "filter_words": WORDS, "rate": 60}
        return start_operation(kind=kind, jobs=Job.objects.all() if jobs is None else jobs, **asked | options)

    return start


def work_off(*, at: datetime | None = None) -> int:
    """As many items as there are, whatever the rate."""
    at, items = at or timezone.now(), 0
    while Operation.objects.update(next_at=at) and work_next(at=at):
        items += 1
    return items


def outcomes(operation: Operation) -> Counter[str]:
    return Counter(operation.items.values_list("status", flat=True))


def in_another_process(action: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            action()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


# --- Begun ---


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

    threads = [in_another_process(lambda half=half: begin(half)) for half in halves]
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
    with at_most(seconds=10, megabytes=5):
        assert selection_of(OperationKind.RETRY, failing).count == 50_000
    with at_most(seconds=30, megabytes=5):
        operation = start(jobs=failing, expected=50_000, rate=MOST_RATE)
    assert outcomes(operation) == {"waiting": 50_000}
    with at_most(seconds=10, megabytes=5):
        for _ in range(20):
            assert work_next(at=timezone.now() + timedelta(hours=1))
    with pytest.raises(ConflictError, match="All 49,980 wait"):
        start(jobs=failing)
    with at_most(seconds=30, megabytes=5):
        stop_operation(operation=operation, by=operator, at=timezone.now())
    assert outcomes(operation) == {"done": 20, "left": 49_980}


@contextmanager
def at_most(*, seconds: float, megabytes: float) -> Iterator[None]:
    tracemalloc.start()
    began = time.monotonic()
    try:
        yield
        took, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took < seconds
    assert peak < megabytes * 1_000_000


# --- Worked off ---


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


def loaded(upload: Callable[..., Job], work: Callable[[], None], count: int) -> list[Job]:
    jobs = [upload(sales(row(number))) for number in range(count)]
    work()
    return jobs


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
        assert time.monotonic() - began < 2
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
        stops.append(in_another_process(lambda: stop_operation(operation=operation, by=operator, at=timezone.now())))
        stops[0].join(0.5)
        assert stops[0].is_alive()
        return retried

    monkeypatch.setattr(operations, "retry", slow)
    assert work_next(at=timezone.now())
    stops[0].join(20)
    assert outcomes(operation) == {"done": 1, "left": 1}


# --- Several relays, and relays that die ---


class Killed(BaseException):
    """The relay is gone: nothing of the platform catches this."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_relay_that_dies_at_an_item_has_not_begun_it(
    start: Callable[..., Operation], sqs: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    failed_jobs(3)
    operation = start(rate=MOST_RATE)
    work_next(at=timezone.now())

    def killed(**options: Any) -> None:
        if when == "after":
            retry(**options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(operations, "retry", killed)
        with pytest.raises(Killed):
            work_next(at=timezone.now() + timedelta(minutes=1))
    assert outcomes(operation) == {"done": 1, "waiting": 2}
    assert AuditEntry.objects.filter(action=AuditAction.JOB_RETRIED).count() == 1
    assert work_off() == 2
    assert AuditEntry.objects.filter(action=AuditAction.JOB_RETRIED).count() == 3


def test_an_undo_whose_relay_dies_before_it_has_cleared_counts_and_is_cleared_later(
    start: Callable[..., Operation],
    upload: Callable[..., Job],
    work: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (job,) = loaded(upload, work, 1)
    operation = start(OperationKind.UNDO)

    def killed(_: Dataset) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("apps.jobs.services.again.clear", killed)
        with pytest.raises(Killed):
            work_next(at=timezone.now())
    assert outcomes(operation) == {"done": 1}
    job.dataset.refresh_from_db()
    assert job.dataset.deleted_at is not None
    assert job.dataset.loaded_at is not None
    call_command("relay")
    job.dataset.refresh_from_db()
    assert job.dataset.loaded_at is None


def test_several_relays_at_once_do_each_item_once(start: Callable[..., Operation], sqs: Any) -> None:
    jobs = list(failed_jobs(60))
    operations_ = [
        start(jobs=Job.objects.filter(pk__in=[job.pk for job in some]), rate=MOST_RATE)
        for some in (jobs[:20], jobs[20:])
    ]
    together, worked = threading.Barrier(3), Counter[str]()

    def relay(name: str) -> None:
        together.wait()
        at, idle = timezone.now(), 0
        # One that finds all operations in other hands looks again.
        while idle < 50:
            at += timedelta(seconds=1)
            if work_next(at=at):
                worked[name] += 1
            else:
                idle += 1

    threads = [in_another_process(lambda name=name: relay(name)) for name in "abc"]
    for thread in threads:
        thread.join(60)
    assert sum(worked.values()) == 60
    assert [outcomes(operation) for operation in operations_] == [{"done": 20}, {"done": 40}]
    told = AuditEntry.objects.filter(action=AuditAction.JOB_RETRIED).values_list("target_id", flat=True)
    assert Counter(told) == Counter(str(job.pk) for job in jobs)


def test_a_relay_leaves_the_operation_that_another_one_is_at(start: Callable[..., Operation], sqs: Any) -> None:
    failed_jobs(2)
    operation = start()
    with transaction.atomic():
        Operation.objects.select_for_update(no_key=True).get(pk=operation.pk)
        found: list[bool] = []
        in_another_process(lambda: found.append(work_next(at=timezone.now()))).join(20)
    assert found == [False]
    assert outcomes(operation) == {"waiting": 2}


# --- The relay's command ---


def test_the_relay_works_operations_off_and_sends_what_they_queue(
    start: Callable[..., Operation], upload: Callable[..., Job], sqs: Any, work: Callable[[], None]
) -> None:
    job = upload(sales(row(1)))
    messages_of(sqs, "etl")
    start(OperationKind.CANCEL)
    call_command("relay")
    job.refresh_from_db()
    assert job.stages.get().error_code == "cancelled"
    start(OperationKind.RETRY)
    call_command("relay")
    work()
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED


def test_an_operation_that_cannot_be_worked_does_not_keep_the_relay_from_sending(
    start: Callable[..., Operation],
    upload: Callable[..., Job],
    sqs: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    upload(sales(row(1))).stages.update(dispatched_at=None, send_after=timezone.now())
    messages_of(sqs, "etl")
    start(OperationKind.UNDO)
    monkeypatch.setattr("apps.jobs.management.commands.relay.work_next", lambda **_: 1 / 0)
    call_command("relay")
    assert len(messages_of(sqs, "etl")) == 1
    assert "operations_failed" in caplog.text


def test_the_line_may_be_away_while_many_are_retried(
    start: Callable[..., Operation], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> str:
        raise sending.NotSent("SQS is away")

    failed_jobs(2)
    operation = start()
    with monkeypatch.context() as patched:
        patched.setattr(sending, "send", away)
        assert work_off() == 2
    assert outcomes(operation) == {ItemStatus.DONE: 2}
    assert {run.state for job in Job.objects.all() for run in job.stages.all()} == {State.QUEUED}
    call_command("relay")
    assert len(messages_of(sqs, "etl")) == 2
