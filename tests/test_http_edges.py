"""Requests at the edge of what HTTP allows: each is answered by its own mistake, none by a crash of ours."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from apps.accounts.models import Session, User
from apps.jobs.models import Job, Stage
from config.wsgi import application
from tests.accounts.factories import PASSWORD, AdminFactory, UserFactory, bearer
from tests.datasets.factories import DatasetFactory
from tests.jobs.calls import UPLOAD, post_file, problem
from tests.jobs.conftest import seller, sqs, upload  # noqa: F401  (fixtures)
from tests.jobs.files import row, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


@pytest.fixture
def client() -> APIClient:
    """A crash is answered by a 500 as in production, not raised in the test."""
    return APIClient(raise_request_exception=False)


@pytest.mark.parametrize("accept", ["text/csv", "text/html", "application/problem+json", "application/octet-stream"])
def test_an_answer_is_what_the_address_says_whatever_accept_asks_for(
    client: APIClient,
    seller: User,  # noqa: F811
    upload: Callable[..., Job],  # noqa: F811
    accept: str,
) -> None:
    dataset = f"/api/v1/datasets/{upload(sales(row(1))).dataset_id}"
    headers = bearer(seller)["headers"] | {"Accept": accept}
    for path, content_type in [
        (dataset, "application/json"),
        (f"{dataset}/rows.csv", "text/csv; charset=utf-8"),
        (f"{dataset}/rejects.csv", "text/csv; charset=utf-8"),
        (f"{dataset}/raw", "application/octet-stream"),
        ("/api/v1/schemas/sales/template.csv", "text/csv; charset=utf-8"),
    ]:
        response = client.get(path, headers=headers)
        assert (response.status_code, response["Content-Type"]) == (200, content_type), path
    problem(client.get(f"/api/v1/datasets/{uuid.uuid4()}", headers=headers), 404, "not-found")


@pytest.mark.parametrize("listing", ["rows", "rejects"])
@pytest.mark.parametrize("position", ["p=abc", "p=NaN", "p=%00", "p=1.5", "p=-1", f"p={10**24}", "o=x", "ÿ"])
def test_a_cursor_nobody_gave_out_is_refused(
    client: APIClient,
    seller: User,  # noqa: F811
    listing: str,
    position: str,
) -> None:
    dataset = DatasetFactory(uploaded_by=seller)
    cursor = base64.b64encode(position.encode()).decode()
    response = client.get(f"/api/v1/datasets/{dataset.pk}/{listing}", {"cursor": cursor}, **bearer(seller))
    assert problem(response, 400, "invalid-cursor")["hint"]


@pytest.mark.parametrize(
    "query",
    [
        "datasets?ordering=%00",
        "datasets?department=%00&search=%00",
        f"datasets?search={'%25' * 3000}",
        "datasets?uploaded_after=0001-01-01T00:00:00%2B14:00",
        "datasets?uploaded_after=2024-13-45T00:00",
        "datasets?uploaded_before=9999-12-31T23:59:59-14:00",
        "jobs?dataset=%00&status=%00&stage=x",
        "jobs?ordering=-status,created_at&created_after=x",
    ],
)
def test_a_strange_filter_is_answered_or_refused(client: APIClient, seller: User, query: str) -> None:  # noqa: F811
    DatasetFactory(uploaded_by=seller)
    assert client.get(f"/api/v1/{query}", **bearer(seller)).status_code in {200, 400}


@pytest.mark.parametrize("listing", ["datasets", "jobs", "auth/sessions", "datasets/{}/rows", "datasets/{}/rejects"])
@pytest.mark.parametrize("limit", ["null", "0", "-1", "1.5", "٣", "99999999999999999999999", "9" * 5000])
def test_a_page_that_cannot_be_told_is_refused(
    client: APIClient,
    seller: User,  # noqa: F811
    listing: str,
    limit: str,
) -> None:
    path = f"/api/v1/{listing.format(DatasetFactory(uploaded_by=seller).pk)}"
    (entry,) = problem(client.get(path, {"limit": limit}, **bearer(seller)), 400, "invalid-request")["errors"]
    assert (entry["pointer"], entry["code"]) == ("/limit", "invalid")
    assert "whole number from 1" in entry["detail"]


def test_an_offset_counts_from_nought_and_a_large_limit_is_the_largest_page(client: APIClient, seller: User) -> None:  # noqa: F811
    DatasetFactory.create_batch(3, uploaded_by=seller)
    for query, shown in [("limit=2000", 3), ("limit=2&offset=2", 1), ("offset=0", 3), ("offset=&limit=", 3)]:
        page = client.get(f"/api/v1/datasets?{query}", **bearer(seller))
        assert len(page.json()["results"]) == shown, query
    problem(client.get("/api/v1/datasets?offset=-1", **bearer(seller)), 400, "invalid-request")


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("0685-04-09T16:16:56.7+22:41", 200),
        ("2026-01-01T00:00:00-23:59", 200),
        ("0001-01-01T00:00:00+14:00", 400),
        ("9999-12-31T23:59:59-14:00", 400),
        ("", 200),
    ],
)
@pytest.mark.parametrize("listing", ["datasets?uploaded_before", "jobs?created_after"])
def test_a_moment_is_understood_in_any_offset(
    client: APIClient,
    seller: User,  # noqa: F811
    listing: str,
    moment: str,
    status: int,
) -> None:
    path, name = listing.split("?")
    assert client.get(f"/api/v1/{path}", {name: moment}, **bearer(seller)).status_code == status


def test_an_upload_without_a_body_lacks_its_file(client: APIClient, seller: User) -> None:  # noqa: F811
    (entry,) = problem(client.generic("POST", UPLOAD, **bearer(seller)), 400, "invalid-request")["errors"]
    assert (entry["pointer"], entry["code"]) == ("/file", "required")


@pytest.mark.parametrize("text", [7, 1.5, True, None, ["a"], {"a": 1}])
def test_a_text_is_no_number(client: APIClient, text: object) -> None:
    (entry,) = problem(client.post("/api/v1/auth/logout", {"refresh": text}), 400, "invalid-request")["errors"]
    assert entry["pointer"] == "/refresh"


@pytest.mark.parametrize("mode", ["cookie", "", "tokens"])
@pytest.mark.parametrize("path", ["login", "refresh"])
def test_an_unknown_mode_is_refused_before_a_session_is_opened(
    client: APIClient,
    seller: User,  # noqa: F811
    mode: str,
    path: str,
) -> None:
    given = {"email": seller.email, "password": PASSWORD}
    answer = client.post(f"/api/v1/auth/{path}", given, headers={"X-Auth-Mode": mode})
    problem(answer, 400, "unknown-auth-mode")
    assert not Session.objects.filter(user=seller).exists()


@pytest.mark.parametrize(
    "filename",
    [
        "filename*=bogus''a%41.csv",
        "filename*=utf-8''%00%ff.csv",
        "filename*=idna''a%41.csv",
        'filename="a\x00b.csv"',
        'filename="../../etc/passwd"',
        'filename=".."',
        'filename="\u202e"',
        f'filename="{"x" * 5000}.csv"',
        "",
    ],
)
def test_a_strange_file_name_is_made_safe_or_refused(
    client: APIClient,
    sqs: Any,  # noqa: F811
    seller: User,  # noqa: F811
    filename: str,
) -> None:
    part = f'--b\r\nContent-Disposition: form-data; name="file"; {filename}\r\n\r\n'.encode()
    body = part + sales(row(1)) + b"\r\n--b--\r\n"
    response = client.generic("POST", UPLOAD, body, content_type="multipart/form-data; boundary=b", **bearer(seller))
    assert response.status_code in {202, 400}, response.content
    assert response.status_code == 400 or "/" not in response.json()["dataset"]["filename"]


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=é",
        f"multipart/form-data; boundary={'x' * 500}",
        "multipart/form-data; boundary=b; charset=utf-16",
        "multipart/mixed; boundary=b",
        "application/json",
        ";;;",
        "",
    ],
)
def test_an_upload_of_another_content_type_is_refused(
    client: APIClient,
    sqs: Any,  # noqa: F811
    seller: User,  # noqa: F811
    content_type: str,
) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nx\r\n--b--\r\n'
    response = client.generic("POST", UPLOAD, body, content_type=content_type, **bearer(seller))
    assert response.status_code in {400, 415}, response.content
    assert response["Content-Type"] == "application/problem+json"


def test_form_fields_have_a_limit_of_their_own(client: APIClient, sqs: Any, seller: User) -> None:  # noqa: F811
    document = problem(post_file(client, seller, description="x" * 3_000_000), 413, "request-too-large")
    assert "2 MB" in document["detail"]
    many = {f"field{n}": "1" for n in range(1_100)}
    assert "1000" in problem(post_file(client, seller, **many), 400, "too-many-fields")["detail"]
    files = {f"file{n}": SimpleUploadedFile("a.csv", b"x") for n in range(120)}
    response = client.post(UPLOAD, files, format="multipart", **bearer(seller))
    assert "100" in problem(response, 400, "too-many-files")["detail"]
    assert not Job.objects.exists()


def test_a_json_body_has_a_limit_too(client: APIClient) -> None:
    body = json.dumps({"email": "x" * 3_000_000})
    response = client.generic("POST", "/api/v1/auth/login", body, content_type="application/json")
    problem(response, 413, "request-too-large")


def test_json_nested_too_deeply_is_the_callers_mistake(client: APIClient) -> None:
    response = client.generic("POST", "/api/v1/auth/login", b"[" * 200_000, content_type="application/json")
    problem(response, 400, "nested-too-deeply")


def test_text_that_is_no_unicode_is_refused(client: APIClient) -> None:
    body = b'{"email": "\\ud800@example.org", "password": "\\ud800"}'
    response = client.generic("POST", "/api/v1/auth/login", body, content_type="application/json")
    assert response.status_code in {400, 401}


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary*=x''b", "application/json; charset*=x''%41"])
def test_an_unreadable_content_type_is_refused_with_a_request_id(content_type: str) -> None:
    # Through the server's own entrance: the test client would make the request itself, and fail at that.
    environ = RequestFactory().post(UPLOAD, b"x", content_type="text/plain").environ | {"CONTENT_TYPE": content_type}
    said: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        said.update(headers, status=status)

    response = application(environ, start_response)
    document = json.loads(b"".join(response))
    response.close()
    assert said["status"] == "400 Bad Request"
    assert said["Content-Type"] == "application/problem+json"
    assert document["code"] == "bad-request"
    assert "Content-Type" in document["detail"]
    assert document["request_id"] == said["X-Request-ID"]


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/datasets"])
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_address_of_the_api_is_a_problem_document(path: str, method: str) -> None:
    response = getattr(Client(enforce_csrf_checks=True), method)(path)
    problem(response, 404, "not-found")


@pytest.mark.parametrize("sent", [{}, {"X-Request-ID": "no sane id"}, {"X-Request-ID": "one-of-the-callers"}])
def test_the_log_knows_a_request_by_the_id_it_was_answered_with(
    client: APIClient,
    sent: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = client.get("/api/v1/nothing", headers=sent)
    (line,) = [record.msg for record in caplog.records if "request_finished" in str(record.msg)]
    assert line["request_id"] == response["X-Request-ID"]


def test_an_unknown_host_is_refused_in_the_callers_language(client: APIClient) -> None:
    document = problem(client.get("/api/v1/auth/config", headers={"Host": "elsewhere.example"}), 400, "unknown-host")
    assert "elsewhere.example" not in document["detail"]
    page = client.get("/dashboard", headers={"Host": "elsewhere.example"})
    assert (page.status_code, page["Content-Type"].split(";")[0]) == (400, "text/html")


def test_a_load_balancer_learns_by_an_address_alone_that_the_process_lives(client: APIClient, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["data.example.org"]
    settings.SECURE_SSL_REDIRECT, settings.SECURE_PROXY_SSL_HEADER = True, ("HTTP_X_FORWARDED_PROTO", "https")
    by_address = {"Host": "10.40.0.17:8000"}
    answer = client.get("/api/v1/health", headers=by_address)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.post("/api/v1/health", headers=by_address).status_code == 400
    for path in ("/api/v1/health/ready", "/api/v1/auth/config", "/"):
        assert client.get(path, headers=by_address).status_code == 400, path
        assert client.get(path, headers={"Host": "data.example.org"}).status_code == 301, path


def test_a_misspelt_option_or_a_second_file_is_named_and_nothing_is_taken(
    client: APIClient,
    sqs: Any,  # noqa: F811
    seller: User,  # noqa: F811
) -> None:
    files = [SimpleUploadedFile("a.csv", sales(row(1))), SimpleUploadedFile("b.csv", sales(row(2)))]
    form = {"file": files, "max_rejct_share": "1", "on_error": "shrug"}
    document = problem(client.post(UPLOAD, form, format="multipart", **bearer(seller)), 400, "invalid-request")
    assert {(error["pointer"], error["code"]) for error in document["errors"]} == {
        ("/file", "repeated-field"),
        ("/max_rejct_share", "unknown-field"),
        ("/on_error", "invalid-choice"),
    }
    assert not Job.objects.exists()
    known = {
        "name": "n",
        "description": "d",
        "department": "sales",
        "on_error": "refuse",
        "max_reject_share": "1",
    }
    assert post_file(client, seller, **known).status_code == 202


def test_an_idempotency_key_is_taken_whole_or_refused(client: APIClient, sqs: Any, seller: User) -> None:  # noqa: F811
    for end in "ab":
        response = post_file(client, seller, headers={"Idempotency-Key": "x" * 200 + end})
        assert "201" in problem(response, 400, "invalid-idempotency-key")["detail"]
    assert not Job.objects.exists()
    assert post_file(client, seller, headers={"Idempotency-Key": "x" * 200}).status_code == 202


@pytest.mark.parametrize("ordering", ["status", "-status", "finished_at"])
def test_jobs_that_are_equal_are_paged_without_gap_or_repeat(
    client: APIClient,
    seller: User,  # noqa: F811
    ordering: str,
) -> None:
    for _ in range(12):
        dataset = DatasetFactory(uploaded_by=seller)
        Job.objects.create(
            dataset=dataset,
            department="sales",
            stage=Stage.ETL,
            requested_by=seller,
            request_id="request-0001",
            created_at=dataset.uploaded_at,
        )
    seen = [
        client.get(f"/api/v1/jobs?ordering={ordering}&limit=1&offset={at}", **bearer(seller)).json()["results"][0]["id"]
        for at in range(12)
    ]
    assert seen == [str(pk) for pk in Job.objects.order_by("pk").values_list("pk", flat=True)]


def test_datasets_that_are_equal_are_paged_without_gap_or_repeat(client: APIClient, seller: User) -> None:  # noqa: F811
    made = [str(DatasetFactory(uploaded_by=seller, name="the same").pk) for _ in range(12)]
    page = client.get("/api/v1/datasets?ordering=-name&limit=12", **bearer(seller)).json()["results"]
    assert [each["id"] for each in page] == sorted(made)


def test_a_dashboard_of_a_dataset_of_another_department_is_not_there(client: APIClient) -> None:
    foreign = DatasetFactory(department="finance", uploaded_by=UserFactory(department="finance"))
    response = client.get(f"/api/v1/dashboards/sales?dataset={foreign.pk}", **bearer(AdminFactory()))
    assert "finance" in problem(response, 404, "not-found")["hint"]


@pytest.mark.parametrize("path", ["docs", "schema", "health", "datasets", f"insights/{uuid.UUID(int=0)}/reviews"])
def test_options_is_a_method_that_no_address_has(client: APIClient, seller: User, path: str) -> None:  # noqa: F811
    assert client.options(f"/api/v1/{path}", **bearer(seller)).status_code == 405
