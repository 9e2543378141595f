"""The console's first page: its numbers, where each leads, and that what is away takes nothing else with it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.jobs import pulse, status
from apps.jobs.admin import charts, home
from apps.jobs.broker import sqs_settings
from apps.jobs.models import Job, JobStatus, Stage, StageRun
from apps.jobs.services.workers import beat
from config.local.home import free_port
from tests.accounts.factories import AdminFactory, operator_with
from tests.jobs.console import job_of, logged_in, somebody
from tests.jobs.files import row, sales
from tests.support.timing import SOON, at_most

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]
HOME = reverse("admin:index")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the numbers: a busy machine may take longer than a person should wait."""
    for module in (status, home):
        monkeypatch.setattr(module, "WITHIN_SECONDS", 10.0)


@pytest.fixture
def console() -> Client:
    return logged_in(AdminFactory())


def look(console: Client) -> tuple[home.Home, str]:
    answer = console.get(HOME)
    assert answer.status_code == 200
    return answer.context["home"], answer.content.decode()


def counted(console: Client, href: str) -> int:
    """How many the list has that a number leads to."""
    answer = console.get(href)
    assert answer.status_code == 200, href
    return int(answer.context["cl"].result_count)


# --- Who may ---


@pytest.mark.parametrize(
    ("kind", "status_code", "shown"),
    [
        ("nobody", 302, False),
        ("member", 302, False),
        ("operator", 200, False),
        ("viewer", 200, True),
        ("superuser", 200, True),
    ],
)
def test_who_may_look(kind: str, status_code: int, shown: bool, sqs: Any) -> None:
    answer = logged_in(somebody(kind, "jobs.view_job")).get(HOME)
    assert answer.status_code == status_code
    if status_code == 200:
        page = answer.content.decode()
        assert ('id="home"' in page) == shown
        assert ("Ask an admin" in page) != shown


def test_numbers_lead_only_where_one_may_look(sqs: Any, patient: None) -> None:
    told, page = look(logged_in(operator_with("jobs.view_job")))
    assert {queue.waiting.href for queue in told.queues} == {""}
    assert "/admin/jobs/stagerun/" not in page[page.index('id="home"') :]
    assert all(row.queued.href for row in told.department_rows)


# --- What it tells, and where each number leads ---


