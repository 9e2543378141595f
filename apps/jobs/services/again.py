"""A run again: a failed job from the stage that failed, a dataset from a chosen stage, a department after an undo or
with other settings."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from django.db import transaction

from aetherflow.errors import ConflictError
from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.accounts.services.auditing import record
from apps.datasets.models import Dataset
from apps.datasets.selectors import corrections_of, live_datasets
from apps.datasets.services import clear, lock_department, mark_undone, target_of
from apps.insights.services.choosing import choose
from apps.insights.services.storing import drop_insights
from apps.jobs.models import ACTIVE, Cause, Job, JobStatus, Stage, StageRun, State
from apps.jobs.services.claims import fail_undone
from apps.jobs.services.dispatch import dispatch_after_commit, to_be_sent
from apps.jobs.services.submission import enqueue, one_active_job_of
from apps.jobs.services.telling import job_target, part_of
from apps.jobs.services.transitions import RETRIED, IllegalMove, move

_UNDER_WAY = [JobStatus(state) for state in sorted(ACTIVE)]


@transaction.atomic
def retry(*, job: Job, by: User, at: datetime, reason: str = "", operation: UUID | None = None) -> Job:
    """Queue the stage that failed again, with all its attempts. ConflictError where there is none.

    `operation`: of which it is a part, here and in the other services; the audit's entry tells it.
    """
    if job.dataset.deleted_at is not None:
        raise _undone_already()
    run = job.stages.filter(state=State.FAILED).first()
    newer = Job.objects.filter(dataset=job.dataset, created_at__gt=job.created_at).exclude(pk=job.pk)
    if run is None or newer.exists():
        raise ConflictError(
            f"The job is {job.status}; only the newest job of an upload, and only a failed one, can be retried.",
            code="job-not-failed",
            hint="Look at the upload's newest job.",
        )
    # With a new token: a worker that was given up and goes on must not end what was asked for anew.
    changes = {"attempts": 0, "token": run.token + 1, "dead_lettered": False, **to_be_sent(at)}
    try:
        with one_active_job_of(job.dataset):
            move(run, State.QUEUED, at=at, note=f"{RETRIED} {by.email}", changes=changes)
    except IllegalMove:
        raise ConflictError("The job moved meanwhile.", code="job-not-failed", hint="Look at it again.") from None
    dispatch_after_commit(run.department)
    details = {"dataset": str(job.dataset_id), "stage": run.stage, **part_of(operation)}
    record(AuditAction.JOB_RETRIED, job_target(job), by=by, at=at, reason=reason, details=details)
    job.refresh_from_db()
    return job


def reprocess(
    *,
    dataset: Dataset,
    first: Stage,
    by: User | None,
    at: datetime,
    request_id: str = "",
    reason: str = "",
    operation: UUID | None = None,
) -> Job:
    """A new job of a dataset from stage `first`. ConflictError while one is under way, once it was undone, or from ml
    before its first load."""
    if dataset.deleted_at is not None:
        raise _undone_already()
    if first == Stage.ML and dataset.loaded_at is None:
        raise ConflictError(
            f"{dataset.name} has no clean rows yet.",
            code="not-loaded",
            hint="Reprocess it from the etl stage.",
        )
    with transaction.atomic():
        job = enqueue(
            dataset=dataset,
            cause=Cause.REPROCESS,
            by=by,
            at=at,
            request_id=request_id or str(uuid4()),
            first=first,
        )
        details = {"job": str(job.pk), "from": first, **part_of(operation)}
        record(AuditAction.REPROCESSED, target_of(dataset), by=by, at=at, reason=reason, details=details)
    return job


@transaction.atomic
def undo(
    *, dataset: Dataset, by: User, at: datetime, request_id: str, reason: str = "", operation: UUID | None = None
) -> Job | None:
    """Undo an upload and its corrections: their rows, rejects and insights go, what they superseded counts again,
    insights are recomputed.

    Returns the job that recomputes, or None where no other data is left to compute from or one is under way already.
    """
    lock_department(dataset.department, using="default")
    if not mark_undone(dataset=dataset, by=by, at=at):
        return None
    undone = [dataset]
    undone += [each for each in corrections_of(dataset) if mark_undone(dataset=each, by=by, at=at)]
    for each in undone:
        drop_insights(dataset=each)
        # A correction goes with the upload that it completes: whoever looks for it finds why.
        with_it = {} if each is dataset else {"with": str(dataset.pk)}
        record(AuditAction.UNDONE, target_of(each), by=by, at=at, reason=reason, details=with_it | part_of(operation))
    # Held: one that a worker claims meanwhile is not among them; it finds out by itself.
    queued = StageRun.objects.select_for_update(of=("self",)).filter(job__dataset__in=undone, state=State.QUEUED)
    for run in queued.order_by("pk"):
        fail_undone(run, at=at)
    # What was queued has left the line: another upload may take its place.
    dispatch_after_commit(dataset.department)
    job = _recompute(dataset.department, cause=Cause.UNDO, by=by, at=at, request_id=request_id)
    for each in undone:
        # Without these locks in hand, whoever's transaction is around this one: a load that holds the rows waits for
        # them.
        transaction.on_commit(partial(clear, each))
    return job


@transaction.atomic
def undo_first(
    *, dataset: Dataset, by: User, at: datetime, request_id: str, reason: str = "", operation: UUID | None = None
) -> Job | None:
    """`undo`, for who is to hear of it where somebody else was first: ConflictError then."""
    # Held, so that whoever undoes it first is seen here.
    lock_department(dataset.department, using="default")
    if Dataset.objects.exclude(deleted_at=None).filter(pk=dataset.pk).exists():
        raise ConflictError(
            "The upload was undone before.", code="upload-undone", hint="Its page and the audit say by whom."
        )
    return undo(dataset=dataset, by=by, at=at, request_id=request_id, reason=reason, operation=operation)


@transaction.atomic
def change_settings(
    *, department: str, values: Mapping[tuple[str, str], float | None], by: User, at: datetime, request_id: str
) -> Job | None:
    """Set what the department's insights are computed with, as `choose` does; they are recomputed where that changes
    anything.

    Returns the job that recomputes, or None where nothing changes, there is no data, or one is under way already.
    """
    lock_department(department, using="default")
    if not choose(department=department, values=values, by=by, at=at):
        return None
    return _recompute(department, cause=Cause.SETTINGS, by=by, at=at, request_id=request_id)


def _undone_already() -> ConflictError:
    return ConflictError("The upload was undone.", code="upload-undone", hint="Upload the file again.")


def _recompute(department: str, *, cause: Cause, by: User, at: datetime, request_id: str) -> Job | None:
    """Insights anew from what is left; a job that is under way does it by itself, since it looks before it stores."""
    heir = live_datasets(department).exclude(jobs__status__in=_UNDER_WAY).first()
    if heir is None:
        return None
    try:
        return enqueue(dataset=heir, cause=cause, by=by, at=at, request_id=request_id, first=Stage.ML)
    except ConflictError:
        return None
