"""The platform at one look: what it tells, to whom, and that a part that is away takes no other with it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.errors import AnticipatedError
from aetherflow.registry import departments
from apps.accounts.models import User
from apps.jobs import status
from apps.jobs.broker import sqs_settings
from apps.jobs.models import Job, StageRun
from apps.jobs.selectors import failures_since, unfinished_jobs, waiting_stages, workers_seen
from apps.jobs.services.workers import beat
from config.local.home import free_port
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.jobs.calls import problem
from tests.jobs.files import row, sales
from tests.jobs.steps import deliver, taken, work_failing
from tests.support.timing import SOON, at_most

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
STATUS = "/api/v1/system/status"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the numbers: a busy machine may take longer than a person should wait."""
    monkeypatch.setattr(status, "WITHIN_SECONDS", 10.0)


def look() -> dict[str, Any]:
    answer = APIClient().get(STATUS, **bearer(AdminFactory()))
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def by(key: str, items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each[key]: each for each in items}


# --- Who may look ---


def test_an_admin_looks_and_the_answer_is_kept_nowhere(sqs: Any) -> None:
    answer = APIClient().get(STATUS, **bearer(AdminFactory()))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["console"] == "/admin/"


@pytest.mark.parametrize("slug", sorted(departments()))
def test_a_departments_member_does_not(slug: str) -> None:
    refused = problem(APIClient().get(STATUS, **bearer(UserFactory(department=slug))), 403, "admins-only")
    assert refused["hint"]


def test_neither_does_nobody_nor_an_admin_who_was_shut_out() -> None:
    problem(APIClient().get(STATUS), 401, "not-authenticated")
    admin = AdminFactory()
    asking = bearer(admin)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    problem(APIClient().get(STATUS, **asking), 401, "account-inactive")


# --- What it tells ---


def test_the_services_by_name(sqs: Any, patient: None) -> None:
    now = timezone.now()
    for queue in ("etl", "relay"):
        beat(name=f"{queue}@host", queues=[queue], slots=1, pid=1, started_at=now, at=now)
    services = by("name", look()["services"])
    assert list(services) == ["database", "storage", "queues", "worker-etl", "worker-ml", "relay"]
    assert {name for name, service in services.items() if service["status"] == "down"} == {"worker-ml"}
    assert services["worker-ml"]["detail"] == "No worker for the ml queue gives a sign of life."


def test_the_queues_with_their_dead_letters_and_the_age_of_the_oldest(
    upload: Callable[..., Job], sqs: Any, patient: None
) -> None:
    job = upload(sales(row(1)))
    StageRun.objects.filter(job=job).update(dispatched_at=timezone.now() - timedelta(minutes=7))
    dead = sqs.get_queue_url(QueueName=sqs_settings().queues.ml.dead_letter_name)["QueueUrl"]
    for _ in range(2):
        sqs.send_message(QueueUrl=dead, MessageBody="a dead letter")
    told = look()["queues"]
    queues = by("queue", told["items"])
    assert told["problem"] is None
    assert list(queues) == ["etl", "ml"]
    etl, ml = queues["etl"], queues["ml"]
    assert (etl["name"], etl["visible"], etl["in_flight"], etl["dead_letters"]) == ("aetherflow-etl", 1, 0, 0)
    assert etl["oldest_seconds"] == pytest.approx(420, abs=60)
    assert (ml["visible"], ml["dead_letters"], ml["oldest_seconds"]) == (0, 2, 0)


def test_what_waits_in_the_outbox_and_whose_jobs_are_under_way(
    upload: Callable[..., Job], sqs: Any, patient: None
) -> None:
    sent, unsent = upload(sales(row(1))), upload(sales(row(2)))
    StageRun.objects.filter(job=unsent).update(
        dispatched_at=None, queued_at=timezone.now() - timedelta(minutes=3), send_after=timezone.now()
    )
    Job.objects.filter(pk=sent.pk).update(status="processing")
    told = look()
    outbox = by("stage", told["outbox"]["items"])
    assert (outbox["etl"]["waiting"], outbox["ml"]["waiting"]) == (1, 0)
    assert outbox["etl"]["lag_seconds"] == pytest.approx(180, abs=60)
    assert outbox["ml"]["lag_seconds"] == 0
    jobs = by("department", told["jobs"]["items"])
    assert set(jobs) == set(departments())
    assert (jobs["sales"]["queued"], jobs["sales"]["processing"]) == (1, 1)
    assert (jobs["finance"]["queued"], jobs["finance"]["processing"]) == (0, 0)


