"""Ending a job because somebody says so."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from aetherflow.errors import ConflictError, InvalidError
from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.accounts.services.auditing import record
from apps.jobs.models import ACTIVE, Job, StageRun, State
from apps.jobs.services.dispatch import dispatch_after_commit, in_back_off
from apps.jobs.services.telling import job_target, part_of
from apps.jobs.services.transitions import CANCELLED, move


@transaction.atomic
def cancel(*, job: Job, by: User, reason: str, at: datetime, operation: UUID | None = None) -> Job:
    """Fail the job with the code `cancelled` and who said so and why, which its owner reads; it can be retried.

    Where it waits, or failed and would be tried again, it is never begun. A worker that has it in hand stops at its
    next sign of progress, and what it did in its transaction comes to nothing. ConflictError where the job has ended.
    """
    if not reason.strip():
        raise InvalidError(
            "To cancel a job needs a reason, which its owner reads.",
            code="reason-missing",
            hint="Say in a few words why it is not to be worked.",
        )
    run = _under_way(job)
    if run is None:
        job.refresh_from_db()
        raise ConflictError(
            f"The job has ended: it is {job.status}. Only one that waits, is in work or will be tried again by itself "
            "can be cancelled.",
            code="job-ended",
            hint="Look at it again.",
        )
    why = {
        "error_code": CANCELLED,
        "error_message": f"{by.full_name} cancelled the job: {reason.strip()}",
        "error_hint": "Retry it to have the file worked after all.",
        "error_details": {},
        "traceback": "",
    }
    was = run.state
    if was in ACTIVE:
        # With a new token: the worker that holds it finds its own outdated.
        move(run, State.FAILED, at=at, note=f"{CANCELLED} by {by.email}", changes={"token": run.token + 1, **why})
    else:
        # It has failed already and nobody holds it: only what is said of it changes, and with it that it comes again.
        StageRun.objects.filter(pk=run.pk).update(**why)
    # It has left the line: another upload may take its place.
    dispatch_after_commit(run.department)
    details = {"dataset": str(job.dataset_id), "stage": run.stage, "was": was, **part_of(operation)}
    record(AuditAction.JOB_CANCELLED, job_target(job), by=by, at=at, reason=reason, details=details)
    job.refresh_from_db()
    return job


def _under_way(job: Job) -> StageRun | None:
    """The run to be ended, held until the transaction ends; None where there is none."""
    # First all are held: an ETL stage at its very end comes to it, and then the ML stage it has begun is the one. Not
    # their job's row, which a worker that ends one of them takes after that one.
    runs = job.stages.select_for_update(of=("self",)).order_by("pk")
    list(runs.values_list("pk"))
    return runs.filter(state__in=ACTIVE).first() or in_back_off(runs).first()
