"""What the page of one job tells: where it is, every attempt at it, what went in, and where to read on."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.conf import settings
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.console import audit_address, badge, department_label, span
from apps.insights.models import Insight
from apps.jobs import clock
from apps.jobs.admin.diagram import Diagram, draw
from apps.jobs.admin.log_lines import Lines, lines_of
from apps.jobs.admin.words import STATE_KINDS, STATUS_KINDS
from apps.jobs.models import Job, JobStatus, OperationItem, Stage, StageEvent, StageRun, State
from apps.jobs.services.dispatch import in_back_off

# A journal may be long where a worker died again and again; what is older is in the list of the journal.
_EVENTS_SHOWN = 200
_OTHERS_SHOWN = 10
# Of a job that was tried a hundred times the newest tell enough.
_LOGS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One worker's go at a stage, or (`number` None) the wait for the next one. `claim`: its run and its token."""

    stage: str
    number: int | None
    queued_at: datetime
    claim: tuple[int, int] | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    worker: str = ""
    outcome: str = ""
    kind: str = ""
    waited: float = 0.0
    ran: float | None = None

    @property
    def waited_for(self) -> str:
        return span(self.waited)

    @property
    def ran_for(self) -> str:
        return span(self.ran)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """An attempt beside the others: where its wait begins, how long it was, how long the attempt, in percent."""

    attempt: Attempt
    left: float
    waited: float
    ran: float

    @property
    def begun(self) -> float:
        return self.left + self.waited

    @property
    def outcome(self) -> SafeString:
        return badge(self.attempt.outcome, self.attempt.kind)


@dataclass(frozen=True, kw_only=True)
class AttemptLog:
    """`said` is None where the worker left nothing."""

    attempt: Attempt
    said: Lines | None


@dataclass(frozen=True, kw_only=True)
class StagePart:
    run: StageRun
    diagram: Diagram

    @property
    def badge(self) -> SafeString:
        return badge(self.run.get_state_display(), STATE_KINDS[State(self.run.state)])

    @property
    def details(self) -> str:
        return json.dumps(self.run.error_details, indent=2, ensure_ascii=False)

    @property
    def progress(self) -> str:
        run = self.run
        return f"{run.progress_done:,} of {run.progress_total:,} {run.progress_unit}" if run.progress_total else ""


@dataclass(frozen=True, kw_only=True)
class JobPage:
    job: Job
    stages: list[StagePart]
    ahead: list[str]
    attempts: list[Bar]
    journal: list[StageEvent]
    journal_is_cut: bool
    insights: list[Insight]
    others: list[Job]
    operations: list[OperationItem]
    took: str
    logs: list[AttemptLog]
    logs_at: str

    @property
    def status(self) -> SafeString:
        return badge(self.job.get_status_display(), STATUS_KINDS[JobStatus(self.job.status)])

    @property
    def department(self) -> str:
        return department_label(self.job.department)

    @property
    def audit(self) -> SafeString:
        return format_html(
            '<a href="{}">what was done to it</a>, <a href="{}">to it and its upload</a>',
            audit_address(target_id=str(self.job.pk)),
            audit_address(target_id__in=f"{self.job.pk},{self.job.dataset_id}"),
        )


def job_page(job: Job, *, with_logs: bool = False) -> JobPage:
    at = clock.now()
    runs = list(job.stages.order_by("stage"))
    newest = list(StageEvent.objects.filter(run__in=runs).order_by("-id")[: _EVENTS_SHOWN + 1])
    journal = newest[:_EVENTS_SHOWN][::-1]
    by_run = {run.pk: [event for event in journal if event.run_id == run.pk] for run in runs}
    for event in journal:
        event.run = next(run for run in runs if run.pk == event.run_id)
    again = set(in_back_off(job.stages.all()).values_list("pk", flat=True))
    attempts = [
        attempt for run in runs for attempt in attempts_at(run, by_run[run.pk], at=at, comes_again=run.pk in again)
    ]
    insights = (
        Insight.objects.filter(dataset=job.dataset_id)
        .order_by("kind")
        .only("kind", "computed_at", "summary", "department")
    )
    others = Job.objects.filter(dataset=job.dataset_id).exclude(pk=job.pk).order_by("-created_at")
    operations = OperationItem.objects.filter(Q(job=job) | Q(dataset=job.dataset_id)).order_by("-pk")
    operations = operations.select_related("operation")
    return JobPage(
        job=job,
        stages=[StagePart(run=run, diagram=draw(run, by_run[run.pk])) for run in runs],
        ahead=[stage.value.upper() for stage in Stage if stage not in {run.stage for run in runs}],
        attempts=bars_of(attempts, at=at),
        journal=journal,
        journal_is_cut=len(newest) > _EVENTS_SHOWN,
        insights=list(insights),
        others=list(others[:_OTHERS_SHOWN]),
        operations=list(operations[:_OTHERS_SHOWN]),
        took=span(((job.finished_at or at) - job.created_at).total_seconds()),
        logs=logs_of(attempts) if with_logs else [],
        logs_at=logs_address(job),
    )


