"""The state machine of a stage: one table, one writer.

The WHERE clause is the lock and `token` the fence: a worker we gave up on cannot finish its successor's work. Every
change leaves a row in the journal, and the job's own status follows in the same transaction.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from django.db import transaction

from apps.jobs.models import FINISHED, Job, JobStatus, Stage, StageEvent, StageRun, State
from apps.jobs.services.tallies import count

NEXT: dict[State, frozenset[State]] = {
    # FAILED: the upload was undone, or the job cancelled, before anybody worked on it.
    State.QUEUED: frozenset({State.PROCESSING, State.FAILED}),
    # QUEUED: its worker died.
    State.PROCESSING: frozenset({State.SUCCEEDED, State.FAILED, State.QUEUED}),
    # PROCESSING: SQS delivers again. QUEUED: somebody retries.
    State.FAILED: frozenset({State.PROCESSING, State.QUEUED}),
    State.SUCCEEDED: frozenset(),
}


# How the note begins of a move that a person asked for.
RETRIED = "retried by"
# So does that of a cancellation; and the code of a run that failed by one, which nobody but a person begins again.
CANCELLED = "cancelled"

# What a success clears: the reason of an attempt before it.
NO_ERROR: dict[str, object] = {
    "error_code": "",
    "error_message": "",
    "error_hint": "",
    "error_details": {},
    "traceback": "",
}


class IllegalMove(Exception):  # noqa: N818  (it is a refusal, and reads as one)
    """The run is not where the mover believes: somebody else moved it, or holds a newer token."""


def sources(target: State) -> frozenset[State]:
    return frozenset(state for state, targets in NEXT.items() if target in targets)


def move(
    run: StageRun,
    target: State,
    *,
    at: datetime,
    note: str = "",
    changes: Mapping[str, object] = MappingProxyType({}),
    using: str = "default",
) -> StageRun:
    """Move the run to `target`, with changes of its other columns, and write the journal.

    IllegalMove where it may not go there, or is not ours any more.
    """
    with transaction.atomic(using=using):
        runs = StageRun.objects.using(using)
        held = runs.select_for_update().filter(pk=run.pk, token=run.token).first()
        if held is None or held.state not in sources(target):
            raise IllegalMove(f"{run} cannot become {target}")
        source = held.state
        moved = {**changes, "finished_at": at if target in FINISHED else None}
        runs.filter(pk=run.pk).update(state=target, **moved)
        # Locked, so this is what the row holds now: to read it again would take its job and dataset along.
        for field in StageRun._meta.concrete_fields:
            setattr(run, field.attname, moved.get(field.attname, getattr(held, field.attname)))
        run.state = target
        StageEvent.objects.using(using).create(
            run=run,
            source=source,
            target=target,
            token=run.token,
            attempts=run.attempts,
            at=at,
            note=note,
        )
        _settle(run.job_id, at=at, using=using)
        if source == State.PROCESSING and target in FINISHED:
            # Last: everybody who ends such an attempt waits for this row.
            count(run, using=using)
    return run


def start(
    job: Job,
    stage: Stage,
    *,
    at: datetime,
    max_attempts: int,
    send_after: datetime | None = None,
    using: str = "default",
) -> StageRun:
    """Add the job's run of a stage, queued: the row is the outbox.

    It is to be sent at once, or, where somebody else is about to do it, only after `send_after`.
    """
    with transaction.atomic(using=using):
        run = StageRun.objects.using(using).create(
            job_id=job.pk,
            department=job.department,
            stage=stage,
            max_attempts=max_attempts,
            queued_at=at,
            send_after=send_after or at,
        )
        StageEvent.objects.using(using).create(run=run, source="", target=State.QUEUED, token=0, attempts=0, at=at)
        _settle(job.pk, at=at, using=using)
    return run


def _settle(job_id: UUID, *, at: datetime, using: str) -> None:
    """Let the job's status follow from its stages'."""
    runs = StageRun.objects.using(using).filter(job_id=job_id)
    states = dict(runs.order_by().values_list("stage", "state"))
    stage = Stage.ML if states.get(Stage.ETL, State.SUCCEEDED) == State.SUCCEEDED else Stage.ETL
    status = status_of(states)
    finished = status in {JobStatus.SUCCEEDED, JobStatus.FAILED}
    Job.objects.using(using).filter(pk=job_id).update(status=status, stage=stage, finished_at=at if finished else None)


def status_of(states: dict[str, str]) -> JobStatus:
    """A job's status from its stages' states. An ETL that succeeded has its ML run made in the same transaction."""
    values = set(states.values())
    if State.FAILED in values:
        return JobStatus.FAILED
    if values == {State.SUCCEEDED}:
        return JobStatus.SUCCEEDED
    if values == {State.QUEUED}:
        return JobStatus.QUEUED
    return JobStatus.PROCESSING
