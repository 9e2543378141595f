"""Rejected rows are downloaded, mended in a spreadsheet and uploaded again, and complete the upload they came from."""

import csv
import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.errors import ConflictError
from apps.accounts.models import User
from apps.datasets.current import current_rows
from apps.datasets.models import Dataset, Reject
from apps.datasets.selectors import clean_rows, correctable_for
from apps.jobs.models import Job, JobStatus
from apps.jobs.services import submission
from apps.jobs.services.again import undo
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.datasets.factories import DatasetFactory
from tests.jobs.calls import post_file, problem
from tests.jobs.files import row, sales
from tests.jobs.steps import work_failing

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

GERMAN_HEADER = (
    "Transaction ID;Date;Store ID;Region;Product Category;SKU;Qty;Unit Price;Discount Pct;Segment;"
    "Payment Method;Bemerkung"
)


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def german(number: int, *, day: str = "31.03.2026", quantity: str = "2", price: str = "10,50", at: str = "N") -> str:
    return f"T-{number};{day};S-1;{at};Möbel;SKU-1;{quantity};{price};0;Größe;bar;"


def listed(client: APIClient, user: User, dataset: object) -> tuple[Any, list[dict[str, str]]]:
    """The answer, and its rows as a spreadsheet shows them."""
    answer = client.get(f"/api/v1/datasets/{dataset}/rejects.csv", **bearer(user))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return answer, list(csv.DictReader(io.StringIO(text, newline="")))


