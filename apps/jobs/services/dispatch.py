"""The outbox: sending what it holds, each department its share.

A stage row is written with what it announces. It is sent after the commit if its department has a place free in the
line; otherwise it waits for one, oldest first. So a burst of one department stays in the database, and another's
single file finds a short queue (docs/adr/0006-fair-dispatch.md). What a sender that died did not send, the relay
sends; sending twice is harmless: a stage is claimed once.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.accounts.services.auditing import Target, record
from apps.jobs import clock
from apps.jobs.broker import app
from apps.jobs.models import ACTIVE, Job, Stage, StageRun, State
from apps.jobs.selectors import live_workers
from apps.jobs.services.transitions import CANCELLED, IllegalMove, move
from apps.jobs.sqs import sending
from apps.jobs.sqs.messages import EtlMessage, MlMessage

log = structlog.get_logger(__name__)

ETL_WORKER = "etl_worker"
# Any number of our own: the first half of the advisory locks that keep one department's count.
_LOCKS = 0x6465_7074


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


def dispatch(department: str, *, at: datetime) -> int:
    """Send as many of the department's waiting runs as it has places free; returns how many were.

    Raises NotSent where SQS is away: what was not sent waits for the relay.
    """
    lease, reserved = _reserve(department, at=at)
    sent = 0
    for place, pk in enumerate(reserved):
        if not _still_ours(pk, lease=lease):
            continue
        try:
            _send(pk, at=at)
        except sending.NotSent:
            StageRun.objects.filter(pk__in=reserved[place:], dispatched_at=None).update(send_after=at)
            raise
        sent += 1
    return sent


def dispatch_after_commit(department: str) -> None:
    """Dispatch once the transaction is there to be seen. Never raises into the request: the relay covers a failure."""
    transaction.on_commit(partial(pass_on, department))


def pass_on(department: str) -> None:
    """Give the department's free places to what waits. Whatever fails is left to the relay."""
    try:
        dispatch(department, at=clock.now())
    except sending.NotSent as error:
        log.warning("not_dispatched", department=department, error=str(error)[:300])
    except Exception:
        log.exception("not_dispatched", department=department)


def relay(*, at: datetime) -> int:
    """Dispatch every department's waiting runs; returns how many were sent. Raises NotSent where SQS is away."""
    waiting = _waiting(at=at).order_by("department").values_list("department", flat=True).distinct()
    sent, refusal = 0, None
    for department in list(waiting):
        try:
            sent += dispatch(department, at=at)
        except sending.NotSent as error:
            refusal = error  # the others' turn comes all the same
    if refusal:
        raise refusal
    return sent


def due(*, at: datetime) -> int:
    """How many runs wait to be sent now; each goes once its department has a place free."""
    return _waiting(at=at).count()


def _reserve(department: str, *, at: datetime) -> tuple[datetime, list[int]]:
    """The lease, and the runs that are ours to send under it. No lock is held while SQS is talked to."""
    lease = at + _grace()
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Two who count at the same time would both see the last place free.
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCKS, department])
        etl, whole = _places(department, at=at)
        waiting = (
            _waiting(at=at).filter(department=department).order_by("queued_at", "pk").values_list("queued_at", "pk")
        )
        runs = [*waiting.filter(stage=Stage.ETL)[:etl], *waiting.exclude(stage=Stage.ETL)[:whole]]
        reserved = [pk for _, pk in sorted(runs)[:whole]]
        StageRun.objects.filter(pk__in=reserved).update(send_after=lease)
    return lease, reserved


def _still_ours(run_id: int, *, lease: datetime) -> bool:
    """Renew the lease of one run: the sends before it may have outlived it, and somebody else sent it meanwhile."""
    ours = StageRun.objects.filter(pk=run_id, state=State.QUEUED, dispatched_at=None, send_after=lease)
    return bool(ours.update(send_after=max(lease, clock.now() + _grace())))


def _waiting(*, at: datetime) -> QuerySet[StageRun]:
    return StageRun.objects.filter(state=State.QUEUED, dispatched_at=None, send_after__lte=at)


