"""The state machine: only along the table, only by the holder of the newest token, always with a journal row."""

import itertools
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from apps.jobs.models import FINISHED, Job, JobStatus, Stage, StageEvent, StageRun, State
from apps.jobs.services.transitions import NEXT, IllegalMove, move, start, status_of
from tests.datasets.factories import DatasetFactory

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def job() -> Job:
    dataset = DatasetFactory(department="sales")
    return Job.objects.create(
        dataset=dataset, department="sales", stage=Stage.ETL, request_id="request-0001", created_at=NOW
    )


def in_state(job: Job, state: State) -> StageRun:
    run = start(job, Stage.ETL, at=NOW, max_attempts=3)
    StageRun.objects.filter(pk=run.pk).update(
        state=state, finished_at=NOW if state in FINISHED else None, error_message="because"
    )
    run.refresh_from_db()
    return run


@pytest.mark.parametrize(("source", "target"), list(itertools.product(State, State)))
def test_moves_only_along_the_table(job: Job, source: State, target: State) -> None:
    run = in_state(job, source)
    if target in NEXT[source]:
        assert move(run, target, at=NOW).state == target
        assert run.events.filter(source=source, target=target).count() == 1
    else:
        with pytest.raises(IllegalMove):
            move(run, target, at=NOW)
        run.refresh_from_db()
        assert run.state == source
        assert not run.events.exclude(source="").exists()


def test_an_outdated_token_moves_nothing(job: Job) -> None:
    run = in_state(job, State.PROCESSING)
    StageRun.objects.filter(pk=run.pk).update(token=run.token + 1)
    with pytest.raises(IllegalMove):
        move(run, State.SUCCEEDED, at=NOW)
    assert StageRun.objects.get(pk=run.pk).state == State.PROCESSING


def test_a_started_run_is_to_be_sent_and_journalled(job: Job) -> None:
    run = start(job, Stage.ETL, at=NOW, max_attempts=3)
    assert run.dispatched_at is None
    assert StageEvent.objects.get(run=run).target == State.QUEUED


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ({"etl": "queued"}, JobStatus.QUEUED),
        ({"etl": "processing"}, JobStatus.PROCESSING),
        ({"etl": "failed"}, JobStatus.FAILED),
        ({"etl": "succeeded", "ml": "queued"}, JobStatus.PROCESSING),
        ({"etl": "succeeded", "ml": "processing"}, JobStatus.PROCESSING),
        ({"etl": "succeeded", "ml": "failed"}, JobStatus.FAILED),
        ({"etl": "succeeded", "ml": "succeeded"}, JobStatus.SUCCEEDED),
        ({"ml": "queued"}, JobStatus.QUEUED),
        ({"ml": "succeeded"}, JobStatus.SUCCEEDED),
    ],
)
def test_the_job_follows_from_its_stages(states: dict[str, str], status: JobStatus) -> None:
    assert status_of(states) == status


def test_the_job_has_an_end_exactly_when_it_has_ended(job: Job) -> None:
    run = in_state(job, State.PROCESSING)
    move(run, State.FAILED, at=NOW, changes={"error_code": "x", "error_message": "because"})
    job.refresh_from_db()
    assert (job.status, job.finished_at) == (JobStatus.FAILED, NOW)
    move(run, State.QUEUED, at=NOW)
    job.refresh_from_db()
    assert (job.status, job.finished_at) == (JobStatus.QUEUED, None)


@pytest.mark.parametrize(
    "impossible",
    [
        {"state": State.SUCCEEDED},
        {"state": State.QUEUED, "finished_at": NOW},
        {"state": State.FAILED, "finished_at": NOW, "error_message": ""},
    ],
)
def test_the_database_refuses_impossible_runs(job: Job, impossible: dict[str, object]) -> None:
    run = start(job, Stage.ETL, at=NOW, max_attempts=3)
    with pytest.raises(IntegrityError), transaction.atomic():
        StageRun.objects.filter(pk=run.pk).update(**impossible)


def test_a_dataset_has_one_active_job(job: Job) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.create(
            dataset=job.dataset, department="sales", stage=Stage.ETL, request_id="request-0002", created_at=NOW
        )
