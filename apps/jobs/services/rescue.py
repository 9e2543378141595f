"""What nobody works on any more: found by age ("older than", never a window), ended or queued again."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet

from apps.accounts.models import User
from apps.datasets.partitions import drop_retired
from apps.datasets.services import clear_undone
from apps.jobs.broker import sqs_settings
from apps.jobs.models import Stage, StageRun, State
from apps.jobs.selectors import live_workers
from apps.jobs.services.claims import WorkerGone, fail
from apps.jobs.services.dispatch import in_back_off, requeue, resend, tell_of_rescue
from apps.jobs.services.splitting import forget_left
from apps.jobs.services.transitions import RETRIED
from apps.jobs.sqs.queues import QueueNotReady, queue_stats

log = structlog.get_logger(__name__)

_ANEW = "nobody holds its message any more"
# How often all attempts of a stage may be used up by what nobody could write down.
_ROUNDS = 3


def rescue(*, at: datetime, signs_count: bool = True) -> int:
    """Settle what was left behind; returns how many runs, undone uploads and retired
    partitions were.

    `signs_count`: whether a worker that has not beaten is dead. After an outage of the database none has.
    """
    forget_left()
    exhausted = _end_exhausted(at=at) if signs_count else 0
    left = _requeue_overdue(at=at) + _resend_lost(at=at, signs_count=signs_count)
    return exhausted + left + clear_undone() + drop_retired(at=at)


def would_rescue(*, at: datetime) -> int:
    """How many `rescue` would settle now: it is done, since what one step settles the next passes over, and undone."""
    with transaction.atomic():
        found = rescue(at=at)
        transaction.set_rollback(True)
    return found


def rescue_now(*, by: User | None, at: datetime, reason: str = "") -> int:
    """`rescue` because somebody asks for it; what the relay does by itself is nobody's doing.

    Each is settled in a transaction of its own: one that cannot be must not keep the others. So the entry comes last.
    """
    rescued = rescue(at=at)
    if rescued:
        with transaction.atomic():
            tell_of_rescue({"rescued": rescued}, by=by, at=at, reason=reason)
    return rescued


def _end_exhausted(*, at: datetime) -> int:
    """A file that killed its worker at its last attempt: the message is dead-lettered, and nobody wrote why."""
    exhausted = [run for run in _orphans(at=at) if run.attempts >= run.max_attempts]
    return sum(fail(run, error=WorkerGone(run.worker), at=at) for run in exhausted)


def _requeue_overdue(*, at: datetime) -> int:
    """Every stage is killed at its hard time limit: past it, no living worker can hold one."""
    requeued = 0
    for stage, (_, hard) in settings.STAGE_TIME_LIMITS.items():
        limit = timedelta(seconds=hard) + _redelivery()
        overdue = StageRun.objects.filter(stage=stage, state=State.PROCESSING, started_at__lt=at - limit)
        requeued += sum(requeue(run, at=at, note="no worker can still hold it") for run in overdue)
    return requeued


def _resend_lost(*, at: datetime, signs_count: bool) -> int:
    """Runs whose message is gone (purged, expired, dead-lettered unread): their queue is empty, or they wait too long.

    A wrong guess costs a second message, which finds its stage claimed.
    """
    unseen = list(StageRun.objects.filter(state=State.QUEUED, dispatched_at__lt=at - _redelivery()))
    back_off = timedelta(seconds=max(settings.QUEUE_BACKOFF_SECONDS))
    failed = list(in_back_off(StageRun.objects.filter(finished_at__lt=at - back_off - _redelivery())))
    working = list(_working(at=at))
    empty = _empty_queues() if unseen or failed or working else frozenset()
    long_ago = at - timedelta(seconds=settings.RESEND_SECONDS)
    lost = [run.pk for run in unseen if run.stage in empty or (run.dispatched_at and run.dispatched_at < long_ago)]
    resent = resend(lost, at=at) + sum(
        _begin_anew(run, at=at)
        for run in failed
        if run.stage in empty or (run.finished_at and run.finished_at < long_ago - back_off)
    )
    # The worker may live: while the database was away it could neither end the run nor claim it again, and the message
    # had its attempts. One that is in work is in flight, and its queue not empty.
    # In a queue that is never empty, a dead worker's message would have come to somebody else long ago.
    gone = {run.pk for run in _orphans(at=at) if run.started_at and run.started_at < long_ago} if signs_count else set()
    return resent + sum(_begin_anew(run, at=at) for run in working if run.stage in empty or run.pk in gone)


def _begin_anew(run: StageRun, *, at: datetime) -> bool:
    """Queue it with all its attempts; one that has come here again and again is ended, for somebody to look at."""
    if _rounds(run) < _ROUNDS:
        return requeue(run, at=at, note=_ANEW)
    if run.state == State.FAILED:
        return bool(StageRun.objects.filter(pk=run.pk, token=run.token, state=run.state).update(dead_lettered=True))
    return fail(run, error=WorkerGone(run.worker), at=at, changes={"dead_lettered": True})


def _rounds(run: StageRun) -> int:
    """How often it has come here since somebody asked for it."""
    events = run.events.all()
    asked = events.filter(note__startswith=RETRIED).aggregate(at=Max("at"))["at"]
    return events.filter(note=_ANEW, **({"at__gt": asked} if asked else {})).count()


def _orphans(*, at: datetime) -> list[StageRun]:
    """Runs of workers that are dead for longer than it takes SQS to give their messages to somebody else."""
    return [run for run in _working(at=at) if not _worker_lives(run, at=at)]


def _working(*, at: datetime) -> QuerySet[StageRun]:
    return StageRun.objects.filter(state=State.PROCESSING, started_at__lt=at - _redelivery())


def _redelivery() -> timedelta:
    """By then SQS has given a dead worker's message to somebody else."""
    return timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS)


def _worker_lives(run: StageRun, *, at: datetime) -> bool:
    """Whether the process that claimed the run still beats; one started later under the same name is another."""
    return live_workers(at=at).filter(name=run.worker, started_at__lte=run.started_at).exists()


def _empty_queues() -> frozenset[str]:
    """Stages whose queue holds no message at all, be it in flight; none where SQS cannot be asked."""
    sqs = sqs_settings()
    try:
        client = sqs.client(connect_timeout=2, read_timeout=3, attempts=1)
        stats = {found.name: found for found in queue_stats(client, queues=sqs.queues)}
    except (BotoCoreError, ClientError, QueueNotReady) as error:
        log.warning("queues_not_asked", error=str(error)[:300])
        return frozenset()
    queues: Iterable[tuple[str, str]] = ((Stage(queue.key), queue.name) for queue in sqs.queues.all)
    return frozenset(stage for stage, name in queues if not stats[name].total)
