"""What the tests of the console's pages share: people with and without permissions, and jobs as they stand later."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from apps.accounts.models import User
from apps.jobs.models import Job, JobStatus, Stage, StageEvent, StageRun, State
from tests.accounts.factories import AdminFactory, UserFactory, operator_with
from tests.datasets.factories import DatasetFactory

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WHY = "the release of Monday failed them"


def logged_in(user: User | None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def somebody(kind: str, *permissions: str) -> User | None:
    """`nobody`, a department's `member`, an `operator` without and a `viewer` with the permissions, a `superuser`."""
    if kind == "nobody":
        return None
    if kind == "member":
        member: User = UserFactory()
        return member
    if kind == "superuser":
        superuser: User = AdminFactory()
        return superuser
    return operator_with(*permissions) if kind == "viewer" else operator_with()


def job_of(
    *,
    status: JobStatus = JobStatus.SUCCEEDED,
    stage: Stage = Stage.ML,
    error: str = "",
    dead: bool = False,
    at: datetime = MONDAY,
    took: timedelta = timedelta(seconds=40),
    dataset: Any = None,
    **dataset_fields: Any,
) -> Job:
    """A job as its workers left it, with its stages."""
    dataset = dataset or DatasetFactory(**dataset_fields)
    ended = status in {JobStatus.SUCCEEDED, JobStatus.FAILED}
    job = Job.objects.create(
        dataset=dataset,
        department=dataset.department,
        status=status,
        stage=stage,
        requested_by=dataset.uploaded_by,
        request_id=str(uuid.uuid4()),
        created_at=at,
        finished_at=at + took if ended else None,
    )
    if stage == Stage.ML:
        _run(job, Stage.ETL, State.SUCCEEDED, at=at, took=took / 2)
    _run(job, stage, State(status.value), at=at, took=took, error_code=error, dead_lettered=dead)
    return job


def _run(job: Job, stage: Stage, state: State, *, at: datetime, took: timedelta, **fields: Any) -> None:
    begun = state != State.QUEUED
    run = StageRun.objects.create(
        job=job,
        department=job.department,
        stage=stage,
        state=state,
        token=int(begun),
        attempts=int(begun),
        max_attempts=3,
        worker=f"{stage}@here" if begun else "",
        queued_at=at,
        send_after=at,
        dispatched_at=at,
        started_at=at + timedelta(seconds=1) if begun else None,
        finished_at=at + took if state in {State.SUCCEEDED, State.FAILED} else None,
        error_message="It did not work." if state == State.FAILED else "",
        **fields,
    )
    moves = [("", State.QUEUED, at, "")]
    if begun:
        moves.append((State.QUEUED, State.PROCESSING, at + timedelta(seconds=1), run.worker))
    if run.finished_at:
        moves.append((State.PROCESSING, state, run.finished_at, run.error_code))
    StageEvent.objects.bulk_create(
        StageEvent(
            run=run,
            source=source,
            target=target,
            token=int(bool(source)),
            attempts=int(bool(source)),
            at=moment,
            note=note,
        )
        for source, target, moment, note in moves
    )


class AskedPage:
    """The page between asking and doing, as a browser shows and sends it."""

    def __init__(self, console: Client, address: str, answer: Any) -> None:
        assert answer.status_code == 200
        self._console, self._address, self.question = console, address, answer.context["question"]
        self.words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))
        self.hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.content.decode())

    def send(self, **given: Any) -> Any:
        """The answer; what leads on is followed."""
        fields: dict[str, Any] = {}
        for name, value in self.hidden:
            fields.setdefault(name, []).append(value)
        return self._console.post(self._address, {**fields, "reason": WHY, "rate": 60, **given}, follow=True)

    def again(self, **given: Any) -> "AskedPage":
        return AskedPage(self._console, self._address, self.send(**given))
