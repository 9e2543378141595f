"""Reads of jobs. A request's only doors are the `*_for(user)` functions."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, QuerySet

from aetherflow.errors import NotFoundError
from apps.accounts.models import User
from apps.accounts.selectors import departments_of
from apps.jobs.models import Job, StageRun, WorkerHeartbeat


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
