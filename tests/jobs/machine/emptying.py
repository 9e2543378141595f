"""A database with nothing in it, for each of the many runs of the rules."""

from django.db import connection

from apps.datasets.models import CLEAN_TABLES, Dataset, Overlap, Reject, RowDigests
from apps.insights.models import Insight, InsightItem
from apps.jobs.models import IdempotentRequest, Job, StageEvent, StageLog, StageRun, StageTally, WorkerHeartbeat

# What is held by others before these.
_EVERYTHING = (
    *(StageLog, StageEvent, StageRun, StageTally, IdempotentRequest, Job, WorkerHeartbeat),
    *(InsightItem, Insight, Reject, *CLEAN_TABLES.values(), RowDigests, Overlap, Dataset),
)


def empty() -> None:
    with connection.cursor() as cursor:
        for model in _EVERYTHING:
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')  # noqa: S608
