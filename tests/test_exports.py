"""Everything that is downloaded: as a file and never as a page, and without a cell that a spreadsheet would run.

Every address that gives out a file has a row here; a new one without one fails.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.test import APIClient

from aetherflow.etl.corrections import as_in_the_file
from apps.accounts.choices import AuditAction
from apps.accounts.exports import safe_cell
from apps.accounts.models import AuditEntry, User
from apps.jobs.models import Job
from tests.accounts.factories import LONG_AGO, AdminFactory, bearer
from tests.jobs.conftest import seller, sqs, upload, work  # noqa: F401  (fixtures)
from tests.jobs.files import row, sales

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]
# What gives out a file, by its name or by what it says of itself.
FILE = re.compile(r"\.csv|\.xlsx|/raw\b|export|download|template")

POISON = [
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-1+2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "\uff1d1",
    "\uff20x",
    "'=1",
    "x;=1",
    "x|@y",
    "x\n=1+cmd|' /C calc'!A0",
    "x;'=1",
    'x",=1',
    "a\r\n-b",
]
PLAIN = [
    "-5",
    "-12,50",
    "+1.234,00 €",
    "- 3",
    "5;6",
    "a = b",
    "it's",
    "'tis",
    "x - y",
    "mail@example.org",
    "one\ntwo",
    "",
]


def test_every_address_that_gives_out_a_file_is_tested_here() -> None:
    found = {address for address in addresses(get_resolver()) if FILE.search(address)}
    assert found == {
        "api/v1/datasets/<uuid:dataset_id>/rows.csv",
        "api/v1/datasets/<uuid:dataset_id>/rejects.csv",
        "api/v1/datasets/<uuid:dataset_id>/raw",
        "api/v1/schemas/<str:department>/template.csv",
        "admin/accounts/auditentry/export/",
    }


def addresses(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        address = before + str(each.pattern).strip("^$")
        if isinstance(each, URLPattern):
            yield address
        else:
            yield from addresses(each, address)


def cells_of(text: str, separator: str) -> Iterator[str]:
    """As a spreadsheet takes them that separates by this sign; where it is no comma, nothing is quoted for it."""
    if separator == ",":
        yield from (cell for cells in csv.reader(io.StringIO(text, newline="")) for cell in cells)
    else:
        yield from re.split(rf"[\r\n{re.escape(separator)}]", text)


def would_run(cell: str) -> bool:
    """An amount is none, however it is written; nor is the quotation mark of another separator's cell."""
    cell = cell.strip(" ")
    return bool(re.match("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]", cell)) and not re.fullmatch(
        r"[+-] ?[\d.,]+( ?€)?", cell
    )


def assert_harmless(text: str) -> None:
    for separator in ",;\t|":
        assert not [cell for cell in cells_of(text, separator) if would_run(cell)], separator


@pytest.mark.parametrize("cell", POISON)
def test_no_cell_is_run_whatever_separates_them(cell: str) -> None:
    held = io.StringIO(newline="")
    csv.writer(held).writerow(["first", safe_cell(cell), "last"])
    assert_harmless(held.getvalue())


@pytest.mark.parametrize("cell", PLAIN)
def test_a_harmless_cell_is_as_it_was(cell: str) -> None:
    assert safe_cell(cell) == cell


@pytest.mark.parametrize("cell", [*POISON, *PLAIN, "''=1", "x;''=1", "\n'\n'=", ";=;=;'=", "'x;=1"])
def test_a_list_of_rejects_is_read_back_as_it_was(cell: str) -> None:
    batch = pa.RecordBatch.from_arrays([pa.array([safe_cell(cell)])], names=["0"])
    assert as_in_the_file(batch).column(0).to_pylist() == [cell]


def poisoned(number: int, cell: str, *, quantity: str = "1") -> str:
    return row(number, quantity=quantity).replace("North", '"' + cell.replace('"', '""') + '"')


@pytest.fixture
def job(upload: Callable[..., Job], work: Callable[[], None]) -> Job:  # noqa: F811
    loaded = [poisoned(at, cell) for at, cell in enumerate(POISON)]
    rejected = [poisoned(100 + at, cell, quantity="x") for at, cell in enumerate(POISON[:4])]
    filler = [row(at) for at in range(200, 260)]
    content = sales(*loaded, *rejected, *filler).replace(b"transaction_id", b"=transaction_id;=1,transaction_id", 1)
    job = upload(content.replace(b"\nT-", b"\n=2,T-"))
    work()
    return job


def test_what_the_api_gives_out_is_a_file_and_harmless(job: Job, seller: User) -> None:  # noqa: F811
    dataset = f"/api/v1/datasets/{job.dataset_id}"
    texts = {}
    for address in (f"{dataset}/rows.csv", f"{dataset}/rejects.csv", "/api/v1/schemas/sales/template.csv"):
        answer = APIClient().get(address, **bearer(seller))
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert re.fullmatch(r'attachment; filename="[\w.-]+\.csv"', answer["Content-Disposition"])
        assert answer["X-Content-Type-Options"] == "nosniff"
        texts[address] = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        assert_harmless(texts[address])
    assert "cmd|" in texts[f"{dataset}/rows.csv"]
    assert "cmd|" in texts[f"{dataset}/rejects.csv"]
    assert texts[f"{dataset}/rejects.csv"].startswith("'=transaction_id;'=1,")


def test_the_raw_file_is_no_page_and_comes_whole(job: Job, seller: User) -> None:  # noqa: F811
    for headers in ({}, {"Range": "bytes=5-9"}, {"If-None-Match": '"x"'}, {"If-Modified-Since": "x"}):
        answer = APIClient().get(f"/api/v1/datasets/{job.dataset_id}/raw", headers=bearer(seller)["headers"] | headers)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/octet-stream")
        assert answer["Content-Disposition"] == 'attachment; filename="upload.csv"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert (len(content), b"\n=2,T-" in content) == (int(answer["Content-Length"]), True)


def test_what_the_console_gives_out_is_a_file_and_harmless() -> None:
    for cell in POISON:
        about: dict[str, Any] = {"target_type": "dataset", "target_id": str(uuid4()), "target": cell, "reason": cell}
        AuditEntry.objects.create(
            at=LONG_AGO, actor_name=cell, action=AuditAction.REPROCESSED, details={"name": cell}, **about
        )
    client = Client()
    client.force_login(AdminFactory())
    answer = client.post(reverse("admin:accounts_auditentry_export"))
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["X-Content-Type-Options"] == "nosniff"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "cmd|" in text
    assert_harmless(text)