def _places(department: str, *, at: datetime) -> tuple[int, int]:
    """How many more of the department's runs may be sent: ETL stages, and stages at all.

    In flight is what is sent, about to be, or in work; one in its back-off takes no place. The share keeps every live
    worker busy, and one more ETL stage at hand for the next that is free, but no queue in front of the others.
    """
    sent = Q(state=State.PROCESSING) | ~Q(dispatched_at=None) | Q(send_after__gt=at)
    in_flight = StageRun.objects.filter(sent, department=department, state__in=ACTIVE)
    counts = in_flight.aggregate(etl=Count("pk", filter=Q(stage=Stage.ETL)), whole=Count("pk"))
    etl_slots, ml_slots = (
        live_workers(at=at).filter(queues__contains=[queue]).aggregate(slots=Sum("slots"))["slots"] or 0
        for queue in (Stage.ETL, Stage.ML)
    )
    at_least: int = settings.DEPARTMENT_IN_FLIGHT
    etl = max(at_least, etl_slots + 1) - counts["etl"]
    whole = max(at_least, etl_slots + ml_slots) - counts["whole"]
    return max(0, min(etl, whole)), max(0, whole)


def _send(run_id: int, *, at: datetime) -> None:
    run = StageRun.objects.select_related("job__dataset").get(pk=run_id)
    message = ml_message(run.job, at=at) if run.stage == Stage.ML else etl_message(run.job, at=at)
    with structlog.contextvars.bound_contextvars(
        job_id=str(run.job_id),
        dataset_id=str(run.job.dataset_id),
        department=run.department,
        stage=run.stage,
        request_id=run.job.request_id,
    ):
        try:
            sending.send(app, message, job_id=str(run.job_id), request_id=run.job.request_id)
        except sending.NotSent as error:
            log.warning("stage_not_sent", error=str(error)[:300])
            raise
        StageRun.objects.filter(pk=run.pk, dispatched_at=None).update(dispatched_at=at)
        log.info("stage_sent")


def _grace() -> timedelta:
    """How long a send may take before somebody else does it."""
    return timedelta(seconds=settings.RELAY_GRACE_SECONDS)


def in_other_hands_until(at: datetime) -> datetime:
    """For a run whose message somebody else holds or sends: when that must have died, and SQS given its message on."""
    return at + _grace() + timedelta(seconds=2 * settings.QUEUE_VISIBILITY_SECONDS)


@transaction.atomic
def recover(*, at: datetime, by: User | None = None, reason: str = "") -> int:
    """After all queues were lost and all workers stopped: every unfinished stage is to be sent again."""
    requeued = sum(
        requeue(run, at=at, note="the queue was lost while it was in work")
        for run in StageRun.objects.filter(state=State.PROCESSING)
    )
    requeued += sum(
        requeue(run, at=at, note="the queue was lost during its back-off")
        for run in in_back_off(StageRun.objects.all())
    )
    recovered = requeued + _send_again(StageRun.objects.exclude(dispatched_at=None, send_after__lte=at), at=at)
    if recovered:
        tell_of_rescue({"recovered": recovered}, by=by, at=at, reason=reason)
    return recovered


def tell_of_rescue(done: dict[str, int], *, by: User | None, at: datetime, reason: str) -> None:
    everything = Target(type="queue", name="all that was left behind")
    record(AuditAction.RESCUED, everything, by=by, at=at, reason=reason, details=done)


def in_back_off(runs: QuerySet[StageRun]) -> QuerySet[StageRun]:
    """Those that failed and whose message comes again by itself; not where the job was cancelled, the upload undone or
    run anew."""
    newer = Job.objects.filter(dataset_id=OuterRef("job__dataset_id"), created_at__gt=OuterRef("job__created_at"))
    failed = runs.filter(state=State.FAILED, dead_lettered=False, job__dataset__deleted_at=None)
    return failed.exclude(Exists(newer)).exclude(error_code=CANCELLED)


def requeue(run: StageRun, *, at: datetime, note: str) -> bool:
    """Queue a run of a worker that is gone, to be sent again; False where it has moved meanwhile."""
    try:
        # With a new token: a worker that was given up and goes on must not end the run in its successor's place.
        move(run, State.QUEUED, at=at, note=note, changes={"attempts": 0, "token": run.token + 1, **to_be_sent(at)})
    except IllegalMove:
        return False
    return True


def resend(run_ids: list[int], *, at: datetime) -> int:
    """Queue runs again whose message was lost; returns how many had not been seen by a worker meanwhile."""
    return _send_again(StageRun.objects.filter(pk__in=run_ids).exclude(dispatched_at=None), at=at)


def _send_again(runs: QuerySet[StageRun], *, at: datetime) -> int:
    return runs.filter(state=State.QUEUED).update(dispatched_at=None, send_after=at)


def to_be_sent(at: datetime) -> dict[str, object]:
    """Columns of a run that waits to be sent again, behind what waits already."""
    return {"dispatched_at": None, "queued_at": at, "send_after": at}
