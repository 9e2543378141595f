"""Counting attempts in the database, because workers have no HTTP for Prometheus to ask and may run anywhere."""

from django.db import connections

from apps.jobs.models import DURATION_BOUNDS, Outcome, StageRun, StageTally, State

# One statement, so that workers that end at the same moment add up instead of overwriting each other. The ORM has no
# upsert that adds, and to look for the row first would lose an attempt between the look and the write.
_ADD = f"""
INSERT INTO {StageTally._meta.db_table} AS kept (
    stage, department, outcome, attempts, seconds_total,
    rows_read, rows_loaded, rows_rejected, rows_duplicate, duration_buckets
)
VALUES (
    %(stage)s, %(department)s, %(outcome)s, 1, %(seconds)s,
    %(read)s, %(loaded)s, %(rejected)s, %(duplicate)s, %(buckets)s::bigint[]
)
ON CONFLICT (stage, department, outcome) DO UPDATE SET
    attempts = kept.attempts + excluded.attempts,
    seconds_total = kept.seconds_total + excluded.seconds_total,
    rows_read = kept.rows_read + excluded.rows_read,
    rows_loaded = kept.rows_loaded + excluded.rows_loaded,
    rows_rejected = kept.rows_rejected + excluded.rows_rejected,
    rows_duplicate = kept.rows_duplicate + excluded.rows_duplicate,
    duration_buckets = ARRAY(
        SELECT before + added
        FROM unnest(kept.duration_buckets, excluded.duration_buckets) WITH ORDINALITY AS bucket (before, added, place)
        ORDER BY place
    )
"""  # noqa: S608  (the table's name is ours)


def count(run: StageRun, *, using: str) -> None:
    """Add the attempt the run has just ended, in the transaction that ends it: both are seen, or neither.

    The row is everybody's who ends such an attempt, and locked until the commit: count as late as possible.
    """
    outcome = _outcome_of(run)
    seconds = _seconds(run)
    # A file that is refused is read again at every attempt: only what was taken in counts, once.
    taken_in = outcome == Outcome.SUCCEEDED
    with connections[using].cursor() as cursor:
        cursor.execute(
            _ADD,
            {
                "stage": run.stage,
                "department": run.department,
                "outcome": outcome,
                "seconds": seconds,
                "read": run.rows_read if taken_in else 0,
                "loaded": run.rows_loaded if taken_in else 0,
                "rejected": run.rows_rejected if taken_in else 0,
                "duplicate": run.rows_duplicate if taken_in else 0,
                "buckets": [int(seconds <= bound) for bound in DURATION_BOUNDS],
            },
        )


def _outcome_of(run: StageRun) -> Outcome:
    if run.state == State.SUCCEEDED:
        return Outcome.SUCCEEDED
    return Outcome.DEAD_LETTERED if run.dead_lettered else Outcome.FAILED


def _seconds(run: StageRun) -> float:
    if run.started_at is None or run.finished_at is None:
        return 0.0
    return max(0.0, (run.finished_at - run.started_at).total_seconds())