def test_the_workers_with_the_task_in_hand(upload: Callable[..., Job], sqs: Any, patient: None) -> None:
    now = timezone.now()
    busy, orphan = upload(sales(row(1))), upload(sales(row(2)))
    for name, age in (("etl@here", 0), ("etl@silent", 600), ("etl@forgotten", 2 * 24 * 3600)):
        at = now - timedelta(seconds=age)
        beat(name=name, queues=["etl"], slots=2, pid=1, started_at=at, at=at)
    for job, worker in ((busy, "etl@here"), (orphan, "etl@gone")):
        began = now - timedelta(seconds=30)
        StageRun.objects.filter(job=job).update(state="processing", worker=worker, started_at=began)
    workers = by("name", look()["workers"]["items"])
    assert {name: each["alive"] for name, each in workers.items()} == {
        "etl@here": True,
        "etl@silent": False,
        "etl@gone": False,
    }
    (task,) = workers["etl@here"]["tasks"]
    assert task["job_id"] == str(busy.pk)
    assert (task["department"], task["stage"], task["dataset_name"]) == ("sales", "etl", busy.dataset.name)
    assert task["since"]
    assert workers["etl@silent"]["tasks"] == []
    gone = workers["etl@gone"]
    assert (gone["queues"], gone["beat_at"], gone["started_at"]) == ([], None, None)
    assert [each["job_id"] for each in gone["tasks"]] == [str(orphan.pk)]


def test_the_failures_of_a_day_by_their_code(upload: Callable[..., Job], sqs: Any, patient: None) -> None:
    upload(b"no,such,columns\n1,2,3\n")
    message, headers = taken(sqs)
    for receive in (1, 2, 3):
        with pytest.raises(AnticipatedError):
            deliver(message, headers, message_id="m", receive_count=receive)
    work_failing(upload(b"nor,these,here\n1,2,3\n"), sqs)
    (failure,) = look()["failures"]["items"]
    assert (failure["code"], failure["stage"], failure["count"]) == ("missing-label", "etl", 2)
    assert (failure["dead_lettered"], failure["departments"]) == (1, ["sales"])
    StageRun.objects.filter(state="failed").update(finished_at=timezone.now() - timedelta(hours=25))
    assert look()["failures"] == {"problem": None, "items": []}


def test_the_database_is_asked_as_often_for_much_as_for_little(
    upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    def cost() -> int:
        now = timezone.now()
        with CaptureQueriesContext(connection) as queries:
            waiting_stages()
            unfinished_jobs()
            workers_seen(at=now)
            failures_since(now - timedelta(days=1))
        return len(queries)

    nothing = cost()
    for n in range(1, 5):
        job = upload(sales(row(n)))
        StageRun.objects.filter(job=job).update(state="processing", worker=f"etl@{n}", started_at=timezone.now())
    assert cost() == nothing == 6


# --- A part of the platform is away ---


@pytest.mark.parametrize("away", ["refusing", "hanging"])
def test_without_sqs_and_store_the_rest_is_told_within_a_second(
    away: str, hanging: str, settings: Any, seller: User
) -> None:
    address = hanging if away == "hanging" else f"http://127.0.0.1:{free_port()}"
    settings.AWS_ENDPOINT_URL_SQS = settings.AWS_ENDPOINT_URL_S3 = address
    settings.STORAGES = {**settings.STORAGES}
    asking = bearer(AdminFactory())
    APIClient().get(STATUS, **asking)  # the first look of a process imports and connects
    answer = APIClient().get(STATUS, **asking)
    told = answer.json()
    services = by("name", told["services"])
    assert services["queues"]["status"] == services["storage"]["status"] == "down"
    assert services["database"]["status"] == "ok"
    assert told["queues"]["problem"]
    assert "127.0.0.1" not in answer.content.decode(), "addresses belong in the log"
    etl = by("queue", told["queues"]["items"])["etl"]
    assert (etl["visible"], etl["dead_letters"]) == (None, None), "what is not known is not told as nothing"
    assert etl["oldest_seconds"] == 0
    assert told["workers"]["problem"] is told["failures"]["problem"] is told["outbox"]["problem"] is None
    with at_most(seconds=SOON):
        APIClient().get(STATUS, **asking)


def test_a_missing_queue_is_named_with_the_way_to_make_it(sqs: Any, patient: None) -> None:
    url = sqs.get_queue_url(QueueName="aetherflow-ml")["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)
    assert look()["queues"]["problem"] == "The queue aetherflow-ml does not exist. Run `manage.py provision`."


def test_one_table_that_is_locked_takes_its_own_section_only(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "WITHIN_SECONDS", 1.5)
    look()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE jobs_workerheartbeat IN ACCESS EXCLUSIVE MODE")
        told = look()
    assert told["workers"] == {"problem": "No answer within 1.5 s.", "items": []}
    assert told["outbox"]["problem"] is told["failures"]["problem"] is told["queues"]["problem"] is None
    assert by("name", told["services"])["relay"]["status"] == "down"
