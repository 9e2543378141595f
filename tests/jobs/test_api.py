"""Uploads, jobs, retry, undo and health over HTTP: insider, colleague of another department, anonymous, admin."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.etl.rejects import FileRefused
from apps.accounts.models import User
from apps.insights.models import Insight
from apps.jobs.models import IdempotentRequest, Job, StageRun, State, WorkerHeartbeat
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.jobs.calls import UPLOAD, post_file, problem
from tests.jobs.files import row, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def test_an_upload_is_stored_recorded_and_queued(client: APIClient, sqs: Any, seller: User) -> None:
    response = post_file(client, seller, name="Week 12", headers={"X-Request-ID": "upload-from-test"})
    assert response.status_code == 202
    answer = response.json()
    assert answer["dataset"]["name"] == "Week 12"
    assert answer["dataset"]["department"] == "sales"
    assert answer["dataset"]["filename"] == "week 12.csv"
    job = answer["job"]
    assert response["Location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["status"], job["stage"], job["request_id"]) == ("queued", "etl", "upload-from-test")
    assert [stage["stage"] for stage in job["stages"]] == ["etl"]
    assert answer["duplicate_of"] is None


def test_the_job_tells_its_whole_story(client: APIClient, seller: User, sqs: Any, work: Callable[[], None]) -> None:
    location = post_file(client, seller, sales(*(row(n) for n in range(1, 10)), row(10, quantity="x")))["Location"]
    work()
    job = client.get(location, **bearer(seller)).json()
    assert (job["status"], job["partial"], job["stage"]) == ("succeeded", True, "ml")
    etl, ml = job["stages"]
    assert etl["rows"] == {"read": 10, "loaded": 9, "rejected": 1, "duplicate": 0}
    assert etl["progress"]["unit"] == "bytes"
    assert etl["progress"]["done"] == etl["progress"]["total"] > 0
    assert (ml["status"], ml["attempts"], ml["max_attempts"], ml["error"]) == ("succeeded", 1, 3, None)
    assert job["duration_ms"] >= 0
    assert job["requested_by"] == seller.full_name


@pytest.mark.parametrize(
    ("content", "fields", "status", "code"),
    [
        (b"", {}, 422, "empty-file"),
        (None, {"department": "finance"}, 403, "foreign-department"),
        (None, {"department": "atlantis"}, 403, "foreign-department"),
        (None, {"on_error": "shrug"}, 400, "invalid-request"),
        (None, {"max_reject_share": "1.5"}, 400, "invalid-request"),
    ],
)
def test_a_refused_upload_says_why_and_leaves_nothing(
    client: APIClient, sqs: Any, seller: User, content: bytes | None, fields: dict[str, str], status: int, code: str
) -> None:
    problem(post_file(client, seller, content, **fields), status, code)
    assert not Job.objects.exists()


def test_a_file_over_the_limit_is_413(client: APIClient, sqs: Any, seller: User, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 50
    document = problem(post_file(client, seller), 413, "file-too-large")
    assert document["hint"]


def test_without_a_file_the_field_is_named(client: APIClient, sqs: Any, seller: User) -> None:
    document = problem(client.post(UPLOAD, {}, format="multipart", **bearer(seller)), 400, "invalid-request")
    assert document["errors"][0]["pointer"] == "/file"


def test_the_store_being_away_is_a_503_that_took_nothing(
    client: APIClient, sqs: Any, seller: User, settings: Any
) -> None:
    settings.RAW_BUCKET = "a-bucket-that-is-not-there"
    from django.core.files.storage import storages

    storages._storages.pop("raw", None)
    problem(post_file(client, seller), 503, "storage-unavailable")
    assert not Job.objects.exists()


def test_the_same_idempotency_key_is_answered_by_the_same_job(client: APIClient, sqs: Any, seller: User) -> None:
    key = {"Idempotency-Key": "monday-file"}
    first = post_file(client, seller, headers=key)
    again = post_file(client, seller, headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["job"]["id"] == again.json()["job"]["id"]
    assert again["Idempotency-Replayed"] == "true"
    problem(post_file(client, seller, sales(row(2)), headers=key), 422, "idempotency-key-reused")
    assert Job.objects.count() == 1


def test_a_key_whose_first_upload_is_under_way_waits_and_one_that_died_is_free_again(
    client: APIClient, sqs: Any, seller: User
) -> None:
    key = {"Idempotency-Key": "monday-file"}
    post_file(client, seller, headers=key)
    IdempotentRequest.objects.update(job=None, created_at=timezone.now())
    problem(post_file(client, seller, headers=key), 409, "idempotency-key-in-use")
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert post_file(client, seller, headers=key).status_code == 202


def test_a_failed_upload_frees_its_idempotency_key(client: APIClient, sqs: Any, seller: User) -> None:
    key = {"Idempotency-Key": "monday-file"}
    problem(post_file(client, seller, b"", headers=key), 422, "empty-file")
    assert post_file(client, seller, headers=key).status_code == 202


def test_the_same_bytes_are_noticed_within_the_department_only(client: APIClient, sqs: Any, seller: User) -> None:
    first = post_file(client, seller).json()["dataset"]["id"]
    assert post_file(client, seller).json()["duplicate_of"] == first
    stranger = UserFactory(department="finance")
    assert post_file(client, stranger).json()["duplicate_of"] is None


def test_an_admin_names_the_department(client: APIClient, sqs: Any) -> None:
    admin = AdminFactory()
    problem(post_file(client, admin), 422, "department-missing")
    assert post_file(client, admin, department="sales").status_code == 202
    problem(post_file(client, admin, department="atlantis"), 404, "unknown-department")


def test_foreign_and_unknown_objects_cannot_be_told_apart(
    client: APIClient, sqs: Any, seller: User, work: Callable[[], None]
) -> None:
    answer = post_file(client, seller).json()
    work()
    insight = str(Insight.objects.get().pk)
    stranger = UserFactory(department="finance")
    for name, method, own in [
        ("dataset-detail", "get", answer["dataset"]["id"]),
        ("dataset-detail", "delete", answer["dataset"]["id"]),
        ("dataset-rows", "get", answer["dataset"]["id"]),
        ("dataset-rows-csv", "get", answer["dataset"]["id"]),
        ("dataset-rejects", "get", answer["dataset"]["id"]),
        ("dataset-rejects-csv", "get", answer["dataset"]["id"]),
        ("dataset-profile", "get", answer["dataset"]["id"]),
        ("dataset-raw", "get", answer["dataset"]["id"]),
        ("job-detail", "get", answer["job"]["id"]),
        ("job-retry", "post", answer["job"]["id"]),
        ("insight-detail", "get", insight),
        ("insight-items", "get", insight),
        ("insight-facets", "get", insight),
        ("insight-snoozes", "put", insight),
        ("insight-reviews", "get", insight),
    ]:
        documents = []
        for pk in (own, uuid.uuid4()):
            response = getattr(client, method)(reverse(name, args=[pk]), **bearer(stranger))
            document = problem(response, 404, "not-found")
            documents.append({key: value for key, value in document.items() if key != "request_id"})
        assert documents[0] == documents[1], name


def test_lists_hold_ones_own_department_only(client: APIClient, sqs: Any, seller: User) -> None:
    post_file(client, seller)
    stranger = UserFactory(department="finance")
    for path in ("/api/v1/datasets", "/api/v1/jobs", "/api/v1/jobs/?status=queued", "/api/v1/datasets?search=week"):
        assert client.get(path, **bearer(seller)).json()["count"] == 1, path
        assert client.get(path, **bearer(stranger)).json()["count"] == 0, path
        assert client.get(path, **bearer(AdminFactory())).json()["count"] == 1, path


def test_jobs_are_filtered_and_ordered(client: APIClient, sqs: Any, seller: User) -> None:
    first = post_file(client, seller).json()["job"]["id"]
    second = post_file(client, seller, sales(row(2))).json()["job"]["id"]
    Job.objects.filter(pk=first).update(status="failed", finished_at=timezone.now())

    def ids(query: str) -> list[str]:
        return [job["id"] for job in client.get(f"/api/v1/jobs?{query}", **bearer(seller)).json()["results"]]

    assert ids("") == [second, first]
    assert ids("ordering=created_at") == [first, second]
    assert ids("status=failed") == [first]
    assert set(ids("status=failed&status=queued")) == {first, second}
    assert ids("stage=ml") == []
    problem(client.get("/api/v1/jobs?status=asleep", **bearer(seller)), 400, "invalid-request")


def test_only_a_failed_job_can_be_retried(client: APIClient, sqs: Any, seller: User) -> None:
    job_id = post_file(client, seller).json()["job"]["id"]
    retry = reverse("job-retry", args=[job_id])
    problem(client.post(retry, **bearer(seller)), 409, "job-not-failed")
    StageRun.objects.filter(job_id=job_id).update(
        state=State.FAILED, finished_at=timezone.now(), error_code="x", error_message="because"
    )
    Job.objects.filter(pk=job_id).update(status="failed", finished_at=timezone.now())
    response = client.post(retry, **bearer(seller))
    assert (response.status_code, response.json()["status"]) == (202, "queued")


def test_an_undone_upload_is_gone_with_its_rows(
    client: APIClient, sqs: Any, seller: User, work: Callable[[], None]
) -> None:
    dataset_id = post_file(client, seller).json()["dataset"]["id"]
    work()
    assert client.delete(f"/api/v1/datasets/{dataset_id}", **bearer(seller)).status_code == 204
    problem(client.get(f"/api/v1/datasets/{dataset_id}", **bearer(seller)), 404, "not-found")
    assert client.get("/api/v1/dashboards/sales", **bearer(seller)).json()["insights"] == []


def test_the_dashboard_shows_what_was_computed(
    client: APIClient, sqs: Any, seller: User, work: Callable[[], None]
) -> None:
    dataset_id = post_file(client, seller).json()["dataset"]["id"]
    work()
    board = client.get("/api/v1/dashboards/sales", **bearer(seller)).json()
    assert (board["datasets"]["count"], board["datasets"]["loaded"]) == (1, 1)
    assert board["datasets"]["latest"]["id"] == dataset_id
    (insight,) = board["insights"]
    assert (insight["kind"], insight["dataset_id"]) == ("revenue_forecast", dataset_id)
    assert board["last_updated"] == insight["computed_at"]
    assert client.get(f"/api/v1/dashboards/sales?dataset={dataset_id}", **bearer(seller)).json() == board
    problem(client.get(f"/api/v1/dashboards/sales?dataset={uuid.uuid4()}", **bearer(seller)), 404, "not-found")
    problem(client.get("/api/v1/dashboards/finance", **bearer(seller)), 403, "foreign-department")
    problem(client.get("/api/v1/dashboards/sales?dataset=x", **bearer(seller)), 400, "invalid-request")


def test_a_refused_upload_is_none_of_those_the_dashboard_rests_on(
    client: APIClient, sqs: Any, seller: User, work: Callable[[], None]
) -> None:
    loaded = post_file(client, seller, name="loaded.csv").json()["dataset"]["id"]
    work()
    refused = post_file(client, seller, name="refused.csv", content=b"no,such,columns\n1,2,3\n").json()["dataset"]["id"]
    with pytest.raises(FileRefused):
        work()
    assert client.get(f"/api/v1/datasets/{refused}", **bearer(seller)).json()["loaded_at"] is None
    board = client.get("/api/v1/dashboards/sales", **bearer(seller)).json()
    assert (board["datasets"]["count"], board["datasets"]["loaded"]) == (2, 1)
    one = client.get(f"/api/v1/datasets/{loaded}", **bearer(seller)).json()
    assert board["datasets"]["latest"] == {
        "id": loaded,
        "name": one["name"],
        "rows": one["rows"]["loaded"],
        "rejected": one["rows"]["rejected"],
        "uploaded_at": one["uploaded_at"],
    }


def test_health_says_by_name_what_is_down(client: APIClient, sqs: Any) -> None:
    assert client.get("/api/v1/health").json() == {"status": "ok"}
    response = client.get("/api/v1/health/ready")
    checks = response.json()["checks"]
    assert response.status_code == 503
    assert {name for name, check in checks.items() if check["status"] == "ok"} == {"database", "storage", "queues"}
    assert checks["worker-etl"]["status"] == checks["worker-ml"]["status"] == checks["relay"]["status"] == "down"
    for queue in ("etl", "ml", "relay"):
        WorkerHeartbeat.objects.create(
            name=f"{queue}@test", queues=[queue], pid=1, started_at=timezone.now(), beat_at=timezone.now()
        )
    assert client.get("/api/v1/health/ready").status_code == 200


def test_an_unknown_address_is_a_problem_document(client: APIClient, seller: User) -> None:
    problem(client.get("/api/v1/nothing/here", **bearer(seller)), 404, "not-found")
