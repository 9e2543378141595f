"""The platform at one look, for those who run it: every source is read beside the others and says itself if it fails.

A source that hangs costs the look WITHIN_SECONDS and its own numbers, never the page.
"""

import time
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from aetherflow.errors import UnavailableError
from aetherflow.registry import departments
from apps.jobs import clock, probes
from apps.jobs.broker import sqs_settings
from apps.jobs.models import JobStatus, Stage
from apps.jobs.probes import Probe, answer_of, no_answer
from apps.jobs.readiness import readiness
from apps.jobs.selectors import (
    FailureClass,
    Waiting,
    WorkerSeen,
    failures_since,
    unfinished_jobs,
    waiting_stages,
    workers_seen,
)
from apps.jobs.sqs.queues import QueueNotReady, QueueStats

log = structlog.get_logger(__name__)
Found = TypeVar("Found")
Item = TypeVar("Item")

# Somebody looks at an empty page meanwhile.
WITHIN_SECONDS = 0.8
FAILURES_OF = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Section(Generic[Item]):
    """What one source tells; `problem` says in a sentence why it tells nothing, and is None where it does."""

    problem: str | None
    items: list[Item]


@dataclass(frozen=True, kw_only=True)
class Service:
    name: str
    status: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """A queue; None is what is not known. The counts are SQS' own, the age is the database's: SQS does not tell it."""

    queue: str
    name: str
    visible: int | None
    in_flight: int | None
    delayed: int | None
    dead_letters: int | None
    oldest_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class OutboxState:
    """Runs of a stage whose message is not sent yet, and the age of the oldest."""

    stage: str
    waiting: int
    lag_seconds: float


@dataclass(frozen=True, kw_only=True)
class DepartmentJobs:
    department: str
    queued: int
    processing: int


@dataclass(frozen=True, kw_only=True)
class SystemStatus:
    read_at: datetime
    services: list[Service]
    queues: Section[QueueState]
    outbox: Section[OutboxState]
    jobs: Section[DepartmentJobs]
    workers: Section[WorkerSeen]
    failures: Section[FailureClass]
    failures_since: datetime


@dataclass(frozen=True, kw_only=True)
class _Line:
    at: datetime
    waiting: dict[str, Waiting]
    unfinished: dict[tuple[str, str], int]

    def age(self, moment: datetime | None) -> float:
        return max(0.0, (self.at - moment).total_seconds()) if moment else 0.0


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[Found]):
    """What was found, or None and why."""

    found: Found | None
    problem: str | None


_NOTHING = Waiting(count=0, since=None, sent_since=None)

# One for each section, so that a query that hangs takes no other section with it. By the database's clock, which wrote
# the times they compare.
_line = Probe(lambda: _Line(at=clock.now(), waiting=waiting_stages(), unfinished=unfinished_jobs()))
_workers = Probe(lambda: workers_seen(at=clock.now()))
_failures = Probe(failures_since)


@dataclass(frozen=True, kw_only=True)
class LineStatus:
    queues: Section[QueueState]
    outbox: Section[OutboxState]


def line_status(*, within: float) -> LineStatus:
    """What waits, and nothing else of the platform; takes `within` seconds at most."""
    until = time.monotonic() + within
    line, queues = _line.begin(), probes.queues.begin()
    known = answered("line", line, until=until, within=within)
    counts = answered("queues", queues, until=until, within=within)
    return LineStatus(
        queues=Section(problem=counts.problem, items=_queues(counts.found, known.found)),
        outbox=Section(problem=known.problem, items=_outbox(known.found) if known.found else []),
    )


def system_status(*, at: datetime) -> SystemStatus:
    until = time.monotonic() + WITHIN_SECONDS
    since = at - FAILURES_OF
    line, workers, failures, queues = _line.begin(), _workers.begin(), _failures.begin(since), probes.queues.begin()
    services = readiness(within=WITHIN_SECONDS)
    known = answered("line", line, until=until)
    counts = answered("queues", queues, until=until)
    seen = answered("workers", workers, until=until)
    failed = answered("failures", failures, until=until)
    return SystemStatus(
        read_at=at,
        services=[Service(name=name, **check) for name, check in services.items()],
        queues=Section(problem=counts.problem, items=_queues(counts.found, known.found)),
        outbox=Section(problem=known.problem, items=_outbox(known.found) if known.found else []),
        jobs=Section(problem=known.problem, items=_jobs(known.found) if known.found else []),
        workers=Section(problem=seen.problem, items=seen.found or []),
        failures=Section(problem=failed.problem, items=failed.found or []),
        failures_since=since,
    )


def answered(source: str, look: Future[Found], *, until: float, within: float | None = None) -> Answer[Found]:
    """`within` is what the sentence says that was waited for; WITHIN_SECONDS, where nothing else is said."""
    try:
        return Answer(found=answer_of(look, until=until), problem=None)
    except (QueueNotReady, UnavailableError) as error:
        return Answer(found=None, problem=f"{error.message} {error.hint}")
    except Exception as error:  # noqa: BLE001  (whatever it is, the other sources are still to be told of)
        log.warning("status_not_read", source=source, error=f"{type(error).__name__}: {error}"[:300])
        return Answer(found=None, problem=no_answer(error, within=WITHIN_SECONDS if within is None else within))


def _queues(counts: list[QueueStats] | None, known: _Line | None) -> list[QueueState]:
    counted = {found.name: found for found in counts or []}
    states = []
    for queue in sqs_settings().queues.all:
        own, dead = counted.get(queue.name), counted.get(queue.dead_letter_name)
        states.append(
            QueueState(
                queue=queue.key,
                name=queue.name,
                visible=own.visible if own else None,
                in_flight=own.in_flight if own else None,
                delayed=own.delayed if own else None,
                dead_letters=dead.total if dead else None,
                # A queue is called like its stage.
                oldest_seconds=known.age(known.waiting.get(queue.key, _NOTHING).sent_since) if known else None,
            )
        )
    return states


def _outbox(known: _Line) -> list[OutboxState]:
    waiting = {stage: known.waiting.get(stage, _NOTHING) for stage in Stage.values}
    return [
        OutboxState(stage=stage, waiting=found.count, lag_seconds=known.age(found.since))
        for stage, found in waiting.items()
    ]


def _jobs(known: _Line) -> list[DepartmentJobs]:
    slugs = [*departments(), *sorted({slug for slug, _ in known.unfinished} - set(departments()))]
    return [
        DepartmentJobs(
            department=slug,
            queued=known.unfinished.get((slug, JobStatus.QUEUED), 0),
            processing=known.unfinished.get((slug, JobStatus.PROCESSING), 0),
        )
        for slug in slugs
    ]
