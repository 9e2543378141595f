"""The commands for those who run the platform: what waits, who works, dead letters; their reports and exit codes."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from aetherflow.errors import UnavailableError
from apps.accounts.management.reporting import ago, counted, table
from apps.jobs.management.commands import dlq
from apps.jobs.models import Job, StageRun, State
from apps.jobs.services.again import retry
from apps.jobs.services.workers import beat
from apps.jobs.sqs.letters import LetterBox
from tests.accounts.factories import AdminFactory
from tests.jobs.files import row, sales
from tests.jobs.letters import BAD_FILE, bodies, dead_letter_of, mend, run_of, url, work_all

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
Upload = Callable[..., Job]
DLQ = "aetherflow-etl-dlq"


def said(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def told(*arguments: str) -> Any:
    return json.loads(said(*arguments, "--json"))


def failing(*arguments: str) -> tuple[str, CommandError]:
    """What it printed, and the error that ends it."""
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command(*arguments, stdout=out)
    return out.getvalue(), error.value


@pytest.fixture
def dead(upload: Upload, sqs: Any) -> tuple[Job, str]:
    job = upload(BAD_FILE)
    message_id = dead_letter_of(job, sqs)
    mend(job, sales(row(1)))
    return job, message_id


# --- queues ---


def test_queues_shows_what_waits_and_what_is_dead(dead: tuple[Job, str], upload: Upload, sqs: Any) -> None:
    upload(sales(row(2)))
    StageRun.objects.filter(state=State.QUEUED).update(dispatched_at=timezone.now() - timedelta(minutes=5))
    sqs.send_message(QueueUrl=url("ml"), MessageBody="later", DelaySeconds=60)
    report = told("queues")
    etl, ml = report["queues"]
    assert (etl["name"], etl["visible"], etl["in_flight"], etl["dead_letters"]) == ("aetherflow-etl", 1, 0, 1)
    assert etl["oldest_seconds"] == pytest.approx(300, abs=60)
    assert (ml["delayed"], ml["dead_letters"]) == (1, 0)
    assert [each["waiting"] for each in report["outbox"]] == [0, 0]
    assert report["problems"] == []
    printed = said("queues").splitlines()
    assert printed[0].split() == ["queue", "waiting", "in", "flight", "delayed", "oldest", "dead", "letters"]
    assert printed[1].split() == ["aetherflow-etl", "1", "0", "0", "5", "min", "1"]
    assert printed[-1] == "1 message waiting, 1 dead letter"


def test_queues_without_sqs_tells_the_rest_and_fails(sqs: Any) -> None:
    sqs.delete_queue(QueueUrl=url("ml"))
    printed, error = failing("queues", "--json")
    report = json.loads(printed)
    assert report["queues"][0]["visible"] is None
    assert report["queues"][0]["oldest_seconds"] == 0
    assert report["problems"] == ["The queue aetherflow-ml does not exist. Run `manage.py provision`."]
    assert error.returncode == 1
    assert "outbox etl: 0" in failing("queues")[0]


# --- workers ---


def test_workers_shows_who_works_on_what_and_who_is_silent(upload: Upload, sqs: Any) -> None:
    now = timezone.now()
    for name, age in (("etl@here", 0), ("etl@silent", 600)):
        at = now - timedelta(seconds=age)
        beat(name=name, queues=["etl"], slots=2, pid=7, started_at=at, at=at)
    job = upload(sales(row(1)))
    StageRun.objects.filter(job=job).update(
        state="processing", worker="etl@here", started_at=now - timedelta(seconds=150)
    )
    here, silent = told("workers")
    assert (here["host"], here["queues"], here["slots"], here["pid"], here["stale"]) == ("here", ["etl"], 2, 7, False)
    (task,) = here["tasks"]
    assert (task["job"], task["stage"], task["dataset_name"]) == (str(job.pk), "etl", job.dataset.name)
    assert (silent["stale"], silent["tasks"]) == (True, [])
    lines = said("workers").splitlines()
    assert lines[1].startswith("etl@here")
    assert f"{job.dataset.name} (job {job.pk}), for 2 min" in lines[1]
    assert "stale" in lines[2]
    assert "stale" not in lines[1]
    assert lines[-1] == "1 alive, 1 stale, 1 stage in hand"


def test_workers_that_are_none_are_said(transactional_db: None) -> None:
    assert told("workers") == []
    assert said("workers") == "0 alive, 0 stale, 0 stages in hand\n"


# --- dlq list ---


def test_dlq_list_shows_each_letter_with_its_job_and_reason(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    sqs.send_message(QueueUrl=url("ml", dead=True), MessageBody="{the quick brown fox")
    etl, ml = told("dlq", "list")
    (letter,) = etl["letters"]
    assert (etl["name"], etl["total"], letter["id"]) == (DLQ, 1, message_id)
    assert letter["job"] == {"id": str(job.pk), "state": "failed", "attempts": 3}
    assert letter["message"]["dataset_id"] == str(job.dataset_id)
    assert letter["reason"].startswith("missing-label: ")
    assert ml["letters"][0]["unreadable"] == "the body is not JSON"
    printed = said("dlq", "list")
    for text in (message_id, str(job.pk), job.dataset.name, "missing-label: ", "{the quick brown fox", "received "):
        assert text in printed
    assert printed.splitlines()[-1] == "2 of 2 dead letters shown"
    assert [look["queue"] for look in told("dlq", "list", "ml", "--limit", "0")] == ["ml"]
    assert "0 of 1 dead letter shown" in said("dlq", "list", "ml", "--limit", "0")
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]


def test_dlq_list_says_what_somebody_else_holds(sqs: Any) -> None:
    sqs.send_message(QueueUrl=url("etl", dead=True), MessageBody="one")
    sqs.receive_message(QueueUrl=url("etl", dead=True), VisibilityTimeout=30)
    assert said("dlq", "list", "etl").splitlines()[-1] == (
        "0 of 1 dead letter shown; 1 are in somebody else's hands now"
    )


# --- dlq redrive ---


def test_dlq_redrive_says_what_it_would_do_then_does_it(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    plan = told("dlq", "redrive", "etl", message_id, "--dry-run")
    assert (plan["dry_run"], plan["letters"][0]["result"]) == (True, "done")
    assert "1 of 1 letter would be redriven" in said("dlq", "redrive", "etl", "--all", "--dry-run")
    assert run_of(job).state == State.FAILED
    done = told("dlq", "redrive", "etl", message_id, "--reason", "the bucket was away")
    assert done == {
        "queue": "etl",
        "way": "one by one",
        "problem": "",
        "dry_run": False,
        "letters": [{"id": message_id, "result": "done", "words": "", "job": str(job.pk)}],
    }
    work_all(sqs)
    assert run_of(job).state == State.SUCCEEDED
    printed, error = failing("dlq", "redrive", "etl", message_id)
    assert f"{message_id}  gone" in printed, "twice is no harm, and said"
    assert error.returncode == 1
    assert str(error) == "1 of 1 letter not redriven: 1 gone."
    assert said("dlq", "redrive", "etl", "--all") == "0 of 0 letters redriven\n"


def test_dlq_redrive_of_all_fails_where_one_is_refused(dead: tuple[Job, str], sqs: Any) -> None:
    sqs.send_message(QueueUrl=url("etl", dead=True), MessageBody="poison")
    printed, error = failing("dlq", "redrive", "etl", "--all")
    assert "refused  It is no message of the platform" in printed
    assert "1 of 2 letters redriven, one by one" in printed
    assert str(error) == "1 of 2 letters not redriven: 1 refused."
    assert error.returncode == 1


def test_dlq_redrive_says_which_way_it_took(dead: tuple[Job, str], sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LetterBox, "is_moving", lambda _: False)
    monkeypatch.setattr(LetterBox, "start_move_task", lambda _: True)
    assert "1 of 1 letter redriven, by StartMessageMoveTask" in said("dlq", "redrive", "etl", "--all")


# --- dlq discard and purge ---


def test_dlq_discard_throws_away_what_it_is_told_to(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    call = ("dlq", "discard", "etl", message_id, "--reason", "a test file")
    assert "1 of 1 letter would be discarded" in said(*call, "--dry-run")
    assert list(bodies(sqs, "etl", dead=True)) == [message_id]
    assert told(*call)["letters"][0]["result"] == "done"
    assert bodies(sqs, "etl", dead=True) == {}
    assert failing(*call)[1].returncode == 1
    assert run_of(job).state == State.FAILED


def test_dlq_discard_takes_what_is_settled(dead: tuple[Job, str], sqs: Any) -> None:
    job, message_id = dead
    call = ("dlq", "discard", "etl", "--settled", "--reason", "retried")
    assert said(*call) == "0 of 0 letters discarded\n"
    retry(job=job, by=AdminFactory(), at=timezone.now())
    work_all(sqs)
    assert f"{message_id}  done" in said(*call, "--dry-run")
    assert "1 of 1 letter discarded" in said(*call)
    assert bodies(sqs, "etl", dead=True) == {}


def test_dlq_purge_needs_the_name_typed(dead: tuple[Job, str], sqs: Any) -> None:
    call = ("dlq", "purge", "etl", "--reason", "all test files", "--type-name")
    for dry in ([], ["--dry-run"]):
        _, error = failing(*call, "etl", *dry)
        assert DLQ in str(error)
        assert error.returncode == 2
    assert said(*call, DLQ, "--dry-run") == f"about 1 letter of {DLQ} would be thrown away\n"
    assert len(bodies(sqs, "etl", dead=True)) == 1
    assert told(*call, DLQ) == {"queue": "etl", "name": DLQ, "letters": 1, "dry_run": False}
    assert bodies(sqs, "etl", dead=True) == {}


# --- What is wrong with the call, or with the platform ---


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dlq"], "required"),
        (["dlq", "look"], "invalid choice"),
        (["dlq", "list", "sales"], "invalid choice"),
        (["dlq", "redrive", "etl"], "required"),
        (["dlq", "redrive", "etl", "an-id", "--all"], "not allowed with"),
        (["dlq", "discard", "etl", "an-id"], "--reason"),
        (["dlq", "discard", "etl", "--reason", "r"], "required"),
        (["dlq", "purge", "etl", "--reason", "r"], "--type-name"),
        (["queues", "--dry-run"], "unrecognized"),
    ],
)
def test_misuse_is_refused_before_anything_is_done(arguments: list[str], words: str, transactional_db: None) -> None:
    with pytest.raises(CommandError, match=words):
        call_command(*arguments, stdout=StringIO())


def test_misuse_exits_with_2_on_the_command_line() -> None:
    root = Path(__file__).resolve().parents[2]
    for arguments in (["dlq", "redrive", "etl"], ["dlq", "purge", "etl", "--type-name", "x", "--reason", "r"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["dlq", "list"],
        ["dlq", "redrive", "etl", "--all"],
        ["dlq", "redrive", "etl", "x", "--dry-run"],
        ["dlq", "discard", "etl", "x", "--reason", "r"],
        ["dlq", "purge", "etl", "--type-name", DLQ, "--reason", "r"],
        ["queues"],
    ],
)
def test_without_sqs_a_sentence_and_no_traceback(arguments: list[str], settings: Any, transactional_db: None) -> None:
    settings.AWS_ENDPOINT_URL_SQS = "http://127.0.0.1:9"
    _, error = failing(*arguments)
    assert error.returncode == 1
    assert "answer" in str(error)
    assert "127.0.0.1" not in str(error)


def test_without_the_database_a_sentence_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("connection to server at 10.0.0.7 failed")

    monkeypatch.setattr(dlq, "peek", away)
    _, error = failing("dlq", "list")
    assert "The database does not answer" in str(error)
    assert "10.0.0.7" not in str(error)


def test_sqs_that_goes_away_halfway_is_told_with_what_was_done(
    upload: Upload, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        upload(BAD_FILE + b"%d" % number)
    one, other = sorted(work_all(sqs))
    send_on, sent = LetterBox.send_on, []

    def once(box: LetterBox, letter: Any, **options: Any) -> str:
        if sent:
            raise UnavailableError("SQS does not answer (Timeout).", code="queues-unavailable", hint="Try again.")
        sent.append(letter)
        return send_on(box, letter, **options)

    monkeypatch.setattr(LetterBox, "send_on", once)
    printed, error = failing("dlq", "redrive", "etl", one, other, "--json")
    assert sorted(each["result"] for each in json.loads(printed)["letters"]) == ["done", "refused"]
    assert "1 of 2 letters not redriven: 1 refused. SQS does not answer (Timeout)." in str(error)


# --- The words ---


def test_numbers_and_times_in_words() -> None:
    assert [ago(seconds) for seconds in (None, 0, 119, 120, 7_199, 7_200, 172_799, 172_800)] == [
        *(None, "0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 days"),
    ]
    assert [counted(number, "file") for number in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
    assert table([["a", None], ["long", 7]]) == ["a     -", "long  7"]


def test_the_relay_says_what_waits(upload: Upload, sqs: Any) -> None:
    upload(sales(row(1)))
    StageRun.objects.update(dispatched_at=None, send_after=timezone.now())
    assert told("relay", "--dry-run") == {"waiting": 1}
    assert said("relay", "--dry-run") == "1 stage to be sent, each as its department has a place free\n"
    assert StageRun.objects.filter(dispatched_at=None).count() == 1
    assert failing("relay", "--dry-run", "--loop")[1].returncode == 2


@pytest.mark.parametrize(
    "arguments", [["reprocess", "--dataset", str(uuid.UUID(int=0))], ["reprocess", "--since", "yesterday"]]
)
def test_a_filter_that_means_nothing_is_misuse(arguments: list[str], transactional_db: None) -> None:
    assert failing(*arguments)[1].returncode == 2
