"""Reads of jobs. A department user's only doors are the `*_for(user)` functions; what looks across the departments (the
line, the workers, the failures, operations on many) is for operators and machines."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg, StringAgg
from django.db.models import Count, F, Max, Min, Prefetch, Q, QuerySet, TextField
from django.db.models.functions import MD5, Cast

from aetherflow.errors import NotFoundError
from apps.accounts.models import User
from apps.accounts.scope import all_departments
from apps.accounts.selectors import departments_of
from apps.datasets.models import Dataset
from apps.jobs.models import (
    OF_JOBS,
    ItemStatus,
    Job,
    JobStatus,
    Operation,
    OperationItem,
    OperationKind,
    SplitState,
    Stage,
    StageRun,
    StageSplit,
    State,
    WorkerHeartbeat,
)

UNFINISHED = (JobStatus.QUEUED, JobStatus.PROCESSING)
# A worker that was killed says no farewell; for so long its silence is news.
_REMEMBERED = timedelta(days=1)


def jobs_for(user: User) -> QuerySet[Job]:
    """The jobs this user may see, newest first; two queries however many there are."""
    return (
        Job.objects.filter(department__in=departments_of(user))
        .select_related("dataset", "requested_by")
        .defer("dataset__profile")
        .prefetch_related(Prefetch("stages", StageRun.objects.order_by("stage").defer("traceback")))
    )


def job_for(user: User, job_id: UUID) -> Job:
    """NotFoundError for a foreign one just as for one that never was."""
    found = jobs_for(user).filter(pk=job_id).first()
    if found is None:
        raise NotFoundError("There is no such job.", hint="The address may be wrong.")
    return found


def dead_after() -> timedelta:
    """Three missed beats make a worker dead."""
    return timedelta(seconds=3 * settings.WORKER_HEARTBEAT_SECONDS)


def live_workers(*, at: datetime) -> QuerySet[WorkerHeartbeat]:
    """Workers that have beaten lately."""
    return WorkerHeartbeat.objects.filter(beat_at__gte=at - dead_after())


def relay_lives(*, at: datetime) -> bool:
    """Whether somebody works operations off."""
    return live_workers(at=at).filter(queues__contains=["relay"]).exists()


def running_operations() -> list[Operation]:
    """The newest first."""
    return list(Operation.objects.filter(ended_at=None).select_related("started_by"))


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Of one stage: how many runs wait in the outbox, since when the oldest of them does, and since when the oldest
    message is out that no worker has begun."""

    count: int
    since: datetime | None
    sent_since: datetime | None


def waiting_stages() -> dict[str, Waiting]:
    """stage → what waits; a stage of which nothing does is not there."""
    unsent = Q(dispatched_at=None)
    queued = (
        StageRun.objects.filter(state=State.QUEUED)
        .order_by()
        .values_list("stage")
        .annotate(count=Count("pk", filter=unsent), since=Min("queued_at", filter=unsent), sent=Min("dispatched_at"))
    )
    return {stage: Waiting(count=count, since=since, sent_since=sent) for stage, count, since, sent in queued}


def working_stages() -> dict[str, int]:
    """stage → how many are being worked; a stage of which none is is not there."""
    working = StageRun.objects.filter(state=State.PROCESSING).order_by().values_list("stage")
    return dict(working.annotate(count=Count("pk")))


def unfinished_jobs() -> dict[tuple[str, str], int]:
    """(department, status) → how many; without those of which there is none."""
    jobs = Job.objects.filter(status__in=UNFINISHED).order_by().values_list("department", "status")
    return {(department, status): count for department, status, count in jobs.annotate(count=Count("pk"))}


@dataclass(frozen=True, kw_only=True)
class WorkerSeen:
    """A worker process (or a relay) and what it has in hand, or helps another with. `heartbeat` is None where only its
    work is known."""

    name: str
    heartbeat: WorkerHeartbeat | None
    alive: bool
    runs: list[StageRun]


def etl_tasks_at_work(*, besides: StageRun, at: datetime) -> int:
    """How many have another file than this one in hand, of whatever department, or help another with it."""
    with all_departments():
        working = StageRun.objects.filter(stage=Stage.ETL, state=State.PROCESSING).exclude(pk=besides.pk)
        return working.count() + _helping(at).exclude(run=besides).count()


