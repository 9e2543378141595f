"""Who may work a stage: every delivery is at least once, so the claim decides what this one means."""

import enum
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import structlog
from django.db import transaction

from aetherflow.errors import AnticipatedError
from aetherflow.etl import FileRefused
from apps.datasets.storage import is_full
from apps.jobs import lines
from apps.jobs.memory import MemoryLimitExceeded
from apps.jobs.models import Job, StageRun, State
from apps.jobs.services.transitions import CANCELLED, IllegalMove, move
from apps.jobs.sqs.delivery import Delivery
from apps.jobs.sqs.messages import Message

log = structlog.get_logger(__name__)

_TRACEBACK_AT_MOST = 20_000


class WorkerGone(Exception):  # noqa: N818  (named for what happened)
    """The whole worker was killed and could not write why."""


class Verdict(enum.Enum):
    WORK = "the stage is ours"
    DONE = "the stage was done by an earlier delivery"
    ANOTHER = "another message is in charge of the stage"
    OBSOLETE = "the upload was undone, the job cancelled, or a newer job has taken over"


@dataclass(frozen=True, kw_only=True)
class Claim:
    verdict: Verdict
    run: StageRun


def claim(run: StageRun, *, delivery: Delivery, worker: str, at: datetime) -> Claim:
    """Take the stage for this delivery, with a new fencing token.

    The same message seen again while its stage is still in work means SQS gave up on the former worker (its visibility
    ran out unextended), so the stage is taken over; whoever held it finds its token outdated. A message that is not
    the one in charge is a duplicate and changes nothing: the one in charge comes back by itself.
    """
    with transaction.atomic():
        held = StageRun.objects.select_for_update(of=("self",)).select_related("job__dataset").get(pk=run.pk)
        same = held.message_id == (delivery.message_id or "")
        if held.state == State.SUCCEEDED:
            return Claim(verdict=Verdict.DONE, run=held)
        if _obsolete(held):
            # In work under this very message: its worker died, and nobody else will end the run.
            if held.state == State.QUEUED or (held.state == State.PROCESSING and same):
                fail_undone(held, at=at)
            return Claim(verdict=Verdict.OBSOLETE, run=held)
        if _not_in_charge(held, same=same, first=delivery.receive_count == 1):
            return Claim(verdict=Verdict.ANOTHER, run=held)
        if held.state == State.PROCESSING:
            move(held, State.QUEUED, at=at, note=f"{held.worker} lost it")
        move(
            held,
            State.PROCESSING,
            at=at,
            note=worker,
            changes={
                "token": held.token + 1,
                "attempts": delivery.receive_count,
                "message_id": delivery.message_id or "",
                "worker": worker,
                "started_at": at,
                "dispatched_at": held.dispatched_at or at,
                "dead_lettered": False,
                "progress_done": 0,
                "progress_total": 0,
                "progress_unit": "",
            },
        )
    lines.claimed(run_id=held.pk, token=held.token)
    return Claim(verdict=Verdict.WORK, run=held)


def _not_in_charge(run: StageRun, *, same: bool, first: bool) -> bool:
    """Whether another message than this one works the run, now or after its back-off."""
    match State(run.state):
        case State.PROCESSING:
            return not same
        case State.FAILED:
            # Until it is dead-lettered the failed message comes again, and a second one would double its attempts.
            # Afterwards a new message is a redrive, while one that has been received before is a late duplicate.
            return not same and not (run.dead_lettered and first)
        case State.QUEUED:
            # Retried or rescued, so a new message is on its way: this one, in its back-off then, has had its attempts.
            return same and bool(run.message_id)
    return False


def _obsolete(run: StageRun) -> bool:
    if run.job.dataset.deleted_at is not None:
        return True
    if run.state == State.FAILED and run.error_code == CANCELLED:
        return True
    newer = Job.objects.filter(dataset_id=run.job.dataset_id, created_at__gt=run.job.created_at)
    return run.state == State.FAILED and newer.exists()


