"""What an uploader says of a file: checked at the door, followed by the ETL stage, and remembered for the next one."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.etl import ReadOptions
from aetherflow.etl.mapping import header_shape
from apps.accounts.models import User
from apps.datasets.models import Dataset, HeaderMapping
from apps.datasets.selectors import clean_rows
from apps.datasets.services import forget_mapping
from apps.jobs.models import Job, JobStatus, Stage
from apps.jobs.services.again import reprocess
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.jobs.calls import post_file, problem
from tests.jobs.files import HEADER, row
from tests.jobs.steps import work_failing

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

MAPPING = {"Menge": "quantity", "Preis": "unit_price", "Kasse": None}
SAID = ReadOptions(mapping=MAPPING)
LABELS = HEADER.replace("quantity", "Menge").replace("unit_price", "Preis").strip() + ",Kasse"
MAPPINGS = "/api/v1/schemas/sales/mappings"


def till_file(*numbers: int) -> bytes:
    """A file of the department's till, with labels nobody has told the platform."""
    return "\n".join([LABELS, *(f"{row(n)},7" for n in numbers)]).encode()


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def loaded(upload: Callable[..., Job], work: Callable[[], None]) -> Callable[..., Dataset]:
    """Upload and work a file that is expected to load."""

    def loaded(content: bytes, **options: Any) -> Dataset:
        job = upload(content, **options)
        work()
        job.refresh_from_db()
        assert job.status == JobStatus.SUCCEEDED, [run.error_message for run in job.stages.all()]
        return Dataset.objects.get(pk=job.dataset_id)

    return loaded


def test_what_is_said_is_kept_with_the_upload(client: APIClient, sqs: Any, seller: User) -> None:
    said = {
        "mapping": '{"Qty": "quantity", "Till": ""}',
        "delimiter": "\t",
        "encoding": "latin1",
        "decimal": ",",
        "date_order": "day-first",
        "sheet": "March",
    }
    dataset = post_file(client, seller, **said).json()["dataset"]
    kept = said | {"mapping": {"Qty": "quantity", "Till": None}, "encoding": "iso8859-1"}
    assert dataset["read_options"] == kept
    assert Dataset.objects.get().read_options == kept
    shown = client.get(f"/api/v1/datasets/{dataset['id']}", **bearer(seller)).json()
    assert shown["read_options"] == kept


def test_an_empty_field_says_nothing_and_an_empty_mapping_something(client: APIClient, sqs: Any, seller: User) -> None:
    blank = dict.fromkeys(["mapping", "delimiter", "encoding", "decimal", "date_order", "sheet"], "")
    assert post_file(client, seller, **blank).json()["dataset"]["read_options"] == {}
    assert post_file(client, seller, mapping="{}").json()["dataset"]["read_options"] == {"mapping": {}}


@pytest.mark.parametrize(
    ("field", "value", "code", "said"),
    [
        ("mapping", "{'Qty': 'quantity'}", "mapping-error", "not JSON"),
        ("mapping", '["quantity"]', "mapping-error", "not a JSON object"),
        ("mapping", '{"Qty": 5}', "mapping-error", "neither a text nor null"),
        ("mapping", '{"Qty": "a\\u0000b"}', "mapping-error", "a character that is none"),
        ("mapping", '{"a": "quantity", "a": "sku"}', "mapping-error", "names 'a' twice"),
        ("mapping", "[" * 100_000, "mapping-error", "nested too deeply"),
        ("mapping", json.dumps({f"l{n}": None for n in range(10_000)}), "mapping-error", "at most 500"),
        ("mapping", '{"Qty": "quantty"}', "mapping-error", "Did you mean quantity?"),
        ("mapping", '{"Qty": "colour"}', "mapping-error", "The columns are transaction_id, date"),
        ("mapping", '{"a": "quantity", "b": "quantity"}', "mapping-error", "both 'a' and 'b' to quantity"),
        ("delimiter", '"', "invalid-delimiter", "cannot separate columns"),
        ("encoding", "base64", "invalid-encoding", "no text encoding"),
        ("decimal", ";", "invalid-choice", '";" is not a valid choice'),
        ("date_order", "iso", "invalid-choice", '"iso" is not a valid choice'),
        ("sheet", "x" * 256, "max-length", "255"),
    ],
    ids=range(15),
)
def test_what_cannot_be_followed_is_refused_with_a_pointer(
    client: APIClient, sqs: Any, seller: User, field: str, value: str, code: str, said: str
) -> None:
    (error,) = problem(post_file(client, seller, **{field: value}), 400, "invalid-request")["errors"]
    assert (error["pointer"], error["code"]) == (f"/{field}", code)
    assert said in error["detail"]
    assert len(error["detail"]) < 500
    assert not Dataset.objects.exists()


