"""The stage row is the outbox: what a send lost is sent, what a worker left is settled, nothing is sent for fun."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from apps.jobs.models import Job, JobStatus, Stage, StageRun, State
from apps.jobs.services.dispatch import recover, relay
from apps.jobs.services.rescue import rescue
from tests.jobs.files import row, sales
from tests.jobs.line import messages_of
from tests.jobs.steps import deliver, taken

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


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


def test_an_ml_stage_is_left_to_the_chain_until_that_cannot_come_any_more(upload: Callable[..., Job], sqs: Any) -> None:
    upload(sales(row(1)))
    deliver(*taken(sqs))
    now = timezone.now()
    assert relay(at=now + timedelta(seconds=settings.QUEUE_VISIBILITY_SECONDS)) == 0
    assert relay(at=now + timedelta(seconds=3 * settings.QUEUE_VISIBILITY_SECONDS)) == 1
    assert len(messages_of(sqs, "ml")) == 1


def test_a_message_that_was_lost_before_its_claim_is_sent_again(upload: Callable[..., Job], sqs: Any) -> None:
    """The database was away for all of its receives, so it lies in the dead-letter queue and nobody saw it."""
    upload(sales(row(1)))
    taken(sqs)
    assert rescue(at=timezone.now() + timedelta(seconds=settings.RESEND_SECONDS - 60)) == 0
    later = timezone.now() + timedelta(seconds=settings.RESEND_SECONDS + 60)
    assert rescue(at=later) == 1
    assert relay(at=later) == 1
    assert len(messages_of(sqs, "etl")) == 1
    assert StageRun.objects.get(stage=Stage.ETL).state == State.QUEUED