def _helping(at: datetime) -> QuerySet[StageSplit]:
    """The splits that others have in hand than those who called."""
    return StageSplit.objects.filter(state=SplitState.TAKEN, held_until__gt=at).exclude(worker=F("run__worker"))


def workers_seen(*, at: datetime) -> list[WorkerSeen]:
    """Those that live, those that fell silent within a day, and those that hold work without a sign of life."""
    in_hand: defaultdict[str, list[StageRun]] = defaultdict(list)
    working = StageRun.objects.filter(state=State.PROCESSING).select_related("job__dataset").order_by("started_at")
    for run in working.defer("traceback", "job__dataset__profile"):
        in_hand[run.worker].append(run)
    helping = _helping(at)
    large = ("plan", "found", "keys", "rejects", "run__traceback", "run__job__dataset__profile")
    for split in helping.select_related("run__job__dataset").defer(*large):
        in_hand[split.worker].append(split.run)
    beats = {beat.name: beat for beat in WorkerHeartbeat.objects.filter(beat_at__gte=at - _REMEMBERED)}
    live = at - dead_after()
    return [
        WorkerSeen(
            name=name,
            heartbeat=(beat := beats.get(name)),
            alive=beat is not None and beat.beat_at >= live,
            runs=in_hand.get(name, []),
        )
        for name in sorted({*beats, *in_hand})
    ]


def error_codes() -> list[str]:
    """By which stages have failed, and not been run again."""
    failed = StageRun.objects.filter(state=State.FAILED).order_by("error_code")
    return list(failed.values_list("error_code", flat=True).distinct())


@dataclass(frozen=True, kw_only=True)
class FailureClass:
    """Stages that failed by one code and have not been run again."""

    code: str
    stage: str
    count: int
    dead_lettered: int
    departments: list[str]
    latest_at: datetime


def failures_since(since: datetime) -> list[FailureClass]:
    """The commonest first."""
    failed = (
        StageRun.objects.filter(state=State.FAILED, finished_at__gte=since)
        .order_by()
        .values("error_code", "stage")
        .annotate(
            count=Count("pk"),
            dead=Count("pk", filter=Q(dead_lettered=True)),
            latest=Max("finished_at"),
            of=ArrayAgg("department", distinct=True, order_by="department"),
        )
    )
    return [
        FailureClass(
            code=each["error_code"],
            stage=each["stage"],
            count=each["count"],
            dead_lettered=each["dead"],
            departments=each["of"],
            latest_at=each["latest"],
        )
        for each in failed.order_by("-count", "error_code", "stage")
    ]


def targets_of(kind: OperationKind, jobs: QuerySet[Job]) -> QuerySet[Job] | QuerySet[Dataset]:
    """What an operation on these jobs acts on: the jobs, or each of their uploads once."""
    if kind in OF_JOBS:
        return Job.objects.filter(pk__in=jobs.values("pk"))
    return Dataset.objects.filter(pk__in=jobs.values("dataset"))


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What an operation would come to, to be shown before it is confirmed: how many jobs or uploads it acts on, a
    digest that tells these from as many others (both are what `start_operation` expects), how many of them wait in
    another of its kind and so would be refused, how many there are of each department."""

    count: int
    digest: str
    waiting_elsewhere: int
    departments: dict[str, int]


def selection_of(kind: OperationKind, jobs: QuerySet[Job]) -> Selection:
    targets = targets_of(kind, jobs)
    found = targets.order_by("department").values_list("department").annotate(count=Count("pk"))
    departments: dict[str, int] = dict(found)
    waiting = OperationItem.objects.filter(kind=kind, status=ItemStatus.WAITING)
    elsewhere = waiting.filter(**{f"{'job' if kind in OF_JOBS else 'dataset'}__in": targets.values("pk")})
    return Selection(
        count=sum(departments.values()),
        digest=digest_of(targets, "pk"),
        waiting_elsewhere=elsewhere.count(),
        departments=departments,
    )


def digest_of(rows: QuerySet[Any], field: str) -> str:
    """Of the ids in this field, whatever their order; in the database, since they may be fifty thousand."""
    told = StringAgg(Cast(field, TextField()), delimiter=",", order_by=field)
    return rows.order_by().aggregate(digest=MD5(told))["digest"] or ""