def test_a_mapping_is_checked_against_the_department_of_the_upload(client: APIClient, sqs: Any) -> None:
    admin, mapping = AdminFactory(), '{"Betrag": "amount"}'
    assert post_file(client, admin, department="finance", mapping=mapping).status_code == 202
    problem(post_file(client, admin, department="sales", mapping=mapping), 400, "invalid-request")


def test_what_is_said_is_part_of_the_same_request(client: APIClient, sqs: Any, seller: User) -> None:
    key = {"Idempotency-Key": "monday-file"}
    first = post_file(client, seller, headers=key, mapping='{"A": "sku", "B": null}')
    again = post_file(client, seller, headers=key, mapping='{"B": "", "A": "sku"}')
    assert again["Idempotency-Replayed"] == "true"
    assert first.json()["job"]["id"] == again.json()["job"]["id"]
    for other in ({}, {"mapping": '{"A": "sku"}'}, {"mapping": '{"A": "sku", "B": null}', "decimal": ","}):
        problem(post_file(client, seller, headers=key, **other), 422, "idempotency-key-reused")


def test_the_file_is_read_as_was_said(loaded: Callable[..., Dataset]) -> None:
    dataset = loaded(till_file(1, 2), options=SAID)
    assert [each["quantity"] for each in clean_rows(dataset)] == [2, 2]
    reading = dataset.reading
    assert (reading["mapping"]["Menge"], reading["mapping_from"], reading["left_out"]) == (
        "quantity",
        "upload",
        ["Kasse"],
    )


def test_a_delimiter_that_was_said_is_used(loaded: Callable[..., Dataset]) -> None:
    content = till_file(1).replace(b",", b"~")
    assert loaded(content, options=ReadOptions(delimiter="~", mapping=MAPPING)).reading["delimiter"] == "~"


def test_a_label_the_file_has_not_fails_the_job_with_what_may_have_been_meant(
    upload: Callable[..., Job], sqs: Any
) -> None:
    run = work_failing(upload(till_file(1), options=ReadOptions(mapping=MAPPING | {"Kase": None})), sqs)
    assert (run.error_code, run.error_details["line"], run.error_details["column"]) == ("mapping-error", 1, "Kase")
    assert run.error_hint == "Did you mean 'Kasse'?"
    assert not HeaderMapping.objects.exists()


def test_a_mapping_that_loaded_is_remembered_for_the_next_file_of_the_shape(
    loaded: Callable[..., Dataset], seller: User
) -> None:
    first = loaded(till_file(1), options=SAID)
    shuffled = "kasse," + LABELS.removesuffix(",Kasse").upper()
    second = loaded(f"{shuffled}\n7,{row(2)}\n".encode())
    assert second.rows_loaded == 1
    reading = second.reading
    assert (reading["mapping_from"], reading["mapping_by"]) == ("remembered", seller.full_name)
    assert reading["mapping_at"] == first.uploaded_at.isoformat()
    assert reading["left_out"] == ["kasse"]
    assert second.read_options == {}, "what was remembered is not what was said"


def test_a_file_that_did_not_load_teaches_nothing(upload: Callable[..., Job], sqs: Any) -> None:
    wrong = ReadOptions(mapping={"Menge": "unit_price", "Preis": "quantity"})
    run = work_failing(upload(till_file(1).replace(b"10.00", b"10.55"), options=wrong), sqs)
    assert run.error_code == "too-many-rejects"
    assert not HeaderMapping.objects.exists()


def test_a_file_with_another_column_is_another_shape(
    loaded: Callable[..., Dataset], upload: Callable[..., Job], sqs: Any
) -> None:
    loaded(till_file(1), options=SAID)
    run = work_failing(upload(f"{LABELS},Filiale\n{row(2)},7,1\n".encode()), sqs)
    assert (run.error_code, run.error_details["missing"]) == ("missing-label", ["quantity", "unit_price"])


def test_an_empty_mapping_sets_the_remembered_one_aside_for_once(
    loaded: Callable[..., Dataset], upload: Callable[..., Job], sqs: Any
) -> None:
    loaded(till_file(1), options=SAID)
    assert work_failing(upload(till_file(2), options=ReadOptions(mapping={})), sqs).error_code == "missing-label"
    assert HeaderMapping.objects.get().mapping == MAPPING


