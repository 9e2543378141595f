"""`/metrics` as Prometheus and people ask for it, and what it tells when a part of the platform is away or hangs."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from aetherflow.errors import AnticipatedError
from aetherflow.registry import departments
from apps.accounts.models import User
from apps.jobs import metrics, readiness
from apps.jobs.broker import sqs_settings
from apps.jobs.models import Job, StageRun
from apps.jobs.services.workers import beat
from config.local import environment
from config.local.home import Home, free_port
from tests.accounts.blocking import blocked_backends
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.jobs.calls import problem
from tests.jobs.conftest import hanging, seller, sqs, upload, work  # noqa: F401  (fixtures)
from tests.jobs.files import row, sales
from tests.jobs.steps import deliver, taken
from tests.support.timing import SOON, at_most

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
TOKEN = "scrape-me-0123456789"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the numbers: a busy machine may take longer than a scrape may."""
    monkeypatch.setattr(metrics, "WITHIN_SECONDS", 10.0)


def scrape() -> Samples:
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    families = plain_text(response.content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"aetherflow_{name}", frozenset(labels.items())]


def told(samples: Samples, name: str) -> set[tuple[str, ...]]:
    """The label values a metric is told of, without the zeros."""
    return {
        tuple(text for _, text in sorted(labels))
        for (found, labels), number in samples.items()
        if found == f"aetherflow_{name}" and number
    }


# --- Who may see it ---


