"""What a load leaves behind."""

from typing import Any

from django.db import connection

from aetherflow.etl.summaries import FEW
from apps.datasets.models import Dataset
from apps.jobs.models import Job, Stage
from tests.jobs.steps import rows_of
from tests.support.roles import as_owner


def told_of(job: Job) -> dict[str, Any]:
    """All that a load leaves behind, but for where the rows stand and what the upload before was."""
    dataset = Dataset.objects.get(pk=job.dataset_id)
    profile = dict(dataset.profile)
    del profile["drift"]
    for column in profile["columns"]:
        # Of as many as there are rows: which are counted hangs on where a batch ends.
        if column["distinct_is_estimate"] or column["distinct"] > FEW:
            del column["top"], column["top_short_by"]
    places = ("pk", "id", "bucket", "dataset_no")
    rows = [{name: value for name, value in each.items() if name not in places} for each in rows_of(job).values()]
    run = job.stages.get(stage=Stage.ETL)
    with as_owner() as cursor:
        cursor.execute(
            "SELECT part, digests FROM datasets_rowdigests WHERE dataset_no = %s ORDER BY part", [dataset.number]
        )
        digests = [(part, bytes(each)) for part, each in cursor.fetchall()]
    return {
        "rows": sorted(rows, key=lambda each: each["line"]),
        "rejects": list(
            dataset.rejects.order_by("line", "column").values("line", "column", "value", "code", "message", "cells")
        ),
        "profile": profile,
        "digests": digests,
        "reading": dataset.reading,
        "counts": (run.rows_read, run.rows_loaded, run.rows_rejected, run.rows_duplicate),
        **{
            name: getattr(dataset, name)
            for name in ("rejects_by_code", "rejects_by_column", "rejected_lines", "listed_lines", "listed_faults")
        },
    }


def tables_of(department: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE %s AND relkind IN ('r', 'p')", [f"clean\\_{department}$%"]
        )
        return {name for (name,) in cursor.fetchall()}