def test_the_newest_upload_teaches_whichever_is_loaded_last(
    loaded: Callable[..., Dataset], upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    loaded(till_file(1), options=SAID)
    without_till = {"Menge": "quantity", "Preis": "unit_price"}
    newer = loaded(till_file(2), options=ReadOptions(mapping=without_till))
    assert HeaderMapping.objects.get().mapping == without_till
    late = upload(till_file(3), options=SAID)
    Dataset.objects.filter(pk=late.dataset_id).update(uploaded_at=newer.uploaded_at - timedelta(hours=1))
    work()
    remembered = HeaderMapping.objects.get()
    assert (remembered.mapping, remembered.given_at) == (without_till, newer.uploaded_at)


def test_a_reprocessed_upload_keeps_its_own_and_brings_nothing_forgotten_back(
    loaded: Callable[..., Dataset], work: Callable[[], None]
) -> None:
    dataset = loaded(till_file(1), options=SAID)
    forget_mapping(HeaderMapping.objects.get(), by=dataset.uploaded_by, at=timezone.now())
    again = reprocess(dataset=dataset, first=Stage.ETL, by=None, at=timezone.now())
    work()
    again.refresh_from_db()
    assert again.status == JobStatus.SUCCEEDED
    dataset.refresh_from_db()
    assert (dataset.rows_loaded, dataset.reading["mapping_from"]) == (1, "upload")
    assert not HeaderMapping.objects.exists()


@pytest.fixture
def remembered(loaded: Callable[..., Dataset]) -> HeaderMapping:
    loaded(till_file(1), options=SAID)
    return HeaderMapping.objects.get()


def test_ones_own_are_listed_and_forgotten(
    client: APIClient, seller: User, remembered: HeaderMapping, upload: Callable[..., Job], sqs: Any
) -> None:
    listed = client.get(MAPPINGS, **bearer(seller)).json()
    assert (listed["count"], listed["next"]) == (1, None)
    (only,) = listed["results"]
    assert only["mapping"] == MAPPING
    assert only["header"] == LABELS.split(",")
    assert only["given_by"] == {"id": str(seller.pk), "full_name": seller.full_name}
    assert client.get(MAPPINGS, **bearer(AdminFactory())).json()["count"] == 1

    address = f"{MAPPINGS}/{only['id']}"
    colleague = UserFactory(department="sales")
    assert client.delete(address, **bearer(colleague)).status_code == 204
    problem(client.delete(address, **bearer(colleague)), 404, "not-found")
    assert client.get(MAPPINGS, **bearer(seller)).json()["results"] == []
    assert work_failing(upload(till_file(2)), sqs).error_code == "missing-label"


def test_another_department_neither_sees_nor_forgets_them(client: APIClient, remembered: HeaderMapping) -> None:
    stranger = UserFactory(department="finance")
    problem(client.get(MAPPINGS, **bearer(stranger)), 403, "foreign-department")
    problem(client.delete(f"{MAPPINGS}/{remembered.pk}", **bearer(stranger)), 403, "foreign-department")
    assert client.get("/api/v1/schemas/finance/mappings", **bearer(stranger)).json()["count"] == 0
    documents = [
        problem(client.delete(f"/api/v1/schemas/finance/mappings/{pk}", **bearer(user)), 404, "not-found")
        for pk in (remembered.pk, uuid.uuid4())
        for user in (stranger, AdminFactory())
    ]
    assert len({document["detail"] for document in documents}) == 1
    problem(client.get(MAPPINGS), 401, "not-authenticated")
    assert HeaderMapping.objects.get() == remembered


def test_another_departments_file_is_not_read_by_them(
    loaded: Callable[..., Dataset], seller: User, work: Callable[[], None]
) -> None:
    header = ["txn_id", "date", "category", "vendor", "amount", "currency", "notes"]
    HeaderMapping.objects.create(
        department="sales",
        shape=header_shape(header),
        header=header,
        mapping={"notes": None},
        given_by=seller,
        given_at=timezone.now(),
    )
    content = f"{','.join(header)}\nF-1,2026-03-02,Travel,Rail,10.00,EUR,paid\n".encode()
    dataset = loaded(content, by=UserFactory(department="finance"))
    assert (dataset.reading["mapping_from"], dataset.reading["mapping_by"]) == ("none", None)
    assert clean_rows(dataset).get()["notes"] == "paid"

    HeaderMapping.objects.update(department="finance")
    reprocess(dataset=dataset, first=Stage.ETL, by=None, at=timezone.now())
    work()
    assert clean_rows(dataset).get()["notes"] is None