def test_prometheus_reads_it_with_the_token(sqs: Any) -> None:  # noqa: F811
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("shown", [None, f"Bearer {TOKEN}x", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer ключ"])
def test_without_the_token_it_is_nobodys_business(shown: str | None) -> None:
    headers = {"Authorization": shown.encode().decode("latin-1")} if shown else {}
    response = Client().get("/metrics", headers=headers)
    assert response.status_code == 401
    assert problem(response, 401, response.json()["code"])["hint"]
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert b"aetherflow_" not in response.content


def test_no_token_is_the_right_one_where_none_is_set(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    for shown in ("Bearer ", "Bearer", f"Bearer {TOKEN}"):
        assert Client().get("/metrics", headers={"Authorization": shown}).status_code == 401


def test_an_admin_reads_it_in_the_browser_or_with_a_token_of_their_own(sqs: Any) -> None:  # noqa: F811
    console = Client()
    console.force_login(AdminFactory())
    assert console.get("/metrics").status_code == 200
    assert (
        Client()
        .get("/metrics", **bearer(AdminFactory(console_role="", is_staff=False, is_superuser=False)))
        .status_code
        == 200
    )


def test_a_member_of_a_department_reads_it_neither_way() -> None:
    problem(Client().get("/metrics", **bearer(UserFactory())), 401, "metrics-not-open")
    console = Client()
    console.force_login(UserFactory())
    problem(console.get("/metrics"), 401, "metrics-not-open")


def test_an_admin_who_was_shut_out_reads_it_no_more() -> None:
    admin = AdminFactory()
    console = Client()
    console.force_login(admin)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert console.get("/metrics").status_code == 401


def test_it_is_only_read() -> None:
    assert Client().post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_make_up_makes_a_token_and_keeps_it(tmp_path: Path) -> None:
    first = environment.local(Home(tmp_path), outer={})
    assert len(first["METRICS_TOKEN"]) >= 32
    assert first["METRICS_TOKEN"] != first["SECRET_KEY"]
    assert environment.local(Home(tmp_path), outer={})["METRICS_TOKEN"] == first["METRICS_TOKEN"]


# --- What it tells ---


def test_what_was_worked_is_told_by_stage_department_and_outcome(
    upload: Callable[..., Job],  # noqa: F811
    work: Callable[[], None],  # noqa: F811
    sqs: Any,  # noqa: F811
    patient: None,
) -> None:
    job = upload(sales(*(row(n) for n in range(1, 9)), row(9, quantity="x")))
    work()
    upload(b"no,such,columns\n1,2,3\n")
    message, headers = taken(sqs)
    for receive in (1, 2, 3):
        with pytest.raises(AnticipatedError):
            deliver(message, headers, message_id="m", receive_count=receive)
    samples = scrape()
    etl = {"stage": "etl", "department": "sales"}
    assert value(samples, "stage_attempts_total", **etl, outcome="succeeded") == 1
    assert value(samples, "stage_attempts_total", **etl, outcome="failed") == 2
    assert value(samples, "stage_attempts_total", **etl, outcome="dead_lettered") == 1
    assert value(samples, "stage_attempts_total", stage="ml", department="sales", outcome="succeeded") == 1
    for outcome, rows in {"read": 9, "loaded": 8, "rejected": 1, "duplicate": 0}.items():
        assert value(samples, "rows_total", department="sales", outcome=outcome) == rows
    run = job.stages.get(stage="etl")
    assert run.started_at is not None
    assert run.finished_at is not None
    took = (run.finished_at - run.started_at).total_seconds()
    duration = {**etl, "outcome": "succeeded"}
    assert value(samples, "stage_duration_seconds_sum", **duration) == pytest.approx(took)
    assert value(samples, "stage_duration_seconds_count", **duration) == 1
    assert value(samples, "stage_duration_seconds_bucket", **duration, le="1800.0") == 1
    assert value(samples, "stage_duration_seconds_bucket", **etl, outcome="failed", le="+Inf") == 2


def test_a_department_that_has_done_nothing_is_told_as_nothing(sqs: Any, patient: None) -> None:  # noqa: F811
    """So that Prometheus sees its first failure as an increase."""
    samples = scrape()
    for department in departments():
        assert value(samples, "stage_attempts_total", stage="etl", department=department, outcome="failed") == 0
        assert value(samples, "rows_total", department=department, outcome="rejected") == 0
        assert value(samples, "jobs", department=department, status="queued") == 0
    assert value(samples, "outbox_lag_seconds") == 0
    assert value(samples, "queue_oldest_seconds", queue="etl") == 0


def test_what_waits_is_told_with_its_age(upload: Callable[..., Job], sqs: Any, patient: None) -> None:  # noqa: F811
    sent, unsent = upload(sales(row(1))), upload(sales(row(2)))
    now = timezone.now()
    StageRun.objects.filter(job=sent).update(
        queued_at=now - timedelta(hours=1), dispatched_at=now - timedelta(minutes=7)
    )
    StageRun.objects.filter(job=unsent).update(dispatched_at=None, queued_at=now - timedelta(minutes=3))
    samples = scrape()
    assert value(samples, "jobs", department="sales", status="queued") == 2
    assert value(samples, "jobs", department="sales", status="processing") == 0
    assert value(samples, "outbox_waiting", stage="etl") == 1
    assert value(samples, "outbox_waiting", stage="ml") == 0
    assert value(samples, "outbox_lag_seconds") == pytest.approx(180, abs=60)
    assert value(samples, "queue_oldest_seconds", queue="etl") == pytest.approx(420, abs=60)
    assert value(samples, "queue_oldest_seconds", queue="ml") == 0


def test_every_queue_and_every_dead_letter_is_told(upload: Callable[..., Job], sqs: Any, patient: None) -> None:  # noqa: F811
    upload(sales(row(1)))
    base = sqs_settings()
    url = sqs.get_queue_url(QueueName=base.queues.ml.dead_letter_name)["QueueUrl"]
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="a dead letter")
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)
    samples = scrape()
    assert told(samples, "queue_messages") == {("etl", "visible"), ("ml-dlq", "visible"), ("ml-dlq", "in_flight")}
    assert value(samples, "queue_messages", queue="etl", state="visible") == 1
    assert value(samples, "queue_messages", queue="ml-dlq", state="visible") == 1
    assert value(samples, "queue_messages", queue="ml-dlq", state="in_flight") == 1


def test_who_is_at_work_is_told(sqs: Any, patient: None) -> None:  # noqa: F811
    now = timezone.now()
    for name, queue, age in [("a", "etl", 0), ("b", "etl", 0), ("dead", "ml", 3600), ("r", "relay", 0)]:
        at = now - timedelta(seconds=age)
        beat(name=name, queues=[queue], slots=1, pid=1, started_at=at, at=at)
    samples = scrape()
    assert {queue: value(samples, "workers", queue=queue) for queue in ("etl", "ml", "relay")} == {
        "etl": 2,
        "ml": 0,
        "relay": 1,
    }
    assert told(samples, "up") == {("database",), ("queues",), ("storage",), ("worker-etl",), ("relay",)}


def test_the_database_is_asked_as_often_for_much_as_for_little(
    upload: Callable[..., Job],  # noqa: F811
    work: Callable[[], None],  # noqa: F811
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            metrics.line()
        return len(queries)

    nothing = cost()
    upload(sales(row(1)))
    work()
    for n in range(2, 6):
        upload(sales(row(n)))
    beat(name="w", queues=["etl"], slots=1, pid=1, started_at=timezone.now(), at=timezone.now())
    assert cost() == nothing == 5


def test_the_web_servers_own_requests_are_told_and_made_up_methods_are_one(sqs: Any, patient: None) -> None:  # noqa: F811
    Client().get("/api/v1/health")
    for method in ("FOO1", "FOO2"):
        Client().generic(method, "/api/v1/health")
    samples = scrape()
    answered = ("django_http_responses_total_by_status_view_method_total", {"view": "health", "status": "200"})
    assert samples[answered[0], frozenset({**answered[1], "method": "GET"}.items())] >= 1
    methods = {dict(labels).get("method") for _, labels in samples}
    assert "<invalid method>" in methods
    assert not methods & {"FOO1", "FOO2"}


def test_openmetrics_is_spoken_to_those_who_ask_for_it(sqs: Any, patient: None) -> None:  # noqa: F811
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", "Accept": accept})
    assert response["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name for family in open_metrics(response.content.decode())}
    assert {
        "aetherflow_stage_attempts",
        "aetherflow_queue_messages",
        "django_http_requests_before_middlewares",
    } <= families


def test_several_web_processes_are_told_as_one(tmp_path: Path, settings: Any, sqs: Any, patient: None) -> None:  # noqa: F811
    count = "from prometheus_client import Counter; Counter('answered_by_others', 'n').inc(3)"
    for _ in range(2):
        another = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        subprocess.run([sys.executable, "-c", count], env=another, check=True, timeout=60)
    settings.PROMETHEUS_MULTIPROC_DIR = str(tmp_path)
    samples = scrape()
    assert samples["answered_by_others_total", frozenset()] == 6
    assert value(samples, "scrape_ok", source="database") == 1, "and the platform's own, once"


def test_the_documentation_names_every_metric_and_no_other(
    upload: Callable[..., Job],  # noqa: F811
    work: Callable[[], None],  # noqa: F811
    patient: None,
) -> None:
    upload(sales(row(1)))
    work()
    suffix = re.compile(r"_(bucket|count|sum|created)$")
    names = {suffix.sub("", name) for name, _ in scrape() if name.startswith("aetherflow_")}
    page = (Path(__file__).parents[1] / "docs/metrics.md").read_text()
    assert set(re.findall(r"^\| `(aetherflow_\w+)`", page, re.MULTILINE)) == names


# --- A part of the platform is away ---


@pytest.mark.parametrize("away", ["refusing", "hanging"])
def test_a_scrape_without_sqs_comes_in_time_and_tells_the_rest(
    away: str,
    hanging: str,  # noqa: F811
    settings: Any,
    seller: User,  # noqa: F811
) -> None:
    settings.AWS_ENDPOINT_URL_SQS = hanging if away == "hanging" else f"http://127.0.0.1:{free_port()}"
    settings.STORAGES = settings.STORAGES | {
        "raw": {"BACKEND": "apps.datasets.storage.DiskRawStorage", "OPTIONS": {"location": "."}}
    }
    eventually(lambda: value(scrape(), "scrape_ok", source="database") == 1)
    samples = scrape()
    assert value(samples, "scrape_ok", source="queues") == value(samples, "up", part="queues") == 0
    assert value(samples, "scrape_ok", source="database") == 1
    assert not any(name == "aetherflow_queue_messages" for name, _ in samples)
    assert value(samples, "stage_attempts_total", stage="etl", department="sales", outcome="failed") == 0
    with at_most(seconds=SOON):
        scrape()


def test_a_scrape_without_the_database_tells_of_the_queues(
    sqs: Any,  # noqa: F811
    patient: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connections.settings["default"], "PORT", str(free_port()))
    samples = scrape()
    assert value(samples, "scrape_ok", source="database") == value(samples, "up", part="database") == 0
    assert value(samples, "scrape_ok", source="queues") == 1
    assert value(samples, "queue_messages", queue="etl", state="visible") == 0
    assert not any(name == "aetherflow_jobs" or dict(labels).get("part") == "relay" for name, labels in samples), (
        "what is not known is not told as nothing"
    )


def test_a_database_that_hangs_holds_one_thread_and_no_answer(
    sqs: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "WITHIN_SECONDS", 1.5)
    monkeypatch.setattr(readiness, "WITHIN_SECONDS", 1.5)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE jobs_stagetally, jobs_workerheartbeat IN ACCESS EXCLUSIVE MODE")
        for _ in range(2):
            with at_most(seconds=2 * SOON):
                assert value(scrape(), "scrape_ok", source="database") == 0
                checks = readiness.readiness()
            assert checks["database"] == {"status": "down", "detail": "No answer within 1.5 s."}
            assert checks["relay"]["status"] == checks["worker-etl"]["status"] == "down"
            assert checks["queues"]["status"] == "ok"
        assert blocked_backends() == 2, "one look of each, however many asked"
    eventually(lambda: value(scrape(), "scrape_ok", source="database") == 1)
    eventually(lambda: readiness.readiness()["database"]["status"] == "ok")


def test_readiness_does_not_wait_for_a_store_and_queues_that_hang(hanging: str, settings: Any) -> None:  # noqa: F811
    settings.AWS_ENDPOINT_URL_SQS = settings.AWS_ENDPOINT_URL_S3 = hanging
    settings.STORAGES = {**settings.STORAGES}
    began = time.monotonic()
    response = Client().get("/api/v1/health/ready")
    took = time.monotonic() - began
    checks = response.json()["checks"]
    assert response.status_code == 503
    assert checks["storage"]["status"] == checks["queues"]["status"] == "down"
    assert checks["database"]["status"] == "ok"
    assert took < SOON


def test_readiness_names_the_relay(sqs: Any) -> None:  # noqa: F811
    now = timezone.now()
    for queue in ("etl", "ml"):
        beat(name=f"{queue}@test", queues=[queue], slots=1, pid=1, started_at=now, at=now)
    answer = Client().get("/api/v1/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["relay"] == {
        "status": "down",
        "detail": "No relay sends what waits in the outbox.",
    }
    beat(name="relay@test", queues=["relay"], slots=0, pid=1, started_at=now, at=now)
    answer = Client().get("/api/v1/health/ready")
    assert answer.status_code == 200
    assert list(answer.json()["checks"]) == ["database", "storage", "queues", "worker-etl", "worker-ml", "relay"]


def eventually(condition: Callable[[], bool], *, within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)
