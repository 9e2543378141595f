"""The stage row is the outbox: what a send lost is sent, what a worker left is settled, nothing is sent for fun."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from structlog.testing import capture_logs

from aetherflow.errors import UnavailableError
from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.jobs.management.commands.relay import Line
from apps.jobs.models import Job, JobStatus, Stage, StageRun, State
from apps.jobs.services import etl
from apps.jobs.services.claims import claim
from apps.jobs.services.dispatch import recover, relay
from apps.jobs.services.rescue import rescue
from apps.jobs.services.workers import beat, farewell
from tests.jobs.files import row, sales
from tests.jobs.line import delivery, messages_of
from tests.jobs.steps import deliver, taken

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def test_the_relay_sends_what_the_direct_send_lost_and_nothing_else(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(row(1)))
    messages_of(sqs, "etl")
    now = timezone.now()
    assert relay(at=now + timedelta(hours=1)) == 0
    StageRun.objects.filter(job=job).update(dispatched_at=None, send_after=now + timedelta(seconds=10))
    assert relay(at=now) == 0, "somebody else is sending it"
    assert relay(at=now + timedelta(seconds=11)) == 1, "who was sending it has died"
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


def test_an_ml_stage_is_left_to_the_chain_until_that_cannot_come_any_more(upload: Callable[..., Job], sqs: Any) -> None:
    upload(sales(row(1)))
    deliver(*taken(sqs))
    now = timezone.now()
    assert relay(at=now + timedelta(seconds=settings.QUEUE_VISIBILITY_SECONDS)) == 0
    assert relay(at=now + timedelta(seconds=3 * settings.QUEUE_VISIBILITY_SECONDS)) == 1
    assert len(messages_of(sqs, "ml")) == 1


def test_a_message_that_is_gone_from_its_queue_is_sent_again_soon(upload: Callable[..., Job], sqs: Any) -> None:
    """The database was away for all of its receives, so it lies in the dead-letter queue and nobody saw it."""
    upload(sales(row(1)))
    taken(sqs)
    assert rescue(at=timezone.now() + timedelta(seconds=settings.QUEUE_VISIBILITY_SECONDS)) == 0
    later = timezone.now() + timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS + 1)
    assert rescue(at=later) == 1
    assert relay(at=later) == 1
    assert len(messages_of(sqs, "etl")) == 1
    assert StageRun.objects.get(stage=Stage.ETL).state == State.QUEUED


def test_a_message_may_lie_in_its_queue_for_long_before_a_second_one_is_sent(
    upload: Callable[..., Job], sqs: Any
) -> None:
    upload(sales(row(1)))
    assert rescue(at=timezone.now() + timedelta(seconds=settings.RESEND_SECONDS - 60)) == 0
    assert rescue(at=timezone.now() + timedelta(seconds=settings.RESEND_SECONDS + 60)) == 1


def test_a_failed_attempt_whose_message_is_gone_is_tried_again_as_its_hint_says(
    upload: Callable[..., Job], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    with monkeypatch.context() as broken:
        broken.setattr(etl, "_load", away)
        with pytest.raises(UnavailableError):
            deliver(message, headers)
    soon = timezone.now() + timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS)
    assert rescue(at=soon) == 0, "it may still be in its back-off"
    later = soon + timedelta(seconds=max(settings.QUEUE_BACKOFF_SECONDS) + 1)
    assert rescue(at=later) == 1
    assert relay(at=later) == 1
    assert deliver(*taken(sqs)) is not None
    assert job.stages.get(stage=Stage.ETL).state == State.SUCCEEDED


def away(*_: Any, **__: Any) -> None:
    raise UnavailableError("The store does not answer.", code="storage-unavailable", hint="Wait.")


def test_after_the_queues_are_lost_what_was_in_its_back_off_is_sent_again_too(
    upload: Callable[..., Job], sqs: Any, seller: User
) -> None:
    tried, undone = upload(sales(row(1))), upload(sales(row(2)))
    failed = {"error_message": "x", "finished_at": timezone.now(), "attempts": 1}
    StageRun.objects.update(state=State.FAILED, **failed)
    Dataset.objects.filter(pk=undone.dataset_id).update(deleted_at=timezone.now(), deleted_by=seller)
    assert recover(at=timezone.now()) == 1
    assert tried.stages.get().state == State.QUEUED


@pytest.mark.parametrize("worker", ["gone", "alive"])
def test_a_run_whose_message_is_gone_is_queued_again(upload: Callable[..., Job], sqs: Any, worker: str) -> None:
    """A worker that lives may have had its database away at every attempt of the message."""
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    run = job.stages.get()
    claim(run, delivery=delivery(headers), worker="etl@gone", at=timezone.now())
    later = timezone.now() + timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS + 1)
    beat(name="etl@gone", queues=["etl"], slots=1, pid=1, started_at=timezone.now() - timedelta(days=1), at=later)
    upload(sales(row(2)))
    assert rescue(at=later) == 0, "its worker lives, and a message is there"
    messages_of(sqs, "etl")
    if worker == "gone":
        farewell(name="etl@gone")
    rescue(at=later)
    run.refresh_from_db()
    assert (run.state, run.dispatched_at) == (State.QUEUED, None)
    assert message.department == run.department


def test_a_run_that_is_lost_again_and_again_is_ended_for_somebody_to_look_at(
    upload: Callable[..., Job], sqs: Any
) -> None:
    job = upload(sales(row(1)))
    at = timezone.now()
    for _ in range(4):
        _, headers = taken(sqs)
        run = job.stages.get()
        claim(run, delivery=delivery(headers, receive_count=3), worker="etl@alive", at=at)
        at += timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS + 1)
        beat(name="etl@alive", queues=["etl"], slots=1, pid=1, started_at=at - timedelta(days=1), at=at)
        rescue(at=at)
        relay(at=at)
    run = job.stages.get()
    assert (run.state, run.error_code, run.dead_lettered) == (State.FAILED, "worker-lost", True)


def test_a_dead_workers_run_on_a_busy_queue_is_queued_again(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(sales(row(1)))
    _, headers = taken(sqs)
    claim(job.stages.get(), delivery=delivery(headers), worker="etl@gone", at=timezone.now())
    upload(sales(row(2)))
    at = timezone.now()
    assert rescue(at=at + timedelta(seconds=settings.RESEND_SECONDS - 60)) == 0
    rescue(at=at + timedelta(seconds=settings.RESEND_SECONDS + 60))
    assert job.stages.get().state == State.QUEUED


def test_after_an_outage_of_the_database_nobody_is_called_dead_for_not_having_beaten(
    upload: Callable[..., Job], sqs: Any
) -> None:
    job = upload(sales(row(1)))
    _, headers = taken(sqs)
    upload(sales(row(2)))  # the queue holds a message
    now = timezone.now()
    silent = now - timedelta(seconds=4 * settings.WORKER_HEARTBEAT_SECONDS)
    beat(name="etl@a", queues=["etl"], slots=2, pid=1, started_at=now - timedelta(days=1), at=silent)
    begun = now - timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS + 20)
    claim(job.stages.get(), delivery=delivery(headers, receive_count=3), worker="etl@a", at=begun)
    assert rescue(at=now, signs_count=False) == 0
    assert job.stages.get().state == State.PROCESSING
    assert rescue(at=now) == 1, "once every worker would have beaten, it is"


def test_the_relay_tells_once_a_minute_what_waits_and_what_is_worked(upload: Callable[..., Job], sqs: Any) -> None:
    at = timezone.now()
    unsent, unbegun, worked = (upload(sales(row(number))).stages.get() for number in range(3))
    ago = at - timedelta(seconds=90)
    StageRun.objects.filter(pk=unsent.pk).update(dispatched_at=None, queued_at=ago)
    StageRun.objects.filter(pk=unbegun.pk).update(dispatched_at=ago - timedelta(seconds=30))
    claim(worked, delivery=delivery(), worker="etl@host", at=at)
    line = Line()
    with capture_logs() as told:
        for seconds in (0, 5, 59, 60):
            line.tell(at=at + timedelta(seconds=seconds))
    first, quiet, *later = [{key: value for key, value in each.items() if key != "log_level"} for each in told]
    assert first == {
        "event": "line",
        "stage": "etl",
        "waiting": 1,
        "outbox_seconds": 90.0,
        "unbegun_seconds": 120.0,
        "processing": 1,
    }
    nothing = {"waiting": 0, "outbox_seconds": 0.0, "unbegun_seconds": 0.0, "processing": 0}
    assert quiet == {"event": "line", "stage": "ml", **nothing}
    assert [(each["stage"], each["outbox_seconds"]) for each in later] == [("etl", 150.0), ("ml", 0.0)]
