"""Rows, rejects, raw files and the data dictionary over HTTP."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from aetherflow.registry import departments
from apps.accounts.models import User
from apps.datasets.storage import raw_storage
from apps.jobs.models import Job
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.jobs.conftest import seller, sqs, upload, work  # noqa: F401  (fixtures)
from tests.jobs.files import row, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def sheet(response: Any) -> list[list[str]]:
    text = body(response).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


@pytest.fixture
def dataset(upload: Callable[..., Job], work: Callable[[], None]) -> str:  # noqa: F811
    rows = [row(n, sku=f"SKU-{n}") for n in range(1, 120)]
    job = upload(sales(*rows, row(120, quantity="x", price="y"), "=cmd|x,2026-03-02,S-1,,E,@SUM,1,1,0,,"))
    work()
    return str(job.dataset_id)


def test_rows_are_paged_by_cursor_without_gap_or_repeat(client: APIClient, seller: User, dataset: str) -> None:  # noqa: F811
    url, lines = f"/api/v1/datasets/{dataset}/rows?limit=50", []
    while url:
        page = client.get(url, **bearer(seller)).json()
        lines += [each["line"] for each in page["results"]]
        url = page["next"]
    assert lines == [*range(2, 121), 122]


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("column=sku&value=sku-11", [12, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120]),
        ("column=sku&value=SKU-11&ordering=-line", [120, 119, 118, 117, 116, 115, 114, 113, 112, 111, 12]),
        ("column=sku&value=%25", []),
        ("column=quantity&value=1.0&limit=1000", [122]),
        ("column=date&value=2026-03-02&limit=1000", [*range(2, 121), 122]),
        ("column=customer_segment&value=&limit=1000", [122]),
    ],
)
def test_rows_with_a_value_in_a_column(
    client: APIClient,
    seller: User,  # noqa: F811
    dataset: str,
    query: str,
    lines: list[int],
) -> None:
    page = client.get(f"/api/v1/datasets/{dataset}/rows?{query}", **bearer(seller)).json()
    assert [each["line"] for each in page["results"]] == lines
    export = sheet(client.get(f"/api/v1/datasets/{dataset}/rows.csv?{query}", **bearer(seller)))
    assert [int(each[0]) for each in export[1:]] == sorted(lines)


def test_rows_with_a_value_are_paged_both_ways(client: APIClient, seller: User, dataset: str) -> None:  # noqa: F811
    url = f"/api/v1/datasets/{dataset}/rows?limit=8&column=sku&value=sku-11&ordering=-line"
    first = client.get(url, **bearer(seller)).json()
    second = client.get(first["next"], **bearer(seller)).json()
    assert [each["line"] for each in second["results"]] == [112, 111, 12][-3:]
    back = client.get(second["previous"], **bearer(seller)).json()
    assert back["results"] == first["results"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("column=price&value=1", "unknown-column"),
        ("column=dataset_no&value=1", "unknown-column"),
        ("column=quantity&value=three", "unreadable-value"),
        ("column=quantity&value=NaN", "unreadable-value"),
        ("column=quantity&value=1e999999", "unreadable-value"),
        ("column=date&value=31.03.2026", "unreadable-value"),
        ("ordering=sku", "invalid-request"),
    ],
)
def test_rows_asked_for_in_a_way_that_makes_no_sense_are_refused(
    client: APIClient,
    seller: User,  # noqa: F811
    dataset: str,
    query: str,
    code: str,
) -> None:
    for path in ("rows", "rows.csv"):
        response = client.get(f"/api/v1/datasets/{dataset}/{path}?{query}", **bearer(seller))
        assert (response.status_code, response.json()["code"]) == (400, code)


def test_the_rows_export_is_complete_and_neutralises_formulas(client: APIClient, seller: User, dataset: str) -> None:  # noqa: F811
    response = client.get(f"/api/v1/datasets/{dataset}/rows.csv", **bearer(seller))
    rows = sheet(response)
    assert rows[0] == ["line", *(column.name for column in departments()["sales"].columns)]
    assert len(rows) == 121
    last = dict(zip(rows[0], rows[-1], strict=True))
    assert (last["transaction_id"], last["sku"], last["quantity"]) == ("'=cmd|x", "'@SUM", "1")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment")


def test_rejects_name_line_column_value_and_what_to_do(client: APIClient, seller: User, dataset: str) -> None:  # noqa: F811
    results = client.get(f"/api/v1/datasets/{dataset}/rejects", **bearer(seller)).json()["results"]
    assert [(each["line"], each["column"], each["value"], each["code"]) for each in results] == [
        (121, "quantity", "x", "type-error"),
        (121, "unit_price", "y", "type-error"),
    ]
    assert all(each["message"] and each["hint"] for each in results)


def test_the_rejects_export_holds_the_original_line_once_with_its_errors(
    client: APIClient,
    seller: User,  # noqa: F811
    dataset: str,
) -> None:
    rows = sheet(client.get(f"/api/v1/datasets/{dataset}/rejects.csv", **bearer(seller)))
    assert rows[0][-2:] == ["error_code", "error"]
    (line,) = rows[1:]
    assert line[0] == "T-120"
    assert line[-2] == "type-error"
    assert "quantity" in line[-1]
    assert "unit_price" in line[-1]


def test_the_raw_file_comes_back_byte_for_byte(client: APIClient, seller: User, upload: Callable[..., Job]) -> None:  # noqa: F811
    content = sales(row(1)) + "Größe\r\n".encode("cp1252")
    job = upload(content)
    response = client.get(f"/api/v1/datasets/{job.dataset_id}/raw", **bearer(seller))
    assert body(response) == content
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="upload.csv"'


@pytest.mark.parametrize("department", sorted(departments()))
def test_the_data_dictionary_and_the_template_come_from_the_schema(client: APIClient, department: str) -> None:
    user = UserFactory(department=department)
    dictionary = client.get(f"/api/v1/schemas/{department}", **bearer(user)).json()
    declared = departments()[department].columns
    assert [column["name"] for column in dictionary["columns"]] == [column.name for column in declared]
    assert all(column["description"] and column["example"] for column in dictionary["columns"])
    template = sheet(client.get(f"/api/v1/schemas/{department}/template.csv", **bearer(user)))
    assert template[0] == [column.name for column in declared]
    assert len(template) > 1


def test_the_dashboard_is_tested_with_the_columns_there_are(client: APIClient) -> None:
    """Its look at a file before the upload is measured by the corpus, with these columns."""
    kept = json.loads((settings.BASE_DIR / "frontend/src/test/columns.json").read_text())
    schemas = client.get("/api/v1/schemas", **bearer(AdminFactory())).json()
    assert kept == {
        each["department"]: [
            {name: column[name] for name in ("name", "required", "aliases")} for column in each["columns"]
        ]
        for each in schemas
    }


def test_schemas_are_ones_own(client: APIClient) -> None:
    member, admin = UserFactory(department="finance"), AdminFactory()
    assert [each["department"] for each in client.get("/api/v1/schemas", **bearer(member)).json()] == ["finance"]
    assert len(client.get("/api/v1/schemas", **bearer(admin)).json()) == len(departments())
    for path in ("/api/v1/schemas/sales", "/api/v1/schemas/sales/template.csv", "/api/v1/schemas/atlantis"):
        response = client.get(path, **bearer(member))
        assert (response.status_code, response.json()["code"]) == (403, "foreign-department")


def test_a_raw_file_past_its_retention_is_said_to_be_gone(
    client: APIClient,
    seller: User,  # noqa: F811
    upload: Callable[..., Job],  # noqa: F811
) -> None:
    job = upload(sales(row(1)))
    raw_storage().delete(job.dataset.key)
    response = client.get(f"/api/v1/datasets/{job.dataset_id}/raw", **bearer(seller))
    assert (response.status_code, response.json()["code"]) == (404, "raw-file-missing")
