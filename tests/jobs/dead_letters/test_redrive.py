"""A dead letter that is put back leads to work; one that would lead to nothing is refused, and stays."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone

from aetherflow.errors import ConflictError
from apps.accounts.models import User
from apps.jobs.dead_letters import Letter
from apps.jobs.models import Job, JobStatus, Stage, StageEvent, StageRun, State
from apps.jobs.services import dead_letters as service
from apps.jobs.services import ml as ml_stage
from apps.jobs.services.again import reprocess, retry, undo
from apps.jobs.services.claims import claim, fail
from apps.jobs.services.dead_letters import (
    Report,
    Result,
    Way,
    redrive,
    redrive_all,
    would_redrive,
)
from apps.jobs.services.dispatch import relay
from apps.jobs.sqs.letters import LetterBox
from tests.jobs.letters import (
    BAD_FILE,
    GOOD,
    Upload,
    bodies,
    dead_letter_of,
    letter,
    mend,
    only,
    put,
    run_of,
    settled,
    url,
    work_all,
)
from tests.jobs.line import delivery
from tests.jobs.steps import rows_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


# --- Redrive ---


def test_a_redriven_letter_leads_to_work(dead: tuple[Job, str], sqs: Any, operator: User) -> None:
    job, message_id = dead
    body = bodies(sqs, "etl", dead=True)[message_id]
    assert only(would_redrive("etl", [message_id])) == (Result.DONE, "")
    assert settled(job) == JobStatus.FAILED, "to ask changes nothing"
    report = redrive("etl", [message_id], by=operator, reason="the bucket was away")
    assert only(report) == (Result.DONE, "")
    assert (report.way, report.complete, report.outcomes[0].job_id) == (Way.ONE_BY_ONE, True, str(job.pk))
    run = run_of(job)
    assert (settled(job), run.state, run.attempts, run.dead_lettered) == (JobStatus.QUEUED, State.QUEUED, 0, False)
    assert run.dispatched_at is not None, "the relay has nothing to send"
    assert run.events.last().note == f"retried by {operator.email}, from the dead letters"
    assert bodies(sqs, "etl", dead=True) == {}
    assert list(bodies(sqs, "etl").values()) == [body], "as it came"
    (copy,) = work_all(sqs)
    assert copy != message_id
    assert run_of(job).state == State.SUCCEEDED
    assert rows_of(job).count() == 2


def test_the_copy_goes_into_its_departments_message_group(dead: tuple[Job, str], sqs: Any) -> None:
    redrive("etl", [dead[1]], by=None)
    (copy,) = sqs.receive_message(QueueUrl=url("etl"), MessageSystemAttributeNames=["All"])["Messages"]
    assert copy["Attributes"]["MessageGroupId"] == "sales"


def test_one_that_fails_again_is_a_dead_letter_again_after_all_its_attempts(upload: Upload, sqs: Any) -> None:
    job = upload(BAD_FILE)
    first = dead_letter_of(job, sqs)
    redrive("etl", [first], by=None)
    second = dead_letter_of(job, sqs)
    assert second != first
    assert list(bodies(sqs, "etl", dead=True)) == [second]
    attempts = list(StageEvent.objects.filter(run=run_of(job), target=State.FAILED).values_list("attempts", flat=True))
    assert attempts == [1, 2, 3, 1, 2, 3]


def test_a_letter_of_the_ml_queue_is_redriven_too(upload: Upload, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = upload(GOOD)
    work_all(sqs)
    StageRun.objects.filter(job=job, stage="ml").update(send_after=timezone.now())
    assert relay(at=timezone.now()) == 1
    with monkeypatch.context() as broken:
        broken.setattr(ml_stage, "_computed", lambda *_, **__: 1 / 0)
        (message_id,) = work_all(sqs, "ml")
    assert settled(job) == JobStatus.FAILED
    assert letter(message_id, "ml").reason.startswith("internal-error: ")
    assert only(redrive("ml", [message_id], by=None))[0] == Result.DONE
    work_all(sqs, "ml")
    assert settled(job) == JobStatus.SUCCEEDED


def test_a_letter_that_nobody_got_to_read_is_redriven(upload: Upload, sqs: Any) -> None:
    """Its receives were used up by workers that died: the stage still waits."""
    job = upload(GOOD)
    (message_id,) = work_all(sqs, worked=False)
    assert run_of(job).state == State.QUEUED
    assert only(redrive("etl", [message_id], by=None))[0] == Result.DONE
    work_all(sqs)
    assert run_of(job).state == State.SUCCEEDED


def test_a_message_that_keeps_its_id_when_moved_is_worked(dead: tuple[Job, str], sqs: Any) -> None:
    """An endpoint may do so."""
    job, message_id = dead
    redrive("etl", [message_id], by=None)
    claimed = claim(run_of(job), delivery=delivery(message_id=message_id), worker="w", at=timezone.now())
    assert claimed.verdict.name == "WORK"


def test_all_letters_are_redriven_but_those_that_would_lead_to_nothing(
    upload: Upload, sqs: Any, operator: User
) -> None:
    jobs = [upload(BAD_FILE + b"%d" % number) for number in range(3)]
    work_all(sqs)
    undo(dataset=jobs[1].dataset, by=operator, at=timezone.now(), request_id="r")
    poison = put(sqs, "poison")
    report = redrive_all("etl", by=operator, reason="mended")
    assert report.way == Way.ONE_BY_ONE
    assert {outcome.job_id for outcome in report.of(Result.DONE)} == {str(jobs[0].pk), str(jobs[2].pk)}
    refused = {outcome.message_id: outcome.words for outcome in report.of(Result.REFUSED)}
    assert "The upload was undone. Discard it." in refused.values()
    assert "no message of the platform" in refused[poison]
    assert set(bodies(sqs, "etl", dead=True)) == set(refused)
    assert len(bodies(sqs, "etl")) == 2
    assert not report.complete
    assert {outcome.result for outcome in redrive_all("etl", by=operator).outcomes} == {Result.REFUSED}


def test_an_empty_queue_is_redriven_with_nothing_to_do(sqs: Any) -> None:
    assert redrive_all("etl", by=None) == Report(queue="etl", outcomes=(), way=Way.ONE_BY_ONE)
    assert redrive("etl", [], by=None).outcomes == ()
    assert redrive_all("etl", by=None).complete


def test_a_letter_that_comes_back_while_others_are_moved_is_not_moved_for_ever(
    dead: tuple[Job, str], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, _ = dead
    mend(job, BAD_FILE)
    send_on = LetterBox.send_on

    def comes_back(box: LetterBox, raw: Any, **options: Any) -> str:
        put(sqs, raw.body)
        return send_on(box, raw, **options)

    monkeypatch.setattr(LetterBox, "send_on", comes_back)
    report = redrive_all("etl", by=None)
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE, Result.REFUSED]
    assert "same work" in report.outcomes[1].words


# --- What a redrive refuses ---


def succeeded(job: Job, sqs: Any, by: User) -> str:
    retry(job=job, by=by, at=timezone.now())
    work_all(sqs)
    return "The stage is done since"


def retried(job: Job, sqs: Any, by: User) -> str:
    retry(job=job, by=by, at=timezone.now())
    return "queued again since"


def in_work(job: Job, sqs: Any, by: User) -> str:
    retry(job=job, by=by, at=timezone.now())
    claim(run_of(job), delivery=delivery(), worker="etl@far", at=timezone.now())
    return "etl@far works it now"


def failing_again(job: Job, sqs: Any, by: User) -> str:
    mend(job, BAD_FILE)
    retry(job=job, by=by, at=timezone.now())
    (received,) = sqs.receive_message(QueueUrl=url("etl"), VisibilityTimeout=60)["Messages"]
    claimed = claim(run_of(job), delivery=delivery(message_id=received["MessageId"]), worker="w", at=timezone.now())
    fail(claimed.run, error=ValueError("broken"), at=timezone.now())
    return "tried again by itself"


def overtaken(job: Job, sqs: Any, by: User) -> str:
    reprocess(dataset=job.dataset, first=Stage.ETL, by=by, at=timezone.now())
    return "A newer job of the upload has taken over"


def undone(job: Job, sqs: Any, by: User) -> str:
    undo(dataset=job.dataset, by=by, at=timezone.now(), request_id="r")
    return "The upload was undone"


@pytest.mark.parametrize("meanwhile", [succeeded, retried, in_work, failing_again, overtaken, undone])
def test_a_letter_that_would_lead_to_nothing_is_refused_and_stays(
    dead: tuple[Job, str], sqs: Any, operator: User, meanwhile: Callable[[Job, Any, User], str]
) -> None:
    job, message_id = dead
    words = meanwhile(job, sqs, operator)
    before, waiting = StageRun.objects.values().get(pk=run_of(job).pk), bodies(sqs, "etl")
    assert words in letter(message_id).obstacle
    for report in (would_redrive("etl", [message_id]), redrive("etl", [message_id], by=operator)):
        result, said = only(report)
        assert result == Result.REFUSED
        assert words in said
        assert not report.complete
    assert message_id in bodies(sqs, "etl", dead=True)
    assert bodies(sqs, "etl") == waiting
    assert StageRun.objects.values().get(pk=run_of(job).pk) == before


def test_a_job_that_moves_between_the_look_and_the_act_is_refused(
    dead: tuple[Job, str], sqs: Any, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, message_id = dead
    queue_again = service._queue_again

    def late(letter: Letter, **options: Any) -> Any:
        with suppress(ConflictError):
            retry(job=job, by=operator, at=timezone.now())
        return queue_again(letter, **options)

    monkeypatch.setattr(service, "_queue_again", late)
    waiting = bodies(sqs, "etl")
    assert only(redrive("etl", [message_id], by=operator)) == (
        Result.REFUSED,
        "Its job moved meanwhile. Look at it again.",
    )
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]
    assert bodies(sqs, "etl") == waiting, "the retry was taken back with it here, and nothing was sent"


def test_a_letter_that_is_not_there_is_gone(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    redrive("etl", [message_id], by=None)
    result, words = only(redrive("etl", [message_id, message_id], by=None))
    assert result == Result.GONE
    assert "not in the queue any more" in words
    assert len(bodies(sqs, "etl")) == 1
    assert run_of(job).state == State.QUEUED
