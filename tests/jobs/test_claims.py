"""Deliveries are at least once: twice, late, out of order, after a crash. Each is worked once in effect."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aetherflow.errors import AnticipatedError
from apps.accounts.models import User
from apps.datasets.selectors import clean_rows
from apps.insights.models import Insight
from apps.jobs.models import Job, Stage, StageRun, State
from apps.jobs.services import etl as stage
from apps.jobs.services import ml as ml_stage
from apps.jobs.services.again import retry
from apps.jobs.services.claims import WorkerGone, claim, fail, fail_lost
from apps.jobs.services.etl import Following
from apps.jobs.services.rescue import rescue
from apps.jobs.services.transitions import IllegalMove
from apps.jobs.services.workers import beat
from tests.jobs.files import row, sales
from tests.jobs.line import delivery
from tests.jobs.steps import compute, deliver, foreign, taken, work_failing, worked

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def test_a_delivery_of_a_done_stage_does_no_work_and_gives_the_chain_its_message(
    upload: Callable[..., Job], sqs: Any
) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    first = deliver(message, headers)
    before = job.stages.get(stage=Stage.ETL)
    again = deliver(message, headers, receive_count=2)
    after = job.stages.get(stage=Stage.ETL)
    assert first is not None
    assert again is not None
    assert (again.job_id, again.message.dataset_id) == (first.job_id, first.message.dataset_id)
    assert (before.token, before.finished_at) == (after.token, after.finished_at)


def test_the_ml_message_twice_computes_once(upload: Callable[..., Job], sqs: Any) -> None:
    upload(sales(row(1)))
    message, headers = worked(sqs)
    for _ in range(2):
        compute(message, headers)
    assert Insight.objects.count() == 1
    assert StageRun.objects.get(stage=Stage.ML).token == 1


def test_two_ml_messages_have_the_attempts_of_one_between_them(
    upload: Callable[..., Job], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(sales(row(1)))
    message, headers = worked(sqs)
    attempts = []

    def break_down(*_: Any, **__: Any) -> None:
        attempts.append(1)
        raise RuntimeError("boom")

    monkeypatch.setattr(ml_stage, "_computed", break_down)
    for count in (1, 2, 3):
        for message_id in ("the chain's", "the relay's"):
            try:
                compute(message, headers, message_id=message_id, receive_count=count)
            except RuntimeError:
                continue
    assert len(attempts) == 3
    run = StageRun.objects.get(stage=Stage.ML)
    assert (run.state, run.dead_lettered, run.error_code) == (State.FAILED, True, "internal-error")
    assert "boom" in run.traceback
    assert "boom" not in run.error_message, "what broke is for operators"


def test_a_message_seen_again_takes_over_and_the_former_worker_cannot_finish(
    upload: Callable[..., Job], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    load = stage._load

    def load_slowly(run: StageRun, **rest: Any) -> None:
        """While the first worker is at it, SQS gives the message to a second one, which finishes."""
        monkeypatch.setattr(stage, "_load", load)
        deliver(message, headers, message_id="m-1", receive_count=2, worker="b")
        load(run, **rest)

    monkeypatch.setattr(stage, "_load", load_slowly)
    with pytest.raises(IllegalMove):
        deliver(message, headers, message_id="m-1", worker="a")
    run = job.stages.get(stage=Stage.ETL)
    assert (run.state, run.worker, run.token) == (State.SUCCEEDED, "b", 2)
    assert clean_rows(job.dataset).count() == 1


def test_another_message_for_a_stage_in_work_changes_nothing(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    claim(job.stages.get(), delivery=delivery(headers, message_id="m-1"), worker="a", at=timezone.now())
    assert deliver(message, headers, message_id="m-2", worker="b") is None
    assert StageRun.objects.get(job=job).worker == "a"


def test_a_retried_run_has_all_its_attempts_whatever_the_old_message_does(
    upload: Callable[..., Job], sqs: Any, seller: User
) -> None:
    job = upload(b"no;such;columns\n1;2;3\n")
    message, headers = taken(sqs)
    for count in (1, 2):
        with pytest.raises(AnticipatedError):
            deliver(message, headers, message_id="old", receive_count=count)
    retry(job=job, by=seller, at=timezone.now())
    assert deliver(message, headers, message_id="old", receive_count=3) is None, "in its back-off when it was retried"
    assert job.stages.get().state == State.QUEUED
    run = work_failing(job, sqs)
    assert (run.attempts, run.dead_lettered) == (1, False)


def test_a_dead_letter_that_is_redriven_is_worked(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(b"no;such;columns\n1;2;3\n")
    message, headers = taken(sqs)
    for message_id, count in (("first", 3), ("redriven", 1)):
        with pytest.raises(AnticipatedError):
            deliver(message, headers, message_id=message_id, receive_count=count)
    run = job.stages.get()
    assert (run.token, run.attempts, run.dead_lettered) == (2, 1, False)


def test_a_child_that_was_killed_leaves_its_reason_by_its_parent(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    claim(job.stages.get(), delivery=delivery(headers), worker="etl@test", at=timezone.now())

    class WorkerLostError(Exception):
        """Celery's, by its name."""

    fail_lost(message=message, worker="etl@elsewhere", error=WorkerLostError(), at=timezone.now())
    assert job.stages.get().state == State.PROCESSING
    fail_lost(message=message, worker="etl@test", error=WorkerLostError(), at=timezone.now())
    run = job.stages.get()
    assert (run.state, run.error_code) == (State.FAILED, "worker-lost")
    assert run.error_hint


