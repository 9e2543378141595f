"""Sending what the outbox holds. A stage row is written with what it announces; the send may fail, the row stays.

The direct send follows the commit. What it loses (the process died, SQS was away) the relay sends, as it does for an ML
stage whose chain link was lost. Sending twice is harmless: a stage is claimed once.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.jobs.broker import app
from apps.jobs.models import Job, Stage, StageRun, State
from apps.jobs.services.transitions import IllegalMove, move
from apps.jobs.sqs import sending
from apps.jobs.sqs.messages import EtlMessage, MlMessage

log = structlog.get_logger(__name__)

ETL_WORKER = "etl_worker"
_BATCH = 100


def etl_message(job: Job, *, at: datetime) -> EtlMessage:
    dataset = job.dataset
    return EtlMessage(
        dataset_id=dataset.pk,
        department=dataset.department,
        s3_bucket=dataset.bucket,
        s3_key=dataset.key,
        requested_by=str(job.requested_by_id or dataset.uploaded_by_id),
        requested_at=at,
    )


def ml_message(job: Job, *, at: datetime) -> MlMessage:
    return MlMessage(
        dataset_id=job.dataset_id,
        department=job.department,
        requested_by=ETL_WORKER,
        requested_at=at,
    )


def send(run_id: int, *, at: datetime) -> bool:
    """Send a queued run's message and mark it sent; False where SQS is away, which the relay mends."""
    run = StageRun.objects.select_related("job__dataset").get(pk=run_id)
    message = ml_message(run.job, at=at) if run.stage == Stage.ML else etl_message(run.job, at=at)
    try:
        sending.send(app, message, job_id=str(run.job_id), request_id=run.job.request_id)
    except sending.NotSent as error:
        log.warning("stage_not_sent", job_id=str(run.job_id), stage=run.stage, error=str(error)[:300])
        return False
    StageRun.objects.filter(pk=run.pk, dispatched_at=None).update(dispatched_at=at)
    log.info(
        "stage_sent",
        job_id=str(run.job_id),
        dataset_id=str(run.job.dataset_id),
        department=run.job.department,
        stage=run.stage,
        request_id=run.job.request_id,
    )
    return True


def send_after_commit(run: StageRun) -> None:
    """Send once the transaction is there to be seen. Never raises into the request: the relay covers a failure."""

    def send_now() -> None:
        send(run.pk, at=timezone.now())

    transaction.on_commit(send_now, robust=True)


def relay(*, at: datetime, limit: int = _BATCH) -> int:
    """Send runs that should have been sent and were not; returns how many were.

    No lock is held while SQS is talked to: two relays may send a run twice, which is harmless.
    """
    unsent = StageRun.objects.filter(state=State.QUEUED, dispatched_at=None)
    overdue = unsent.filter(Q(stage=Stage.ETL, queued_at__lte=at - _grace()) | Q(queued_at__lte=at - _chain_grace()))
    sent = 0
    for pk in list(overdue.order_by("queued_at").values_list("pk", flat=True)[:limit]):
        if not send(pk, at=at):
            break
        sent += 1
    return sent


def _grace() -> timedelta:
    """How long the direct send has."""
    return timedelta(seconds=settings.RELAY_GRACE_SECONDS)


def _chain_grace() -> timedelta:
    """How long an ML stage's chain link has: its worker may die before it is sent, and the ETL message comes again."""
    return _grace() + timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS)


def recover(*, at: datetime) -> int:
    """After all queues were lost and all workers stopped: every unfinished stage is to be sent again."""
    requeued = sum(
        requeue(run, at=at, note="the queue was lost while it was in work")
        for run in StageRun.objects.filter(state=State.PROCESSING)
    )
    lost = StageRun.objects.filter(Q(state=State.QUEUED), ~Q(dispatched_at=None)).update(**_to_be_sent(at))
    return requeued + lost


def requeue(run: StageRun, *, at: datetime, note: str) -> bool:
    """Queue a run of a worker that is gone, to be sent at the next sweep; False where it has moved meanwhile."""
    try:
        move(run, State.QUEUED, at=at, note=note, changes={"attempts": 0, **_to_be_sent(at)})
    except IllegalMove:
        return False
    return True


def resend_lost(*, at: datetime) -> int:
    """Mark runs as unsent whose message was sent long ago and never seen: dead-lettered unread, purged, expired."""
    long_ago = at - timedelta(seconds=settings.RESEND_SECONDS)
    return StageRun.objects.filter(state=State.QUEUED, dispatched_at__lt=long_ago).update(**_to_be_sent(at))


def _to_be_sent(at: datetime) -> dict[str, object]:
    """Columns of a run that the very next sweep sends."""
    return {"dispatched_at": None, "queued_at": at - _chain_grace()}
