"""Rejects come back from the database, and out in the export, as they stood in the file."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from aetherflow.etl.listing import MOST_PER_LINE
from apps.accounts.models import User
from apps.datasets.loading import RejectSpool
from apps.datasets.models import Dataset, Reject
from apps.datasets.selectors import rejected_lines, rejects_of
from apps.jobs.models import Job
from tests.accounts.factories import bearer
from tests.datasets.factories import DatasetFactory
from tests.jobs.conftest import seller, sqs, upload, work  # noqa: F401  (fixtures)
from tests.jobs.files import HEADER, row, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

GOOD = [row(number) for number in range(1, 60)]


def sheet(job: Job, user: User) -> list[dict[str, str]]:
    response = APIClient().get(f"/api/v1/datasets/{job.dataset_id}/rejects.csv", **bearer(user))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return [dict(zip(header, each, strict=True)) for each in rows]


def quoted(*cells: str) -> str:
    held = io.StringIO(newline="")
    csv.writer(held, quoting=csv.QUOTE_ALL, lineterminator="").writerow(cells)
    return held.getvalue()


@pytest.mark.parametrize(
    "cell",
    [
        r"\N",
        r"\.",
        "one\n\\.\nthree",
        "one\r\ntwo\rthree",
        'say "x"',
        '"',
        "\\",
        '\\"',
        "{a,b}",
        "NULL",
        "tab\tand, comma",
        "Größe €",
        "\u2028",
    ],
)
def test_a_cell_comes_back_as_it_was(
    cell: str,
    upload: Callable[..., Job],  # noqa: F811
    work: Callable[[], None],  # noqa: F811
) -> None:
    transaction_id, _, *rest = row(60, quantity="x").split(",")
    job = upload(sales(*GOOD, quoted(transaction_id, cell, *rest)))
    work()
    of_day, of_quantity = rejects_of(job.dataset)
    assert (of_day.column, of_day.value) == ("date", cell)
    assert of_day.cells == [transaction_id, cell, *rest]
    assert of_quantity.value == "x"
    ((cells, codes, _),) = rejected_lines(Dataset.objects.get(pk=job.dataset_id))
    assert cells == [transaction_id, cell, *rest]
    assert "type-error" in codes


def test_an_empty_cell_is_an_empty_text_and_no_value_is_none(
    upload: Callable[..., Job],  # noqa: F811
    work: Callable[[], None],  # noqa: F811
) -> None:
    job = upload(sales(*GOOD, row(60, quantity=""), "T-61,2026-03-02"))
    work()
    empty, short = rejects_of(job.dataset)
    assert (empty.code, empty.value) == ("missing-value", "")
    assert (short.code, short.column, short.value) == ("missing-cell", None, None)
    assert short.cells == ["T-61", "2026-03-02"]


def test_a_nul_byte_is_shown_as_its_symbol(
    upload: Callable[..., Job],  # noqa: F811
    work: Callable[[], None],  # noqa: F811
) -> None:
    job = upload(sales(*GOOD, row(60, sku="S\x00K", quantity="x")))
    work()
    of_sku, of_quantity = rejects_of(job.dataset)
    assert (of_sku.code, of_sku.value, of_sku.cells[5]) == ("null-byte", "S\u2400K", "S\u2400K")
    assert of_quantity.code == "type-error"


def test_a_line_s_cells_are_stored_once_however_many_faults_it_has(
    upload: Callable[..., Job],  # noqa: F811
    work: Callable[[], None],  # noqa: F811
    seller: User,  # noqa: F811
) -> None:
    extra = [f"extra {at}" for at in range(40)]
    damaged = ",".join(["some text and a \x00"] * len(extra))
    header = ",".join([HEADER.strip(), *extra])
    rows = [f"{each}{',' * len(extra)}" for each in GOOD]
    job = upload("\n".join([header, *rows, f"{row(60)},{damaged}", f"{row(61)},{damaged}", ""]).encode())
    work()
    stored = list(Reject.objects.filter(dataset=job.dataset).order_by("line", "id"))
    assert [len(reject.cells) for reject in stored] == [51, *[0] * (MOST_PER_LINE - 1)] * 2
    job.dataset.refresh_from_db()
    assert job.dataset.rejects_by_code == {"null-byte": 80}
    first, second = sheet(job, seller)
    assert (first["transaction_id"], second["transaction_id"]) == ("T-60", "T-61")
    assert first["extra 39"] == "some text and a \u2400"
    assert first["error"].count("contains a NUL byte") == MOST_PER_LINE
    assert "20 more faults of this line" in first["error"]


def test_surplus_cells_are_named_in_the_error_and_shift_nothing(
    upload: Callable[..., Job],  # noqa: F811
    work: Callable[[], None],  # noqa: F811
    seller: User,  # noqa: F811
) -> None:
    job = upload(
        sales(*GOOD, f'{row(60)},=1+1,"two, cells"', row(61).replace(",loyalty,card", ""), row(62) + ",+" * 25)
    )
    work()
    extra, short, many = sheet(job, seller)
    assert (extra["payment_method"], extra["error_code"]) == ("card", "extra-cell")
    assert extra["error"].endswith("Beyond the header's columns stand '=1+1', 'two, cells'.")
    assert (short["customer_segment"], short["payment_method"], short["error_code"]) == ("", "", "missing-cell")
    assert "Beyond" not in short["error"]
    assert many["error"].endswith("'+', '+' and 5 more.")


def test_no_rejects_take_the_place_of_the_old_ones() -> None:
    dataset, other = DatasetFactory(), DatasetFactory()
    for each in (dataset, other):
        Reject.objects.create(dataset=each, line=2, code="type-error", message="m", cells=["a"])
    with RejectSpool(dataset=dataset, limit=10) as spool, transaction.atomic():
        spool.replace_stored(using="default")
    assert (spool.fields()["listed_faults"], dict(spool.by_code)) == (0, {})
    assert [reject.dataset for reject in Reject.objects.all()] == [other]


def test_a_page_of_rejects_does_not_read_the_cells(django_assert_num_queries: Any) -> None:
    dataset = DatasetFactory()
    Reject.objects.create(dataset=dataset, line=2, code="type-error", message="m", cells=["a"])
    with django_assert_num_queries(1) as asked:
        (reject,) = rejects_of(dataset)
    assert "cells" not in asked[0]["sql"]
    assert reject.message == "m"