def test_queues_outbox_and_dead_letters(
    console: Client,
    upload: Callable[..., Job],
    sqs: Any,
    patient: None,
) -> None:
    sent, unsent = upload(sales(row(1))), upload(sales(row(2)))
    StageRun.objects.filter(job=sent).update(dispatched_at=timezone.now() - timedelta(minutes=7))
    StageRun.objects.filter(job=unsent).update(dispatched_at=None, queued_at=timezone.now() - timedelta(minutes=3))
    dead = sqs.get_queue_url(QueueName=sqs_settings().queues.etl.dead_letter_name)["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody="a dead letter")
    told, page = look(console)
    etl, ml = told.queues
    assert (etl.key, etl.name, ml.key) == ("ETL", "aetherflow-etl", "ML")
    assert (etl.dead.value, etl.dead.href) == (1, reverse("admin:jobs_letters_queue", args=["etl"]))
    assert counted(console, etl.waiting.href) == 1
    assert etl.oldest_seconds == pytest.approx(420, abs=60)
    outbox = told.outbox[0]
    assert outbox.waiting.value == counted(console, outbox.waiting.href) == 1
    assert outbox.lag_seconds == pytest.approx(180, abs=60)
    assert "the oldest for 3 min" in page


def test_workers_with_what_they_have_in_hand(
    console: Client,
    upload: Callable[..., Job],
    sqs: Any,
    patient: None,
) -> None:
    now = timezone.now()
    for name, age in (("etl@here", 0), ("etl@silent", 600)):
        at = now - timedelta(seconds=age)
        beat(name=name, queues=["etl"], slots=2, pid=1, started_at=at, at=at)
    job = upload(sales(row(1)))
    StageRun.objects.filter(job=job).update(state="processing", worker="etl@here", started_at=now)
    told, page = look(console)
    here, silent = told.workers
    assert (here.host, here.queues, here.alive, silent.alive) == ("here", "etl", True, False)
    assert [run.job_id for run in here.tasks] == [job.pk]
    assert reverse("admin:jobs_job_change", args=[job.pk]) in page
    assert counted(console, here.href) == 1
    assert "silent" in page


def test_departments_with_their_last_success(console: Client, sqs: Any, patient: None) -> None:
    now = timezone.now()
    job_of(at=now - timedelta(hours=9))
    last = job_of(at=now - timedelta(hours=5))
    job_of(at=now - timedelta(hours=1), status=JobStatus.FAILED, error="x")
    job_of(status=JobStatus.QUEUED, stage=Stage.ETL, at=now)
    told, page = look(console)
    rows = {each.slug: each for each in told.department_rows}
    assert rows["sales"].last is not None
    assert rows["sales"].last.job == last
    assert rows["finance"].last is not None
    assert rows["finance"].last.job is None
    assert "never" in page
    assert rows["sales"].queued.value == counted(console, rows["sales"].queued.href) == 1
    assert counted(console, rows["sales"].all_href) == 2


def test_failures_of_a_day_by_their_code(console: Client, sqs: Any, patient: None) -> None:
    now = timezone.now()
    for dead in (True, False):
        job_of(status=JobStatus.FAILED, stage=Stage.ETL, error="missing-label", dead=dead, at=now - timedelta(hours=2))
    job_of(status=JobStatus.FAILED, error="time-limit", department="finance", at=now - timedelta(hours=3))
    job_of(status=JobStatus.FAILED, stage=Stage.ETL, error="missing-label", at=now - timedelta(days=2))
    told, _ = look(console)
    labels, limit = told.failures
    assert (labels.code, labels.stage, labels.departments) == ("missing-label", "ETL", "sales")
    assert labels.count.value == counted(console, labels.count.href) == 2
    assert labels.dead.value == counted(console, labels.dead.href) == 1
    assert limit.count.value == counted(console, limit.count.href) == 1


def test_the_day_in_numbers_drawings_and_a_table(console: Client, sqs: Any, patient: None) -> None:
    now = timezone.now()
    for minutes, took in ((5, 10), (10, 20), (15, 30), (20, 40)):
        job_of(at=now - timedelta(minutes=minutes), took=timedelta(seconds=took))
    job_of(at=now - timedelta(hours=3), status=JobStatus.FAILED, stage=Stage.ETL, error="x")
    job_of(at=now - timedelta(hours=30))
    told, page = look(console)
    (_, succeeded), (_, failed) = told.totals
    assert succeeded.value == counted(console, succeeded.href) == 4
    assert failed.value == counted(console, failed.href) == 1
    assert told.day.found is not None
    whole = told.day.found.durations["ml"]
    assert (whole.count, whole.p50, whole.p95) == (4, pytest.approx(24), pytest.approx(37.5))
    newest = told.hours[0]
    assert (newest.succeeded, newest.failed) == (4, 0)
    assert len(told.hours) == 24
    assert sum(hour.failed for hour in told.hours) == 1
    said = [drawing.chart.said for drawing in told.drawings]
    assert said[0].startswith("Jobs that ended in each of the last 24 hours: 4 succeeded, 1 failed.")
    assert all(f'aria-label="{text}"' in page for text in said)
    assert len(re.findall(r'<rect class="(?:good|bad)"', page)) == 2


def test_a_number_reads_nothing_of_the_whole(sqs: Any) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            pulse.last_day(timezone.now())
            pulse.last_successes()
        return len(queries)

    nothing = cost()
    for _ in range(3):
        job_of(at=timezone.now() - timedelta(minutes=3))
    assert cost() == nothing == 3


# --- The drawings ---


@pytest.mark.parametrize(("most", "top"), [(0, 1), (1, 1), (3, 4), (4.1, 5), (7, 10), (130, 200), (0.03, 0.04)])
def test_a_scale_ends_at_a_round_number(most: float, top: float) -> None:
    assert charts.nice(most) == pytest.approx(top)


def test_a_day_without_jobs_is_drawn_too() -> None:
    day = pulse.last_day(timezone.now())
    assert charts.throughput(day).rects == []
    assert charts.durations(day, "etl").lines[0].path == ""
    assert charts.durations(day, "etl").said.endswith("Nothing ended.")


# --- What is away ---


@pytest.mark.parametrize("away", ["refusing", "hanging"])
def test_without_sqs_and_store_the_page_opens_within_a_second_and_says_so(
    away: str,
    hanging: str,
    settings: Any,
    console: Client,
) -> None:
    address = hanging if away == "hanging" else f"http://127.0.0.1:{free_port()}"
    settings.AWS_ENDPOINT_URL_SQS = settings.AWS_ENDPOINT_URL_S3 = address
    settings.STORAGES = {**settings.STORAGES}
    job_of(status=JobStatus.FAILED, stage=Stage.ETL, error="missing-label", at=timezone.now())
    look(console)  # the first look of a process imports and connects
    told, page = look(console)
    assert told.queues[0].waiting.value is None
    assert "Queue depth and dead letters are not known. No answer" in page
    assert "127.0.0.1" not in page, "addresses belong in the log"
    assert told.failures[0].code == "missing-label"
    with at_most(seconds=SOON):
        look(console)


@pytest.mark.parametrize(
    ("table", "said", "told_of"),
    [
        ("jobs_workerheartbeat", "Who works is not known.", "failures"),
        ("jobs_stagerun", "The failures are not known.", "successes"),
        ("jobs_job", "How the day went is not known.", "failures"),
    ],
)
def test_a_table_that_is_locked_takes_its_own_sections_only(
    table: str,
    said: str,
    told_of: str,
    sqs: Any,
    console: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (status, home):
        monkeypatch.setattr(module, "WITHIN_SECONDS", 1.5)
    look(console)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        told, page = look(console)
    assert said in page
    assert told.status.queues.problem is None
    source = told.successes if told_of == "successes" else told.status.failures
    assert source.problem is None


def test_it_is_read_anew_only_where_that_is_asked_for(console: Client, sqs: Any) -> None:
    assert "reload.js" not in console.get(HOME).content.decode()
    page = console.get(HOME, {"refresh": ""}).content.decode()
    assert "reload.js" in page
    assert "Stop that" in page