def test_a_file_that_kills_its_worker_at_every_attempt_ends_with_a_reason(
    upload: Callable[..., Job], sqs: Any, settings: Any
) -> None:
    job = upload(sales(row(1)))
    _, headers = taken(sqs)
    upload(sales(row(2)))  # the queue holds a message
    now = timezone.now()
    for count in (1, 2, 3):
        claim(job.stages.get(), delivery=delivery(headers, message_id="m", receive_count=count), worker="w", at=now)
    beat(name="w", queues=["etl"], slots=1, pid=1, started_at=now, at=now)
    assert rescue(at=now + timedelta(seconds=1)) == 0, "it may be at work still"
    later = now + timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS + 1)
    beat(name="w", queues=["etl"], slots=1, pid=1, started_at=now, at=later)
    assert rescue(at=later) == 0, "its worker beats"
    beat(name="w", queues=["etl"], slots=1, pid=2, started_at=later, at=later)
    assert rescue(at=later) == 1, "the one that beats under the name now is another process"
    run = job.stages.get()
    assert (run.state, run.error_code, run.dead_lettered) == (State.FAILED, "worker-lost", True)


def test_a_foreign_message_twice_is_one_job_through_both_stages(
    upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    job = upload(sales(row(1)))
    work()
    message_id = str(uuid.uuid4())
    for _ in range(2):
        following = deliver(foreign(job.dataset), {}, message_id=message_id)
        assert isinstance(following, Following)
        compute(following.message, {"job_id": str(following.job_id)})
    (own,) = Job.objects.filter(cause="message")
    assert {run.state for run in own.stages.all()} == {State.SUCCEEDED}
    assert {run.token for run in own.stages.all()} == {1}


def test_a_worker_that_was_given_up_cannot_end_what_was_asked_for_anew(
    upload: Callable[..., Job], sqs: Any, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)

    def given_up_meanwhile(run: StageRun, **_: Any) -> None:
        held = StageRun.objects.get(pk=run.pk)
        fail(held, error=WorkerGone("w"), at=timezone.now(), changes={"dead_lettered": True})
        retry(job=Job.objects.get(pk=job.pk), by=seller, at=timezone.now())
        raise RuntimeError("the slow worker comes to nothing")

    monkeypatch.setattr(stage, "_load", given_up_meanwhile)
    with pytest.raises(RuntimeError):
        deliver(message, headers, receive_count=3)
    assert job.stages.get().state == State.QUEUED
