"""How the last day went: how many jobs ended, how long their stages took, when each department last had a success."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, F, Func, IntegerField, Q

from aetherflow.registry import departments
from apps.jobs.models import Job, JobStatus, Stage, StageRun, State

HOURS = 24


@dataclass(frozen=True, kw_only=True)
class Durations:
    """Of the attempts that succeeded, in seconds."""

    count: int
    p50: float
    p95: float


@dataclass(frozen=True, kw_only=True)
class Hour:
    """`ago` 0 is the hour that ends now. `durations` holds the stages that had any."""

    ago: int
    begins: datetime
    ends: datetime
    succeeded: int
    failed: int
    durations: dict[str, Durations]


@dataclass(frozen=True, kw_only=True)
class Day:
    """The hours of a day, the oldest first; `durations` of the whole of it."""

    hours: list[Hour]
    durations: dict[str, Durations]

    @property
    def succeeded(self) -> int:
        return sum(hour.succeeded for hour in self.hours)

    @property
    def failed(self) -> int:
        return sum(hour.failed for hour in self.hours)


@dataclass(frozen=True, kw_only=True)
class LastSuccess:
    department: str
    job: Job | None


def last_day(at: datetime) -> Day:
    """Two queries, by the index of what has ended."""
    ended = _ended(at)
    durations = _durations(at)
    hours = []
    for ago in reversed(range(HOURS)):
        ends = at - timedelta(hours=ago)
        succeeded, failed = ended.get(ago, (0, 0))
        hours.append(
            Hour(
                ago=ago,
                begins=ends - timedelta(hours=1),
                ends=ends,
                succeeded=succeeded,
                failed=failed,
                durations=durations[ago],
            )
        )
    return Day(hours=hours, durations=durations[None])


def last_successes() -> list[LastSuccess]:
    """Of each department the job that succeeded last: one query, a row from the index for each."""
    first, *others = [
        Job.objects.filter(department=slug, status=JobStatus.SUCCEEDED)
        .order_by("-finished_at")
        .only("department", "finished_at")[:1]
        for slug in departments()
    ]
    found = {job.department: job for job in (first.union(*others, all=True) if others else first)}
    return [LastSuccess(department=slug, job=found.get(slug)) for slug in departments()]


def _ended(at: datetime) -> dict[int, tuple[int, int]]:
    """hours ago → (succeeded, failed)"""
    seconds = Func(at - F("finished_at"), function="extract", template="extract(epoch FROM %(expressions)s)")
    jobs = (
        Job.objects.filter(finished_at__gt=at - timedelta(hours=HOURS), finished_at__lte=at)
        .annotate(ago=Func(seconds / 3600, function="floor", output_field=IntegerField()))
        .order_by()
        .values_list("ago")
        .annotate(
            succeeded=Count("pk", filter=Q(status=JobStatus.SUCCEEDED)),
            failed=Count("pk", filter=Q(status=JobStatus.FAILED)),
        )
    )
    return {int(ago): (succeeded, failed) for ago, succeeded, failed in jobs}


# The ORM knows neither ordered-set aggregates nor grouping sets.
_DURATIONS = f"""
SELECT CASE WHEN grouping(ago) = 0 THEN ago END, stage, count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY took), percentile_cont(0.95) WITHIN GROUP (ORDER BY took)
FROM (
    SELECT run.stage, extract(epoch FROM run.finished_at - run.started_at) AS took,
        floor(extract(epoch FROM %(at)s - job.finished_at) / 3600)::int AS ago
    FROM {Job._meta.db_table} job JOIN {StageRun._meta.db_table} run ON run.job_id = job.id
    WHERE job.finished_at > %(since)s AND job.finished_at <= %(at)s AND %(done)s = run.state
) AS ended
GROUP BY GROUPING SETS ((ago, stage), (stage))
"""  # noqa: S608  (the tables' names are ours)


def _durations(at: datetime) -> defaultdict[int | None, dict[str, Durations]]:
    """hours ago, or None for the whole day → stage → durations; of jobs that ended then."""
    found: defaultdict[int | None, dict[str, Durations]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_DURATIONS, {"at": at, "since": at - timedelta(hours=HOURS), "done": State.SUCCEEDED.value})
        for ago, stage, count, p50, p95 in cursor.fetchall():
            found[ago][Stage(stage).value] = Durations(count=count, p50=float(p50), p95=float(p95))
    return found