def saved(rows: list[dict[str, str]], *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """As a spreadsheet saves them."""
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return sheet.getvalue().encode(encoding)


def shown(client: APIClient, user: User, dataset: object) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/api/v1/datasets/{dataset}", **bearer(user)).json()
    return answer


@pytest.fixture
def root(upload: Callable[..., Job], work: Callable[[], None]) -> Dataset:
    """Nine rows loaded and one rejected, its quantity being 'many'."""
    job = upload(sales(*(row(n) for n in range(1, 10)), row(10, quantity="many")))
    work()
    return Dataset.objects.get(pk=job.dataset_id)


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-16")])
def test_a_mended_list_of_rejects_completes_a_file_of_another_country(
    client: APIClient,
    upload: Callable[..., Job],
    work: Callable[[], None],
    seller: User,
    delimiter: str,
    encoding: str,
) -> None:
    """All that told how the file writes its numbers and days was in the rows that are loaded already."""
    bad = [
        german(31, day="02.03.2026", quantity="zwei", price="1.250"),
        german(32, day="03.04.2026", quantity="0", price="2.000", at="=Nord"),
        german(33, day="04.05.2026", quantity="", price="3.000", at="-Süd"),
    ]
    lines = [GERMAN_HEADER, *(german(n) for n in range(1, 31)), *bad, ""]
    first = upload("\r\n".join(lines).encode("cp1252"))
    work()
    _, rows = listed(client, seller, first.dataset_id)
    assert [each["Unit Price"] for each in rows] == ["1.250", "2.000", "3.000"]
    assert rows[0]["Product Category"] == "Möbel"
    assert [each["error_code"] for each in rows] == ["type-error", "constraint-error", "missing-value"]
    for each, quantity in zip(rows, ("2", "3", "4"), strict=True):
        each["Qty"] = quantity

    answer = post_file(
        client, seller, saved(rows, delimiter=delimiter, encoding=encoding), corrects=str(first.dataset_id)
    ).json()
    work()
    correction = shown(client, seller, answer["dataset"]["id"])
    assert correction["rows"] == {"read": 3, "loaded": 3, "rejected": 0, "duplicate": 0}
    assert correction["reading"]["unknown_columns"] == ["Bemerkung"]
    assert correction["corrects"] == str(first.dataset_id)
    loaded = clean_rows(Dataset.objects.get(pk=correction["id"]))
    assert [(str(each["date"]), each["quantity"], float(each["unit_price"]), each["region"]) for each in loaded] == [
        ("2026-03-02", 2, 1250.0, "N"),
        ("2026-04-03", 3, 2000.0, "=Nord"),
        ("2026-05-04", 4, 3000.0, "-Süd"),
    ]
    assert len(current_rows("sales", columns=("sku",))) == 33

    whole = shown(client, seller, first.dataset_id)
    assert whole["rows"] == {"read": 33, "loaded": 30, "rejected": 3, "duplicate": 0}
    assert (whole["corrected"], whole["corrects"]) == (3, None)
    assert [(each["id"], each["rows"]["loaded"]) for each in whole["corrections"]] == [(correction["id"], 3)]


def test_amounts_that_begin_with_a_minus_come_back_as_they_stood(
    client: APIClient, upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    accountant = UserFactory(department="finance")
    header = "txn_id;date;department;cost_center;category;vendor;amount;currency;payment_type;approval_status;notes"
    good = [f"F-{n};31.03.2026;IT;C1;Software;Acme;-12,50;EUR;card;approved;" for n in range(1, 9)]
    bad = "F-9;31.13.2026;IT;C1;Software;Acme;-1.234,50;EUR;card;approved;'=quoted before"
    job = upload("\n".join([header, *good, bad, ""]).encode(), by=accountant)
    work()
    _, rows = listed(client, accountant, job.dataset_id)
    assert (rows[0]["amount"], rows[0]["notes"]) == ("-1.234,50", "''=quoted before")
    rows[0]["date"] = "31.12.2026"
    answer = post_file(client, accountant, saved(rows), corrects=str(job.dataset_id)).json()
    work()
    (loaded,) = clean_rows(Dataset.objects.get(pk=answer["dataset"]["id"]))
    assert (float(loaded["amount"]), loaded["notes"]) == (-1234.5, "'=quoted before")


def test_a_correction_with_rejects_of_its_own_is_mended_in_its_turn(
    client: APIClient, root: Dataset, work: Callable[[], None], sqs: Any, seller: User
) -> None:
    """Its list has each column once, and what completes it completes the first upload."""
    _, rows = listed(client, seller, root.pk)
    still_wrong = post_file(client, seller, saved(rows), corrects=str(root.pk)).json()
    work_failing(Job.objects.get(pk=still_wrong["job"]["id"]), sqs)
    _, rows = listed(client, seller, still_wrong["dataset"]["id"])
    assert [*rows[0]][-3:] == ["payment_method", "error_code", "error"]
    rows[0]["quantity"] = "7"
    mended = post_file(client, seller, saved(rows), corrects=still_wrong["dataset"]["id"]).json()
    work()
    assert mended["dataset"]["corrects"] == str(root.pk)
    whole = shown(client, seller, root.pk)
    assert [each["rows"]["loaded"] for each in whole["corrections"]] == [0, 1]
    assert whole["corrected"] == 1


def test_a_correction_is_read_by_the_mapping_of_what_it_completes(
    client: APIClient, work: Callable[[], None], seller: User
) -> None:
    foreign = sales(row(1), row(2), row(3), row(4), row(5), row(6, quantity="x")).replace(b"quantity", b"Menge")
    first = post_file(client, seller, foreign, mapping='{"Menge": "quantity", "region": null}').json()
    work()
    # What the department has learnt since is about other files.
    post_file(client, seller, foreign.replace(b"T-", b"U-"), mapping='{"Menge": "quantity"}')
    work()
    _, rows = listed(client, seller, first["dataset"]["id"])
    rows[0]["Menge"] = "3"
    answer = post_file(client, seller, saved(rows), corrects=first["dataset"]["id"]).json()
    work()
    reading = shown(client, seller, answer["dataset"]["id"])["reading"]
    assert (reading["mapping"]["Menge"], reading["left_out"]) == ("quantity", ["region"])
    loaded = clean_rows(Dataset.objects.get(pk=answer["dataset"]["id"])).get()
    assert (loaded["quantity"], loaded["region"]) == (3, None)


def test_a_list_that_is_mended_in_part_loads_that_part(
    client: APIClient, root: Dataset, work: Callable[[], None], seller: User
) -> None:
    content = sales(row(10), row(11, quantity="x"), row(12, quantity="y"))
    correction = post_file(client, seller, content, corrects=str(root.pk)).json()["dataset"]
    work()
    assert shown(client, seller, correction["id"])["rows"] == {"read": 3, "loaded": 1, "rejected": 2, "duplicate": 0}
    strict = post_file(client, seller, content, corrects=str(root.pk), max_reject_share="0.5").json()["dataset"]
    assert (correction["max_reject_share"], strict["max_reject_share"]) == (1.0, 0.5)


def test_a_file_that_was_refused_can_be_completed_too(
    client: APIClient, upload: Callable[..., Job], work: Callable[[], None], sqs: Any, seller: User
) -> None:
    job = upload(sales(row(1, quantity="x"), row(2, quantity="y")))
    refused = work_failing(job, sqs)
    assert refused.error_details["by_column"] == [
        {"column": "quantity", "label": "quantity", "code": "type-error", "count": 2}
    ]
    _, rows = listed(client, seller, job.dataset_id)
    for each in rows:
        each["quantity"] = "1"
    assert post_file(client, seller, saved(rows), corrects=str(job.dataset_id)).status_code == 202
    work()
    whole = shown(client, seller, job.dataset_id)
    assert (whole["loaded_at"], whole["corrected"]) == (None, 2)
    assert whole["rejects"]["rows"] == 2


def test_what_cannot_be_corrected_is_told_apart_only_to_its_owner(
    client: APIClient, root: Dataset, seller: User
) -> None:
    foreign = DatasetFactory(department="finance")
    for absent in (foreign.pk, uuid.uuid4()):
        document = problem(post_file(client, seller, corrects=str(absent)), 404, "not-found")
        assert document["detail"] == "There is no such dataset to correct."
    problem(post_file(client, seller, corrects="no-uuid"), 400, "invalid-request")
    undo(dataset=root, by=seller, at=timezone.now(), request_id="request-0002")
    problem(post_file(client, seller, corrects=str(root.pk)), 409, "upload-undone")
    problem(post_file(client, UserFactory(department="finance"), corrects=str(root.pk)), 404, "not-found")
    assert client.post("/api/v1/datasets/upload", {"corrects": str(root.pk)}).status_code == 401
    assert Dataset.objects.filter(department="sales").count() == 1


def test_an_admin_s_correction_is_of_its_upload_s_department(client: APIClient, root: Dataset) -> None:
    admin = AdminFactory()
    answer = post_file(client, admin, corrects=str(root.pk)).json()
    assert answer["dataset"]["department"] == "sales"
    elsewhere = post_file(client, admin, corrects=str(root.pk), department="finance")
    problem(elsewhere, 422, "other-department")


def test_the_database_holds_that_no_other_department_is_corrected(root: Dataset) -> None:
    foreign = DatasetFactory(department="finance")
    with pytest.raises(IntegrityError, match="dataset_corrects_its_department"), transaction.atomic():
        Dataset.objects.filter(pk=foreign.pk).update(corrects=root)
    with pytest.raises(IntegrityError, match="dataset_corrects_another"), transaction.atomic():
        Dataset.objects.filter(pk=root.pk).update(corrects=root)


def test_a_colleague_of_another_department_sees_neither_the_correction_nor_its_rows(
    client: APIClient, root: Dataset, work: Callable[[], None], seller: User
) -> None:
    correction = post_file(client, seller, sales(row(10)), corrects=str(root.pk)).json()["dataset"]["id"]
    work()
    stranger = UserFactory(department="finance")
    for path in ("", "/rows", "/rejects", "/rejects.csv"):
        for dataset in (root.pk, correction):
            assert client.get(f"/api/v1/datasets/{dataset}{path}", **bearer(stranger)).status_code == 404
    assert client.get("/api/v1/datasets", **bearer(stranger)).json()["count"] == 0


def test_undoing_an_upload_undoes_its_corrections_with_it(
    client: APIClient, root: Dataset, upload: Callable[..., Job], work: Callable[[], None], seller: User
) -> None:
    other = upload(sales(row(77)))
    work()
    loaded = upload(sales(row(10), row(11, quantity="x"), *(row(n) for n in range(12, 20))), corrects=root)
    work()
    queued = upload(sales(row(30)), corrects=root)
    at = timezone.now()
    undo(dataset=root, by=seller, at=at, request_id="request-0002")

    undone = Dataset.objects.exclude(deleted_at=None)
    assert {each.pk for each in undone} == {root.pk, loaded.dataset_id, queued.dataset_id}
    assert {(each.deleted_at, each.deleted_by) for each in undone} == {(at, seller)}
    queued.refresh_from_db()
    assert (queued.status, queued.stages.get().error_code) == (JobStatus.FAILED, "upload-undone")
    assert [clean_rows(each).count() for each in undone] == [0, 0, 0]
    assert not Reject.objects.filter(dataset__in=undone).exists()
    assert len(current_rows("sales", columns=("sku",))) == clean_rows(other.dataset).count() == 1


def test_undoing_a_correction_undoes_nothing_else(
    client: APIClient, root: Dataset, upload: Callable[..., Job], work: Callable[[], None], seller: User
) -> None:
    first, second = (upload(sales(row(number)), corrects=root) for number in (10, 11))
    work()
    assert shown(client, seller, root.pk)["corrected"] == 2
    undo(dataset=first.dataset, by=seller, at=timezone.now(), request_id="request-0002")
    whole = shown(client, seller, root.pk)
    assert whole["corrected"] == 1
    assert [each["id"] for each in whole["corrections"]] == [str(second.dataset_id)]
    assert len(current_rows("sales", columns=("sku",))) == 10


def test_a_correction_that_comes_while_its_upload_is_undone_is_not_left_behind(
    root: Dataset, upload: Callable[..., Job], seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = submission.keep

    def keep_while_undone(*arguments: Any, **options: Any) -> Any:
        undo(dataset=root, by=seller, at=timezone.now(), request_id="request-0002")
        return keep(*arguments, **options)

    monkeypatch.setattr(submission, "keep", keep_while_undone)
    with pytest.raises(ConflictError) as refusal:
        upload(sales(row(10)), corrects=correctable_for(seller, root.pk))
    assert refusal.value.code == "upload-undone"
    assert not Dataset.objects.filter(deleted_at=None).exists()


def test_what_a_file_corrects_is_part_of_what_its_idempotency_key_stands_for(
    client: APIClient, root: Dataset, seller: User
) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = post_file(client, seller, corrects=str(root.pk), headers=headers)
    again = post_file(client, seller, corrects=str(root.pk), headers=headers)
    assert first.json()["job"]["id"] == again.json()["job"]["id"]
    assert again["Idempotency-Replayed"] == "true"
    problem(post_file(client, seller, headers=headers), 422, "idempotency-key-reused")


def test_a_list_that_is_cut_says_so_wherever_it_is_read(
    client: APIClient, upload: Callable[..., Job], work: Callable[[], None], seller: User, settings: Any
) -> None:
    settings.MAX_REJECTS_KEPT = 3
    bad = [row(n, quantity="x", price="y") for n in (41, 42, 43)]
    job = upload(sales(*(row(n) for n in range(1, 41)), row(1), *bad))
    work()
    totals = {"rows": 4, "faults": 7, "listed_rows": 2, "listed": 3, "limit": 3, "cut": True}
    dataset = shown(client, seller, job.dataset_id)
    assert dataset["rejects"] == totals
    assert dataset["rejects_by_code"] == {"type-error": 6, "unique-error": 1}
    assert dataset["rejects_by_column"] == [
        {"column": "quantity", "label": "quantity", "code": "type-error", "count": 3},
        {"column": "unit_price", "label": "unit_price", "code": "type-error", "count": 3},
        {"column": None, "label": None, "code": "unique-error", "count": 1},
    ]
    page = client.get(f"/api/v1/datasets/{job.dataset_id}/rejects", **bearer(seller)).json()
    assert page["totals"] == totals
    assert [(each["line"], each["column"]) for each in page["results"]] == [
        (42, None),
        (43, "quantity"),
        (43, "unit_price"),
    ]
    answer, rows = listed(client, seller, job.dataset_id)
    assert (answer["X-Rejects-Total"], answer["X-Rejects-Listed"]) == ("4", "2")
    assert answer["Content-Disposition"].endswith('-rejects-2-of-4.csv"')
    assert [each["transaction_id"] for each in rows] == ["T-1", "T-41"]


def test_a_list_that_is_whole_says_that_too(client: APIClient, root: Dataset, seller: User) -> None:
    answer, rows = listed(client, seller, root.pk)
    assert (answer["X-Rejects-Total"], answer["X-Rejects-Listed"], len(rows)) == ("1", "1", 1)
    assert answer["Content-Disposition"].endswith('-rejects.csv"')
    assert shown(client, seller, root.pk)["rejects"]["cut"] is False


def test_ingest_brings_corrections_from_the_command_line(root: Dataset, seller: User, tmp_path: Any) -> None:
    path = tmp_path / "mended.csv"
    path.write_bytes(sales(row(10)))
    call = ("ingest", str(path), "--department", "sales", "--by", seller.email, "--corrects")
    call_command(*call, str(root.pk), stdout=io.StringIO())
    assert Dataset.objects.get(original_filename="mended.csv").corrects == root
    with pytest.raises(CommandError, match="1 of 1"):
        call_command(*call, str(DatasetFactory(department="finance").pk), stdout=io.StringIO())
