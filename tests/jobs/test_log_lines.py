"""What an attempt logs is kept, bounded, in one row written at its end, and shown on the job's page to some."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.choices import ConsoleRole
from apps.jobs import lines, tasks
from apps.jobs.models import Job, Stage, StageLog, State
from apps.jobs.services import etl as etl_stage
from apps.jobs.services import logs
from apps.jobs.services.etl import work_etl
from apps.jobs.services.ml import work_ml
from apps.jobs.sqs.messages import EtlMessage, MlMessage
from tests.accounts.factories import AdminFactory, OperatorFactory
from tests.jobs.console import logged_in
from tests.jobs.files import row, sales
from tests.jobs.line import delivery
from tests.jobs.steps import taken

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files", "at_info"),
]
Upload = Callable[..., Job]
BAD = b"no;such;columns\n1;2;3\n"
log = structlog.get_logger("tests.log_lines")


@pytest.fixture
def at_info() -> Any:
    """As in production; the tests' own level is higher."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    yield
    root.setLevel(before)


def attempt(message: EtlMessage | MlMessage, headers: dict[str, Any], **options: Any) -> Any:
    """One delivery, as the task works it."""
    received = delivery(headers, **options)
    with tasks._attempt(message, delivery=received):
        if isinstance(message, EtlMessage):
            return work_etl(message=message, delivery=received, worker="etl@test", at=timezone.now())
        return work_ml(message=message, delivery=received, worker="ml@test", at=timezone.now())


