"""What nobody works on any more: found by age ("older than", never a window), ended or queued again."""

from datetime import datetime, timedelta

from django.conf import settings

from apps.datasets.services import clear_undone
from apps.jobs.models import StageRun, State, WorkerHeartbeat
from apps.jobs.services.claims import WorkerGone, fail
from apps.jobs.services.dispatch import requeue, resend_lost


def rescue(*, at: datetime) -> int:
    """Settle what was left behind; returns how many runs and undone uploads were."""
    return _end_exhausted(at=at) + _requeue_overdue(at=at) + resend_lost(at=at) + clear_undone()


def _end_exhausted(*, at: datetime) -> int:
    """A file that killed its worker at its last attempt: the message is dead-lettered, and nobody wrote why."""
    exhausted = [
        run
        for run in StageRun.objects.filter(state=State.PROCESSING, started_at__lt=at - _redelivery())
        if run.attempts >= run.max_attempts and not _worker_lives(run, at=at)
    ]
    return sum(fail(run, error=WorkerGone(run.worker), at=at) for run in exhausted)


def _requeue_overdue(*, at: datetime) -> int:
    """Every stage is killed at its hard time limit: past it, no living worker can hold one."""
    limit = timedelta(seconds=settings.STAGE_TIME_LIMIT_SECONDS) + _redelivery()
    overdue = StageRun.objects.filter(state=State.PROCESSING, started_at__lt=at - limit)
    return sum(requeue(run, at=at, note="no worker can still hold it") for run in overdue)


def _redelivery() -> timedelta:
    """By then SQS has given a dead worker's message to somebody else."""
    return timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS)


def _worker_lives(run: StageRun, *, at: datetime) -> bool:
    """Whether the process that claimed the run still beats; one started later under the same name is another."""
    fresh = at - timedelta(seconds=3 * settings.WORKER_HEARTBEAT_SECONDS)
    beating = WorkerHeartbeat.objects.filter(name=run.worker, beat_at__gte=fresh)
    return beating.filter(started_at__lte=run.started_at).exists()
