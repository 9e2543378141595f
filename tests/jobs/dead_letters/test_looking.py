"""Dead letters as they are shown: decoded, matched with their jobs, in few queries, and still there afterwards."""

import json
import uuid
from typing import Any

import pytest

from aetherflow.errors import InvalidError
from apps.accounts.models import User
from apps.jobs import dead_letters
from apps.jobs.dead_letters import peek
from apps.jobs.models import Job
from apps.jobs.services.dead_letters import (
    Result,
    redrive_all,
)
from tests.jobs.letters import (
    BAD_FILE,
    GOOD,
    Upload,
    bodies,
    plain,
    put,
    run_of,
    work_all,
)

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def test_a_letter_tells_of_its_job_and_why_it_failed(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    for _ in range(2):
        look = peek("etl")
        (found,) = look.letters
        assert (look.name, look.total, look.held) == ("aetherflow-etl-dlq", 1, 0)
        assert found.message_id == message_id
        assert found.run == run_of(job)
        assert found.dataset == job.dataset
        assert found.message is not None
        assert (found.message.dataset_id, found.department) == (job.dataset_id, "sales")
        assert found.reason.startswith("missing-label: ")
        assert (found.unreadable, found.standing, found.obstacle, found.foreign) == ("", "", "", False)
        assert found.request_id == "request-0001"
        assert found.receive_count >= 3
        assert 0 <= found.age_seconds < 600
        assert str(job.dataset_id) in found.beginning
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]


def test_what_is_no_message_is_shown_as_such(sqs: Any) -> None:
    wrong = {"not JSON": "{the quick brown fox", "unknown": json.dumps({"job_type": "etl", "colour": "red"})}
    ids = {put(sqs, body): name for name, body in wrong.items()}
    found = {ids[each.message_id]: each for each in peek("etl").letters}
    assert found["not JSON"].unreadable == "the body is not JSON"
    assert found["not JSON"].beginning == "{the quick brown fox"
    assert found["unknown"].unreadable
    for each in found.values():
        assert (each.message, each.run, each.dataset, each.department) == (None, None, None, "")
        assert each.unreadable in each.obstacle
    large = put(sqs, "x" * 1_000_000, queue="ml")
    (seen,) = peek("ml").letters
    assert (seen.message_id, seen.size_bytes, len(seen.beginning)) == (large, 1_000_000, 300)


def test_a_letter_of_what_is_not_there_says_so(upload: Upload, sqs: Any, seller: User) -> None:
    job = upload(GOOD)
    stranger = str(uuid.uuid4())
    (body,) = bodies(sqs, "etl").values()
    gone = put(sqs, body.replace(str(job.dataset_id), stranger))
    jobless = put(sqs, body.replace(str(job.pk), stranger))
    mismatch = put(sqs, plain(job, s3_key=f"raw/sales/{job.dataset_id}/other.csv"))
    fileless = put(sqs, plain(job, dataset_id=stranger, s3_key=f"raw/sales/{stranger}/x.csv"))
    told = {each.message_id: each for each in peek("etl").letters}
    assert told[gone].standing == "Its dataset is not there."
    assert told[jobless].standing == "It names a job that does not exist."
    assert told[mismatch].standing == "It does not fit its dataset's department and file."
    assert told[fileless].standing == "Neither its dataset nor its file is there."
    assert all(each.obstacle for each in told.values())
    before = bodies(sqs, "etl", dead=True)
    report = redrive_all("etl", by=None)
    assert {outcome.result for outcome in report.outcomes} == {Result.REFUSED}
    assert len(report.outcomes) == 4
    assert bodies(sqs, "etl", dead=True) == before, "they stay where they are"


def test_looking_asks_the_database_as_often_for_many_as_for_one(
    upload: Upload, sqs: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        upload(BAD_FILE + b"%d" % number)
    assert len(work_all(sqs)) == 3, "the department's share"
    with django_assert_max_num_queries(4):
        assert len(peek("etl").letters) == 3


def test_no_more_than_the_limit_is_looked_at(sqs: Any) -> None:
    for number in range(15):
        put(sqs, f"letter {number}")
    look = peek("etl", limit=11)
    assert (len(look.letters), look.total) == (11, 15)
    assert peek("etl", limit=0).letters == []
    assert len(peek("etl").letters) == 15


def test_letters_in_somebody_elses_hands_are_counted(sqs: Any) -> None:
    put(sqs, "one")
    put(sqs, "two")
    with dead_letters.letter_box("etl").hold(seconds=30, at_most=1) as held:
        assert len(list(held)) == 1
        look = peek("etl")
    assert (len(look.letters), look.held, look.total) == (1, 1, 2)
    assert peek("etl").held == 0


def test_a_queue_that_is_none_is_refused(sqs: Any) -> None:
    for act in (lambda: peek("sales"), lambda: redrive_all("etl-dlq", by=None)):
        with pytest.raises(InvalidError) as refused:
            act()
        assert refused.value.code == "unknown-queue"
        assert "etl and ml" in refused.value.hint