def page_of(job: Job, who: Any = None) -> str:
    answer = logged_in(who or AdminFactory()).get(reverse("admin:jobs_job_change", args=[job.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


# --- What is kept ---


def test_a_good_file_leaves_the_lines_of_both_stages(upload: Upload, sqs: Any) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    following = attempt(message, headers)
    attempt(following.message, headers)
    of_etl, of_ml = (StageLog.objects.get(run__job=job, run__stage=stage) for stage in (Stage.ETL, Stage.ML))
    assert [line["event"] for line in of_etl.lines] == ["stage_started", "stage_ended"]
    assert [line["event"] for line in of_ml.lines] == ["stage_started", "insights_stored", "stage_ended"]
    ended = of_etl.lines[-1]
    assert (ended["level"], ended["rest"]["status"]) == ("info", "succeeded")
    assert ended["at"].startswith(f"{timezone.now():%Y-%m}")
    assert not {"job_id", "request_id", "dataset_id", "department", "stage", "attempt"} & set(ended["rest"])
    assert (of_etl.token, of_etl.dropped) == (1, 0)


def test_every_attempt_that_fails_leaves_its_reason(upload: Upload, sqs: Any) -> None:
    job = upload(BAD)
    message, headers = taken(sqs)
    for receive in (1, 2):
        with pytest.raises(tasks.StageFailed):
            attempt(message, headers, message_id="m", receive_count=receive)
    first, second = StageLog.objects.filter(run__job=job)
    assert (first.token, second.token) == (1, 2)
    for each in (first, second):
        ended = each.lines[-1]
        assert (ended["event"], ended["level"], ended["rest"]["status"]) == ("stage_ended", "warning", "failed")
        assert ended["rest"]["error"].startswith("missing-label")
        assert "exception" not in ended["rest"], "a person can act on it"


def test_what_nobody_expected_leaves_its_trace(upload: Upload, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the moon is full")

    monkeypatch.setattr(etl_stage, "replace_rows", broken)
    upload(sales(row(1)))
    message, headers = taken(sqs)
    with pytest.raises(tasks.StageFailed):
        attempt(message, headers)
    trace = StageLog.objects.get().lines[-1]["rest"]["exception"]
    assert trace.rstrip().endswith("RuntimeError: the moon is full")


def test_other_libraries_lines_are_kept_too_and_those_below_info_are_not() -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    with lines.kept(stage="etl") as said:
        log.debug("small", stage="etl")
        log.info("told", stage="etl", rows=3)
        logging.getLogger("some.library").warning("the %s is late", "answer")
    log.info("nobody's")
    assert [(line["level"], line["event"]) for line in said.lines] == [
        ("info", "told"),
        ("warning", "the answer is late"),
    ]
    assert said.lines[0]["rest"] == {"rows": 3, "logger": "tests.log_lines"}


def test_a_delivery_without_work_leaves_nothing(upload: Upload, sqs: Any) -> None:
    upload(sales(row(1)))
    message, headers = taken(sqs)
    attempt(message, headers)
    with CaptureQueriesContext(connection) as queries:
        attempt(message, headers, receive_count=2)
    assert StageLog.objects.count() == 1
    assert not [each for each in queries if "jobs_stagelog" in each["sql"]]


# --- Bounds ---


def test_of_many_lines_the_newest_are_kept_and_the_others_counted(upload: Upload) -> None:
    run = upload(sales(row(1))).stages.get()
    with lines.kept() as said:
        for number in range(lines.KEPT + 7):
            log.info("told", number=number)
    said.run_id, said.token = run.pk, 1
    logs.keep_log(said, at=timezone.now())
    stored = StageLog.objects.get()
    assert [line["rest"]["number"] for line in stored.lines] == list(range(7, lines.KEPT + 7))
    assert stored.dropped == 7


def test_a_line_that_is_too_long_is_cut_and_a_trace_at_its_beginning() -> None:
    error = RuntimeError("x" * 1_500 + "the end")
    with lines.kept() as said:
        log.info("long", first="a" * 5_000, second="b" * 5_000)
        log.info("e" * 5_000, first="a")
        log.error("broken", about="b" * 1_000, exc_info=error)
    assert all(len(str(line)) < lines.LONGEST + 200 for line in said.lines)
    long, event, broken = said.lines
    assert long["rest"] == {"first": "a" * (lines.LONGEST - len("long" + "first")) + "…", "…": "cut here"}
    assert (event["event"], event["rest"]) == ("e" * lines.LONGEST + "…", {"…": "cut here"})
    assert broken["rest"]["exception"].startswith("…x")
    assert broken["rest"]["exception"].endswith("the end")


class Unshowable:
    def __str__(self) -> str:
        raise ValueError("no words")

    __repr__ = __str__


def test_whatever_is_logged_can_be_stored(upload: Upload) -> None:
    run = upload(sales(row(1))).stages.get()
    odd = {"nul": "a\x00b", "half": "\ud800", "nan": float("nan"), "none": None, "yes": True, "when": timedelta(1)}
    with lines.kept() as said:
        lines.keep(None, "info", {"level": "info", "event": "odd", "timestamp": "t", **odd})
        lines.keep(None, "info", {"level": "info", "event": "no words", "what": Unshowable()})
    said.run_id, said.token = run.pk, 1
    logs.keep_log(said, at=timezone.now())
    stored = StageLog.objects.get()
    assert [line["rest"] for line in stored.lines] == [
        {"nul": "a\ufffdb", "half": "?", "nan": "nan", "yes": True, "when": "1 day, 0:00:00"}
    ]
    assert stored.dropped == 1


# --- What goes wrong ---


def test_lines_that_cannot_be_written_do_not_fail_the_stage(
    upload: Upload, sqs: Any, caplog: pytest.LogCaptureFixture
) -> None:
    job = upload(sales(row(1)))
    already = StageLog.objects.create(run=job.stages.get(), token=1, at=timezone.now(), lines=[])
    message, headers = taken(sqs)
    assert attempt(message, headers) is not None
    assert job.stages.get(stage=Stage.ETL).state == State.SUCCEEDED
    assert StageLog.objects.get() == already
    assert "stage_log_not_kept" in caplog.text


def test_they_are_written_in_one_statement_after_the_stage_and_leave_the_connection_as_it_was(
    upload: Upload, sqs: Any
) -> None:
    upload(sales(row(1)))
    message, headers = taken(sqs)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    with CaptureQueriesContext(connection) as queries:
        attempt(message, headers)
    assert [at for at, each in enumerate(queries, 1) if "jobs_stagelog" in each["sql"]] == [len(queries)]
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)
        cursor.execute("RESET synchronous_commit")


# --- Who sees them ---


def test_the_page_shows_them_the_newest_attempt_open(upload: Upload, sqs: Any) -> None:
    job = upload(BAD)
    message, headers = taken(sqs)
    for receive in (1, 2):
        with pytest.raises(tasks.StageFailed):
            attempt(message, headers, message_id="m", receive_count=receive)
    page = page_of(job)
    part = page[page.index('id="logs"') : page.index('id="attempts"')]
    assert part.count("<details open>") == part.count("<details>") == 1
    assert part.index("ETL, attempt 2,") < part.index("ETL, attempt 1,")
    assert part.count("stage_ended") == 2
    assert '<span class="muted">status=</span>failed' in part


def test_what_was_logged_is_escaped_and_what_was_dropped_said(upload: Upload, sqs: Any) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    attempt(message, headers)
    evil = "<script>alert(1)</script>"
    line = {"at": "2026-11-23T09:00:00.123456Z", "level": "error", "event": evil, "rest": {evil: evil}}
    StageLog.objects.update(lines=[line], dropped=12)
    page = page_of(job)
    assert evil not in page
    assert page.count("&lt;script&gt;alert(1)") == 3
    assert ">09:00:00.123<" in page
    assert "12 before them were not kept" in page


def test_an_attempt_that_left_none_says_why(upload: Upload, sqs: Any) -> None:
    job = upload(sales(row(1)))
    assert "No worker has begun." in page_of(job)
    message, headers = taken(sqs)
    attempt(message, headers)
    StageLog.objects.all().delete()
    assert "The worker left none: it was killed, or still works." in page_of(job)


def test_of_many_attempts_the_newest_are_shown_each_with_its_own(upload: Upload, sqs: Any) -> None:
    job = upload(BAD)
    message, headers = taken(sqs)
    for receive in range(1, 8):
        with pytest.raises(tasks.StageFailed):
            attempt(message, headers, message_id="m", receive_count=receive)
    # Two were killed; and it does not matter when the others' lines were written.
    StageLog.objects.filter(token__in=[1, 6]).delete()
    StageLog.objects.filter(token=2).update(at=timezone.now() + timedelta(hours=1))
    part = page_of(job).partition('id="logs"')[2].partition('id="attempts"')[0]
    assert [int(number) for number in re.findall(r"ETL, attempt (\d+), begun", part)] == [7, 6, 5, 4, 3]
    assert part.count("stage_ended") == 4


@pytest.mark.parametrize(("role", "sees"), [("viewer", False), ("operator", True), ("admin", True)])
def test_they_are_for_who_may_retry(upload: Upload, sqs: Any, role: str, sees: bool) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    attempt(message, headers)
    with CaptureQueriesContext(connection) as queries:
        page = page_of(job, OperatorFactory(console_role=ConsoleRole(role)))
    assert ("stage_started" in page) is sees
    assert any('FROM "jobs_stagelog"' in each["sql"] for each in queries) is sees
    assert ("They are for who may retry jobs." in page) is not sees