def fail_undone(run: StageRun, *, at: datetime, using: str = "default") -> None:
    move(
        run,
        State.FAILED,
        at=at,
        using=using,
        changes={
            "error_code": "upload-undone",
            "error_message": "The upload was undone before it was worked.",
            "error_hint": "",
        },
    )


def fail(
    run: StageRun, *, error: BaseException, at: datetime, changes: Mapping[str, object] = MappingProxyType({})
) -> bool:
    """Write the reason to the job, at the first attempt already. False: the run is no longer ours, and left alone
    (`is_called_off` says whether somebody wanted it so)."""
    code, message, hint, details = reason_of(error)
    last = run.attempts >= run.max_attempts
    try:
        move(
            run,
            State.FAILED,
            at=at,
            note=code,
            changes={
                "error_code": code,
                "error_message": message,
                "error_hint": hint,
                "error_details": details,
                "traceback": "".join(traceback.format_exception(error))[-_TRACEBACK_AT_MOST:],
                "dead_lettered": last,
                **changes,
            },
        )
    except IllegalMove:
        if is_called_off(run):
            log.info("stage_called_off", job_id=str(run.job_id), stage=run.stage)
        else:
            log.warning("stage_failed_late", job_id=str(run.job_id), stage=run.stage, code=code)
        return False
    return True


def is_called_off(run: StageRun) -> bool:
    """Whether this claim of the run ended because somebody cancelled the job, which may have been retried since. Its
    message has nothing to come again for."""
    return run.events.filter(target=State.FAILED, token=run.token + 1, note__startswith=CANCELLED).exists()


def fail_lost(*, message: Message, worker: str, error: BaseException, at: datetime) -> None:
    """Write the reason for a child process that could not: the run of this message that this worker holds."""
    held = StageRun.objects.filter(
        stage=message.job_type, state=State.PROCESSING, worker=worker, job__dataset_id=message.dataset_id
    )
    for run in held.select_related("job"):
        if fail(run, error=error, at=at):
            # The line the child could not write. The ids are the run's: after a hard time limit Celery tells none.
            log.warning(
                "stage_ended",
                status="failed",
                error=f"{run.error_code}: {run.error_message}",
                request_id=run.job.request_id,
                job_id=str(run.job_id),
                dataset_id=str(message.dataset_id),
                department=run.department,
                stage=run.stage,
                attempt=run.attempts,
            )


def reason_of(error: BaseException) -> tuple[str, str, str, dict[str, object]]:
    """(code, message, hint, details) for the person who uploaded the file."""
    if isinstance(error, MemoryError):
        error = MemoryLimitExceeded()
    if isinstance(error, FileRefused):
        place = {"line": error.line, "column": error.column}
        known = {name: value for name, value in place.items() if value is not None}
        return error.code, error.message, error.hint, error.details | known
    if isinstance(error, AnticipatedError):
        return error.code, error.message, error.hint, error.details
    if is_full(error):
        return (
            "disk-full",
            "The worker's disk has no room for the file.",
            "The platform tries again by itself. If it stays, tell the operators: the disk of TMPDIR is full.",
            {},
        )
    kind = type(error).__name__
    if kind in {"SoftTimeLimitExceeded", "TimeLimitExceeded"}:
        return (
            "time-limit",
            "The file took longer than a stage may take.",
            "Split the file into smaller ones, or ask the operators to raise the stage's time limit.",
            {},
        )
    if kind in {"WorkerLostError", "WorkerGone"}:
        return (
            "worker-lost",
            "The worker process ended while it worked on the file.",
            "The platform tries again by itself. If it stays, tell the operators: the file may need more memory.",
            {},
        )
    return (
        "internal-error",
        f"Something broke on our side ({kind}).",
        "The platform tries again by itself. If it stays, give the operators the request id.",
        {},
    )
