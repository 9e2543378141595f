"""Dying on the way, SQS away, several at once: nothing is lost, nothing is done twice, and all of it is told."""

import threading
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import DatabaseError, connections

from aetherflow.errors import UnavailableError
from apps.accounts.models import AuditEntry, User
from apps.jobs.dead_letters import peek
from apps.jobs.models import Job, JobStatus, StageEvent, StageRun, State
from apps.jobs.services import dead_letters as service
from apps.jobs.services.dead_letters import (
    Report,
    Result,
    discard,
    purge,
    redrive,
    redrive_all,
)
from apps.jobs.sqs.letters import LetterBox, NotOurs
from tests.jobs.letters import (
    BAD_FILE,
    Upload,
    bodies,
    only,
    refuse,
    run_of,
    settled,
    url,
    work_all,
)
from tests.jobs.steps import rows_of
from tests.support.threads import in_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


# --- Dying on the way, and SQS away ---


def test_to_die_between_the_copy_and_the_deletion_leaves_two_of_which_one_works(
    dead: tuple[Job, str], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, message_id = dead

    class Died(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as dying:
        dying.setattr(LetterBox, "delete", die)
        with pytest.raises(Died):
            redrive("etl", [message_id], by=None)
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]
    (copy,) = bodies(sqs, "etl").values()
    # Not by us, who know better: by somebody with the AWS console.
    sqs.send_message(QueueUrl=url("etl"), MessageBody=copy)
    assert only(redrive("etl", [message_id], by=None))[0] == Result.REFUSED
    assert len(work_all(sqs)) == 2
    assert StageEvent.objects.filter(run=run_of(job), target=State.SUCCEEDED).count() == 1
    assert StageEvent.objects.filter(run=run_of(job), target=State.PROCESSING).count() == 4, "three failed, one worked"
    assert rows_of(job).count() == 2
    assert "The stage is done since" in only(redrive("etl", [message_id], by=None))[1]
    assert only(discard("etl", [message_id], by=None, reason="a copy was worked"))[0] == Result.DONE


def test_to_die_before_the_commit_leaves_a_copy_that_is_worked_as_a_redrive(
    dead: tuple[Job, str], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, message_id = dead
    send_on = LetterBox.send_on

    class Died(BaseException):
        pass

    def die(box: LetterBox, raw: Any, **options: Any) -> str:
        send_on(box, raw, **options)
        raise Died

    with monkeypatch.context() as dying:
        dying.setattr(LetterBox, "send_on", die)
        with pytest.raises(Died):
            redrive("etl", [message_id], by=None)
    assert run_of(job).state == State.FAILED
    assert len(work_all(sqs)) == 1
    assert run_of(job).state == State.SUCCEEDED
    assert only(redrive("etl", [message_id], by=None))[0] == Result.REFUSED


def test_a_copy_that_sqs_does_not_take_changes_nothing(
    dead: tuple[Job, str], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, message_id = dead
    before = StageRun.objects.values().get(pk=run_of(job).pk)
    with monkeypatch.context() as away:
        away.setattr(LetterBox, "send_on", refuse)
        with pytest.raises(UnavailableError):
            redrive("etl", [message_id], by=None)
    assert StageRun.objects.values().get(pk=run_of(job).pk) == before
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]
    assert only(redrive("etl", [message_id], by=None))[0] == Result.DONE


def test_sqs_that_goes_away_halfway_is_told_with_what_was_done(
    upload: Upload, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [upload(BAD_FILE + b"%d" % number) for number in range(3)]
    ids = work_all(sqs)
    send_on, sent = LetterBox.send_on, []

    def once(box: LetterBox, raw: Any, **options: Any) -> str:
        if sent:
            refuse()
        sent.append(raw)
        return send_on(box, raw, **options)

    with monkeypatch.context() as away:
        away.setattr(LetterBox, "send_on", once)
        report = redrive("etl", ids, by=None)
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE, Result.REFUSED, Result.REFUSED]
    assert "SQS does not answer" in report.problem
    assert "not reached" in report.outcomes[-1].words
    assert len(bodies(sqs, "etl", dead=True)) == 2
    assert {status: sum(settled(job) == status for job in jobs) for status in (JobStatus.QUEUED, JobStatus.FAILED)} == {
        JobStatus.QUEUED: 1,
        JobStatus.FAILED: 2,
    }
    again = redrive("etl", ids, by=None)
    assert sorted(outcome.result for outcome in again.outcomes) == [Result.DONE, Result.DONE, Result.GONE]


def test_a_letter_that_cannot_be_deleted_is_told_of(
    dead: tuple[Job, str], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(*_: Any) -> None:
        raise NotOurs

    with monkeypatch.context() as held_too_long:
        held_too_long.setattr(LetterBox, "delete", stale)
        assert only(redrive("etl", [dead[1]], by=None)) == (
            Result.DONE,
            "Its letter could not be deleted and is still there: discard it.",
        )
        assert only(discard("etl", [dead[1]], by=None, reason="left over"))[0] == Result.GONE


def test_sqs_away_is_one_error_for_whatever_one_wants(settings: Any, transactional_db: None) -> None:
    settings.AWS_ENDPOINT_URL_SQS = "http://127.0.0.1:9"
    settings.QUEUE_URL_BASE = None
    for act in (
        lambda: peek("etl"),
        lambda: redrive("etl", ["id"], by=None),
        lambda: redrive_all("ml", by=None),
        lambda: discard("etl", ["id"], by=None, reason="r"),
        lambda: purge("etl", "aetherflow-etl-dlq", by=None, reason="r"),
    ):
        with pytest.raises(UnavailableError) as away:
            act()
        assert away.value.code == "queues-unavailable"


# --- Two at once ---


def test_two_operators_at_once_do_nothing_twice(upload: Upload, sqs: Any) -> None:
    jobs = [upload(BAD_FILE + b"%d" % number) for number in range(3)]
    ids = work_all(sqs)
    reports: list[Report] = []
    start = threading.Barrier(2)

    def act() -> None:
        try:
            start.wait(10)
            reports.append(redrive_all("etl", by=None))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=in_scope(act)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    done = [outcome.message_id for report in reports for outcome in report.of(Result.DONE)]
    assert sorted(done) == sorted(ids)
    assert len(bodies(sqs, "etl")) == 3
    assert bodies(sqs, "etl", dead=True) == {}
    assert {settled(job) for job in jobs} == {JobStatus.QUEUED}


# --- Telling ---


def test_everything_that_is_done_stands_in_the_audit(upload: Upload, sqs: Any, operator: User) -> None:
    for number in range(2):
        upload(BAD_FILE + b"%d" % number)
    one, other = work_all(sqs)
    jobs = {message_id: StageRun.objects.get(message_id=message_id).job for message_id in (one, other)}
    redrive("etl", [one, "no such letter"], by=operator, reason="mended")
    redrive("etl", [one], by=operator, reason="again")
    discard("etl", [other], by=operator, reason="broken")
    purge("etl", "aetherflow-etl-dlq", by=operator, reason="empty")
    told = [
        (entry.action, entry.target_type, entry.target_id, entry.actor, entry.reason, entry.details.get("message"))
        for entry in AuditEntry.objects.filter(details__has_key="queue").order_by("id")
    ]
    assert told == [
        ("redriven", "job", str(jobs[one].pk), operator, "mended", one),
        ("discarded", "job", str(jobs[other].pk), operator, "broken", other),
        ("purged", "queue", "etl", operator, "empty", None),
    ]
    assert {entry.department for entry in AuditEntry.objects.filter(target_type="job")} == {jobs[one].department}


def test_a_redrive_that_cannot_be_told_is_not_done(
    upload: Upload, sqs: Any, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(BAD_FILE)
    (one,) = work_all(sqs)
    job = StageRun.objects.get(message_id=one).job
    monkeypatch.setattr(service, "record", Mock(side_effect=DatabaseError("no room")))
    with pytest.raises(DatabaseError):
        redrive("etl", [one], by=operator, reason="mended")
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert list(bodies(sqs, "etl", dead=True)) == [one]
    assert bodies(sqs, "etl") == {}
