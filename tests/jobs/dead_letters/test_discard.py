"""Letters thrown away: some, those of what is settled, all."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aetherflow.errors import ConflictError, InvalidError
from apps.accounts.models import User
from apps.jobs.models import Job, JobStatus, StageRun, State
from apps.jobs.services.again import retry, undo
from apps.jobs.services.dead_letters import (
    Result,
    discard,
    discard_settled,
    purge,
    would_discard,
)
from apps.jobs.services.rescue import rescue
from tests.jobs.letters import (
    BAD_FILE,
    GOOD,
    Upload,
    bodies,
    letter,
    mend,
    only,
    put,
    run_of,
    settled,
    work_all,
)

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def test_a_discarded_letter_is_gone_and_its_job_stays_failed(dead: tuple[Job, str], sqs: Any, operator: User) -> None:
    job, message_id = dead
    other = put(sqs, "poison")
    assert only(would_discard("etl", [message_id]))[0] == Result.DONE
    assert only(discard("etl", [message_id], by=operator, reason="known to be broken")) == (Result.DONE, "")
    assert list(bodies(sqs, "etl", dead=True)) == [other]
    assert settled(job) == JobStatus.FAILED
    for report in (would_discard("etl", [message_id]), discard("etl", [message_id], by=operator, reason="again")):
        assert only(report)[0] == Result.GONE
    retry(job=job, by=operator, at=timezone.now())
    work_all(sqs)
    assert run_of(job).state == State.SUCCEEDED, "it can still be retried"


def test_a_discarded_letter_is_not_taken_for_lost(upload: Upload, sqs: Any) -> None:
    """Its other receives were used up by workers that died; the relay would begin the job anew."""
    job = upload(BAD_FILE)
    (message_id,) = work_all(sqs)
    StageRun.objects.filter(job=job).update(attempts=1, dead_lettered=False, finished_at=timezone.now())
    assert letter(message_id).obstacle == "", "no other message will come"
    discard("etl", [message_id], by=None, reason="known to be broken")
    assert rescue(at=timezone.now() + timedelta(days=1)) == 0
    assert run_of(job).dead_lettered


def test_a_discarded_letter_of_a_job_under_way_says_so(dead: tuple[Job, str], sqs: Any, operator: User) -> None:
    job, message_id = dead
    retry(job=job, by=operator, at=timezone.now())
    assert only(discard("etl", [message_id], by=operator, reason="retried")) == (
        Result.DONE,
        "Its job is under way all the same.",
    )
    assert run_of(job).state == State.QUEUED


def test_letters_of_what_is_settled_are_thrown_away_together(upload: Upload, sqs: Any, operator: User) -> None:
    """A retry of their jobs leaves them behind, and the alarm would ring for ever."""
    done, undoing, waiting = (upload(BAD_FILE + b"%d" % number) for number in range(3))
    letters = dict(zip([done, undoing, waiting], work_all(sqs), strict=True))
    mend(done, GOOD)
    retry(job=done, by=operator, at=timezone.now())
    work_all(sqs)
    undo(dataset=undoing.dataset, by=operator, at=timezone.now(), request_id="r")
    poison = put(sqs, "poison")
    meant = {letters[done], letters[undoing]}
    planned = would_discard("etl")
    assert {outcome.message_id for outcome in planned.outcomes} == meant
    report = discard_settled("etl", by=operator, reason="retried")
    assert {outcome.message_id for outcome in report.of(Result.DONE)} == meant
    assert report.complete
    assert set(bodies(sqs, "etl", dead=True)) == {letters[waiting], poison}
    assert discard_settled("etl", by=operator, reason="again").outcomes == ()


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_nothing_is_thrown_away_without_a_reason(dead: tuple[Job, str], sqs: Any, reason: str) -> None:
    for act in (
        lambda: discard("etl", [dead[1]], by=None, reason=reason),
        lambda: discard_settled("etl", by=None, reason=reason),
        lambda: purge("etl", "aetherflow-etl-dlq", by=None, reason=reason),
    ):
        with pytest.raises(InvalidError) as refused:
            act()
        assert refused.value.code == "reason-missing"
    assert list(bodies(sqs, "etl", dead=True)) == [dead[1]]


@pytest.mark.parametrize("typed", ["", "etl", "aetherflow-etl", "aetherflow-ml-dlq", "AETHERFLOW-ETL-DLQ"])
def test_a_purge_needs_the_queues_name(dead: tuple[Job, str], sqs: Any, typed: str) -> None:
    with pytest.raises(InvalidError, match="aetherflow-etl-dlq") as refused:
        purge("etl", typed, by=None, reason="all of it is broken")
    assert refused.value.code == "name-not-typed"
    assert list(bodies(sqs, "etl", dead=True)) == [dead[1]]


def test_a_purge_takes_all_letters_and_no_other_message(dead: tuple[Job, str], upload: Upload, sqs: Any) -> None:
    put(sqs, "poison")
    put(sqs, "poison", queue="ml")
    upload(GOOD)
    done = purge("etl", " aetherflow-etl-dlq ", by=None, reason="all of it is broken")
    assert (done.name, done.letters) == ("aetherflow-etl-dlq", 2)
    assert [len(bodies(sqs, queue, dead=True)) for queue in ("etl", "ml")] == [0, 1]
    assert len(bodies(sqs, "etl")) == 1
    with pytest.raises(ConflictError) as refused:
        purge("etl", "aetherflow-etl-dlq", by=None, reason="again")
    assert refused.value.code == "purged-already"
