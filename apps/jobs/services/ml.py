"""The ML stage: the department's current rows → its insights."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pandas as pd
import structlog
from django.db import connection, transaction

from aetherflow.department import Department
from aetherflow.errors import ConflictError
from aetherflow.registry import department as find_department
from apps.datasets.current import current_rows, rolled_up_rows
from apps.datasets.models import Dataset
from apps.datasets.selectors import hold_rows, live_datasets
from apps.datasets.services import lock_department
from apps.insights.comparing import Answer
from apps.insights.selectors import chosen_settings, reviews_by_kind
from apps.insights.services.storing import replace_insights
from apps.jobs import clock
from apps.jobs.models import StageRun, State
from apps.jobs.services.claims import Verdict, claim, fail, fail_undone, is_called_off
from apps.jobs.services.foreign import ml_run_of
from apps.jobs.services.transitions import NO_ERROR, IllegalMove, move
from apps.jobs.sqs.delivery import Delivery
from apps.jobs.sqs.messages import MlMessage

log = structlog.get_logger(__name__)

_PASSES = 5


def work_ml(*, message: MlMessage, delivery: Delivery, worker: str, at: datetime) -> None:
    """Compute the department's insights for the run. A failure is written to the job first and then raised."""
    claimed = claim(ml_run_of(message, delivery=delivery, at=at), delivery=delivery, worker=worker, at=at)
    run = claimed.run
    if claimed.verdict is not Verdict.WORK:
        log.info("delivery_without_work", job_id=str(run.job_id), stage=run.stage, verdict=claimed.verdict.name)
        return
    try:
        _compute(run, dataset=run.job.dataset)
    except Exception as error:
        if not fail(run, error=error, at=clock.now()) and is_called_off(run):
            return
        raise


@dataclass(frozen=True, kw_only=True)
class _Computed:
    """Answers and the one view of the rows that all of them were computed from; `rows_of` how many rows each upload
    has, those among them that a newer one supersedes."""

    answers: list[Answer]
    rows: int
    rows_of: dict[UUID, int]
    settings: dict[str, dict[str, float]]
    snapshot_at: datetime


def _compute(run: StageRun, *, dataset: Dataset) -> None:
    for _ in range(_PASSES):
        computed = _computed(find_department(dataset.department), run=run)
        if _store(computed, run=run, dataset=dataset):
            return
    raise ConflictError(
        "The department's uploads or settings changed faster than insights can be computed.",
        code="uploads-changing",
        hint="The platform tries again by itself.",
    )


def _store(computed: _Computed, *, run: StageRun, dataset: Dataset) -> bool:
    """Store the insights and end the run; False where an upload they rest on was undone meanwhile, or a setting
    changed.

    The department's lock puts an undo or a change before this (seen here) or after it (which then queues a new run).
    """
    with transaction.atomic():
        lock_department(dataset.department, using="default")
        live = set(live_datasets(dataset.department).values_list("pk", flat=True))
        if dataset.pk not in live:
            fail_undone(run, at=clock.now())
            return True
        if not live.issuperset(computed.rows_of) or chosen_settings(dataset.department) != computed.settings:
            return False
        replace_insights(
            dataset=dataset,
            answers=computed.answers,
            basis={
                "rows": computed.rows,
                "datasets": [str(pk) for pk in computed.rows_of],
                "rows_of": {str(pk): rows for pk, rows in computed.rows_of.items()},
            },
            at=computed.snapshot_at,
        )
        move(
            run,
            State.SUCCEEDED,
            at=clock.now(),
            changes={
                "progress_done": len(computed.answers),
                "progress_total": len(computed.answers),
                "progress_unit": "insights",
                **NO_ERROR,
            },
        )
    log.info("insights_stored", insights=len(computed.answers), rows=computed.rows)
    return True


def _computed(department: Department, *, run: StageRun) -> _Computed:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        hold_rows(department.slug)
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement_timestamp()")
            (snapshot_at,) = cursor.fetchone()
        frames, count = rows_for(department)
        settings = chosen_settings(department.slug)
        reviews = reviews_by_kind(department.slug)
        rows_of = dict(live_datasets(department.slug).order_by("number").values_list("pk", "rows_loaded"))
    answers = []
    for done, insight in enumerate(department.insights):
        ours = StageRun.objects.filter(pk=run.pk, token=run.token)
        if not ours.update(progress_done=done, progress_total=len(department.insights), progress_unit="insights"):
            raise IllegalMove(f"{run} is not ours any more")
        given = insight.given(settings=settings[insight.kind], reviews=reviews.get(insight.kind, ()))
        # Taken out, so that the method holds the rows alone and may let go of what it has read of them.
        result = insight.compute(frames.pop(insight.kind), given)
        answers.append(Answer(insight=insight, given=given, result=result))
    return _Computed(answers=answers, rows=count, rows_of=rows_of, settings=settings, snapshot_at=snapshot_at)


def rows_for(department: Department) -> tuple[dict[str, pd.DataFrame], int]:
    """What each insight is computed from, by its kind, and how many rows there are. Inside a transaction: all of them
    see the same."""
    plain = [insight for insight in department.insights if insight.rollup is None]
    columns = tuple(dict.fromkeys(column for insight in plain for column in insight.columns))
    shared = current_rows(department.slug, columns=columns) if plain else pd.DataFrame()
    added = {
        insight.kind: rolled_up_rows(department.slug, insight.rollup)
        for insight in department.insights
        if insight.rollup is not None
    }
    frames = {insight.kind: added.get(insight.kind, shared) for insight in department.insights}
    if plain:
        return frames, len(shared)
    return frames, next((int(frame["rows"].sum()) for frame in added.values()), 0)