def logs_of(attempts: list[Attempt]) -> list[AttemptLog]:
    """Of the newest attempts, the newest one first."""
    begun = {attempt.claim: attempt for attempt in attempts if attempt.claim is not None}
    newest = list(begun)[: -_LOGS_SHOWN - 1 : -1]
    said = lines_of(newest)
    return [AttemptLog(attempt=begun[claim], said=said.get(claim)) for claim in newest]


def attempts_at(
    run: StageRun, events: Iterable[StageEvent], *, at: datetime, comes_again: bool = False
) -> list[Attempt]:
    """As the journal tells them, the first one first. `comes_again`: it has failed, and SQS delivers its message
    again."""
    found: list[Attempt] = []
    free_since = run.queued_at
    begun: StageEvent | None = None
    for event in events:
        if event.target == State.PROCESSING:
            begun = event
            continue
        if begun is not None:
            found.append(_attempt(run, begun, free_since=free_since, ended=event, at=at))
            begun = None
        free_since = event.at
    if begun is not None:
        found.append(_attempt(run, begun, free_since=free_since, ended=None, at=at))
    elif run.state == State.QUEUED:
        words = "waits for a worker" if run.dispatched_at else "waits in the outbox"
        waited = (at - free_since).total_seconds()
        found.append(Attempt(stage=run.stage, number=None, queued_at=free_since, outcome=words, waited=waited))
    elif found and comes_again:
        waited = (at - free_since).total_seconds()
        found.append(
            Attempt(stage=run.stage, number=None, queued_at=free_since, outcome="SQS delivers it again", waited=waited)
        )
    return found


def _attempt(
    run: StageRun, begun: StageEvent, *, free_since: datetime, ended: StageEvent | None, at: datetime
) -> Attempt:
    outcome, kind = "runs", "info"
    if ended is not None:
        outcome, kind = {
            State.SUCCEEDED: ("succeeded", "good"),
            State.FAILED: (f"failed: {ended.note}" if ended.note else "failed", "bad"),
        }.get(State(ended.target), (f"given up: {ended.note}" if ended.note else "given up", "warn"))
    return Attempt(
        stage=run.stage,
        number=begun.attempts,
        claim=(run.pk, begun.token),
        queued_at=free_since,
        began_at=begun.at,
        ended_at=ended.at if ended else None,
        worker=begun.note,
        outcome=outcome,
        kind=kind,
        waited=(begun.at - free_since).total_seconds(),
        ran=((ended.at if ended else at) - begun.at).total_seconds(),
    )


def bars_of(attempts: list[Attempt], *, at: datetime) -> list[Bar]:
    if not attempts:
        return []
    begin = min(attempt.queued_at for attempt in attempts)
    # A moment's whole would be nothing to take a part of.
    whole = max((max(attempt.ended_at or at for attempt in attempts) - begin).total_seconds(), 0.001) / 100
    return [
        Bar(
            attempt=attempt,
            left=round((attempt.queued_at - begin).total_seconds() / whole, 3),
            waited=round(max(attempt.waited, 0) / whole, 3),
            ran=round(max(attempt.ran or 0, 0) / whole, 3),
        )
        for attempt in attempts
    ]


def logs_address(job: Job) -> str:
    """Where the log lines of the job are read (LOG_LINK); empty where nobody said."""
    known = {"job_id": str(job.pk), "request_id": job.request_id, "dataset_id": str(job.dataset_id)}
    address: str = settings.LOG_LINK
    for name, value in known.items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    return address
