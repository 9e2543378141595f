"""The console's first page: the platform at one look, each number leading to the list it counts.

Read as the dashboard's System page is: a source that hangs or is away costs its own numbers, and never the page.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from aetherflow.registry import departments
from apps.accounts.console import department_label
from apps.jobs import pulse
from apps.jobs.admin import charts
from apps.jobs.admin.letters import letters_address
from apps.jobs.models import Operation, Stage, StageRun
from apps.jobs.probes import Probe
from apps.jobs.pulse import Day, Durations, LastSuccess
from apps.jobs.selectors import running_operations
from apps.jobs.status import WITHIN_SECONDS, Answer, SystemStatus, answered, system_status

# What `?refresh` asks for: anew every so many seconds.
REFRESH_SECONDS = 10

_day = Probe(pulse.last_day)
_successes = Probe(pulse.last_successes)
_operations = Probe(running_operations)


@dataclass(frozen=True, kw_only=True)
class Number:
    """`value` None: not known. `href` is empty for who may not look there."""

    value: int | None
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class QueueRow:
    key: str
    name: str
    waiting: Number
    in_flight: Number
    delayed: Number
    oldest_seconds: float | None
    dead: Number


@dataclass(frozen=True, kw_only=True)
class OutboxRow:
    stage: str
    waiting: Number
    lag_seconds: float


@dataclass(frozen=True, kw_only=True)
class DepartmentRow:
    slug: str
    label: str
    queued: Number
    processing: Number
    last: LastSuccess | None
    all_href: str


@dataclass(frozen=True, kw_only=True)
class FailureRow:
    code: str
    stage: str
    count: Number
    dead: Number
    departments: str
    latest_at: datetime


@dataclass(frozen=True, kw_only=True)
class WorkerRow:
    name: str
    host: str
    queues: str
    alive: bool
    started_at: datetime | None
    beat_at: datetime | None
    tasks: list[StageRun]
    href: str


@dataclass(frozen=True, kw_only=True)
class Drawing:
    title: str
    chart: charts.Chart
    of: Durations | None = None


@dataclass(frozen=True, kw_only=True)
class HourRow:
    begins: datetime
    ends: datetime
    succeeded: int
    failed: int
    stages: list[Durations | None]


class Home:
    """What the template shows, in its words."""

    def __init__(self, request: HttpRequest) -> None:
        self._user = request.user
        at = timezone.now()
        until = time.monotonic() + WITHIN_SECONDS
        day, successes, operations = _day.begin(at), _successes.begin(), _operations.begin()
        self.status: SystemStatus = system_status(at=at)
        self.day: Answer[Day] = answered("day", day, until=until)
        self.successes: Answer[list[LastSuccess]] = answered("successes", successes, until=until)
        self.operations: Answer[list[Operation]] = answered("operations", operations, until=until)
        self.refresh = REFRESH_SECONDS if "refresh" in request.GET else None
        self.stage_names = [stage.value.upper() for stage in Stage]

    @property
    def queues(self) -> list[QueueRow]:
        return [
            QueueRow(
                key=queue.queue.upper(),
                name=queue.name,
                waiting=self._stages(queue.visible, stage=queue.queue, state="queued", sent="yes"),
                in_flight=self._stages(queue.in_flight, stage=queue.queue, state="processing"),
                # In its back-off: the stage has failed, and is delivered again.
                delayed=self._stages(queue.delayed, stage=queue.queue, dead="again"),
                oldest_seconds=queue.oldest_seconds,
                dead=Number(value=queue.dead_letters, href=letters_address(queue.queue, self._user)),
            )
            for queue in self.status.queues.items
        ]

    @property
    def outbox(self) -> list[OutboxRow]:
        return [
            OutboxRow(
                stage=row.stage.upper(),
                waiting=self._stages(row.waiting, stage=row.stage, state="queued", sent="no"),
                lag_seconds=row.lag_seconds,
            )
            for row in self.status.outbox.items
        ]

    @property
    def department_rows(self) -> list[DepartmentRow]:
        last = {success.department: success for success in self.successes.found or []}
        under_way = {row.department: row for row in self.status.jobs.items}
        rows = []
        for slug in [*departments(), *(slug for slug in under_way if slug not in departments())]:
            jobs = under_way.get(slug)
            rows.append(
                DepartmentRow(
                    slug=slug,
                    label=department_label(slug),
                    queued=self._jobs(jobs.queued if jobs else None, department=slug, status="queued"),
                    processing=self._jobs(jobs.processing if jobs else None, department=slug, status="processing"),
                    last=last.get(slug),
                    all_href=self._jobs(None, department=slug, status="succeeded").href,
                )
            )
        return rows

    @property
    def failures(self) -> list[FailureRow]:
        return [
            FailureRow(
                code=row.code,
                stage=row.stage.upper(),
                count=self._jobs(row.count, error=row.code, stage=row.stage, ended="24h"),
                dead=self._jobs(row.dead_lettered, error=row.code, stage=row.stage, tries="none", ended="24h"),
                departments=", ".join(row.departments),
                latest_at=row.latest_at,
            )
            for row in self.status.failures.items
        ]

    @property
    def workers(self) -> list[WorkerRow]:
        rows = []
        for seen in self.status.workers.items:
            beat = seen.heartbeat
            rows.append(
                WorkerRow(
                    name=seen.name,
                    host=seen.name.rpartition("@")[2],
                    queues=", ".join(beat.queues) if beat else "-",
                    alive=seen.alive,
                    started_at=beat.started_at if beat else None,
                    beat_at=beat.beat_at if beat else None,
                    tasks=seen.runs,
                    href=self._stages(None, worker=seen.name).href,
                )
            )
        return rows

    @property
    def drawings(self) -> list[Drawing]:
        day = self.day.found
        if day is None:
            return []
        of_stages = [
            Drawing(
                title=f"How long {stage.value.upper()} took",
                chart=charts.durations(day, stage.value),
                of=day.durations.get(stage.value),
            )
            for stage in Stage
        ]
        return [Drawing(title="Jobs that ended, by hour", chart=charts.throughput(day)), *of_stages]

    @property
    def totals(self) -> list[tuple[str, Number]]:
        day = self.day.found
        if day is None:
            return []
        return [
            ("succeeded", self._jobs(day.succeeded, status="succeeded", ended="24h")),
            ("failed", self._jobs(day.failed, status="failed", ended="24h")),
        ]

    @property
    def hours(self) -> list[HourRow]:
        """The newest first, as a table is read."""
        return [
            HourRow(
                begins=hour.begins,
                ends=hour.ends,
                succeeded=hour.succeeded,
                failed=hour.failed,
                stages=[hour.durations.get(stage) for stage in Stage.values],
            )
            for hour in reversed(self.day.found.hours if self.day.found else [])
        ]

    def _jobs(self, value: int | None, **asked: str) -> Number:
        return self._number(value, "job", asked)

    def _stages(self, value: int | None, **asked: str) -> Number:
        return self._number(value, "stagerun", asked)

    def _number(self, value: int | None, model: str, asked: dict[str, str]) -> Number:
        href = ""
        if self._user.has_perm(f"jobs.view_{model}"):
            href = f"{reverse(f'admin:jobs_{model}_changelist')}?{urlencode(asked)}"
        return Number(value=value, href=href)


def show_home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold asks this for what the first page shows (DASHBOARD_CALLBACK)."""
    if request.user.has_perm("jobs.view_job"):
        context["home"] = Home(request)
    return context
