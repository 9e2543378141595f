"""Relays that die at an item, several at once, and the command that sweeps."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry
from apps.datasets.models import Dataset
from apps.jobs.models import ItemStatus, Job, JobStatus, Operation, OperationKind, State
from apps.jobs.services import operations
from apps.jobs.services.again import retry
from apps.jobs.services.operations import MOST_RATE, work_next
from apps.jobs.sqs import sending
from tests.jobs.beside import in_another_connection
from tests.jobs.files import row, sales
from tests.jobs.line import messages_of
from tests.jobs.many import failed_jobs
from tests.jobs.operations.working import loaded, outcomes, work_off

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


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

    threads = [in_another_connection(lambda name=name: relay(name)) for name in "abc"]
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
        in_another_connection(lambda: found.append(work_next(at=timezone.now()))).join(20)
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
