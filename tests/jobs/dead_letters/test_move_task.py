"""SQS's own move of all letters, where the endpoint has it."""

from typing import Any

import pytest

from aetherflow.errors import ConflictError
from apps.jobs.models import Job, JobStatus, State
from apps.jobs.services import dead_letters as service
from apps.jobs.services.dead_letters import (
    Result,
    Way,
    redrive_all,
)
from apps.jobs.sqs.letters import LetterBox
from tests.jobs.letters import (
    BAD_FILE,
    GOOD,
    Upload,
    mend,
    only,
    put,
    run_of,
    settled,
    url,
    work_all,
)

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


@pytest.fixture
def moving(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An endpoint that has move tasks; what it was told. Each letter is a new message of the source queue."""
    told: list[str] = []

    def start(box: LetterBox) -> bool:
        told.append(box.queue.key)
        for message in box.receive(seconds=60, number=10):
            sqs.send_message(QueueUrl=url(box.queue.key), MessageBody=message.body)
            box.delete(message)
        return True

    monkeypatch.setattr(LetterBox, "is_moving", lambda _: False)
    monkeypatch.setattr(LetterBox, "start_move_task", start)
    return told


def test_all_letters_are_moved_by_sqs_where_it_can(upload: Upload, sqs: Any, moving: list[str]) -> None:
    jobs = [upload(BAD_FILE + b"%d" % number) for number in range(3)]
    work_all(sqs)
    report = redrive_all("etl", by=None)
    assert (report.way, len(report.of(Result.DONE)), moving) == (Way.MOVE_TASK, 3, ["etl"])
    assert {settled(job) for job in jobs} == {JobStatus.QUEUED}
    for job in jobs:
        mend(job, GOOD)
    work_all(sqs)
    assert {run_of(job).state for job in jobs} == {State.SUCCEEDED}


def test_a_worker_that_is_quicker_than_the_job_is_queued_works_it_all_the_same(
    dead: tuple[Job, str], sqs: Any, moving: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job, _ = dead
    queued = service._queued
    monkeypatch.setattr(service, "_queued", lambda *args, **options: (work_all(sqs), queued(*args, **options))[1])
    assert only(redrive_all("etl", by=None)) == (Result.DONE, "Its job has moved already.")
    assert run_of(job).state == State.SUCCEEDED


def test_where_one_is_to_stay_they_are_moved_one_by_one(dead: tuple[Job, str], sqs: Any, moving: list[str]) -> None:
    poison = put(sqs, "poison")
    report = redrive_all("etl", by=None)
    assert (report.way, moving) == (Way.ONE_BY_ONE, [])
    assert [outcome.message_id for outcome in report.of(Result.REFUSED)] == [poison]
    assert [outcome.message_id for outcome in report.of(Result.DONE)] == [dead[1]]


def test_a_move_that_goes_on_is_left_to_itself(
    dead: tuple[Job, str], sqs: Any, moving: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for call, answer in (("is_moving", True), ("start_move_task", False)):
        with monkeypatch.context() as busy:
            busy.setattr(LetterBox, call, lambda _, answer=answer: answer)
            with pytest.raises(ConflictError, match="being moved already"):
                redrive_all("etl", by=None)
    assert run_of(dead[0]).state == State.FAILED
