"""A long file whose end says in what way its beginning is to be read."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from apps.datasets.models import Dataset, clean_table
from apps.jobs.models import Job, Stage
from tests.jobs.files import row, sales
from tests.jobs.steps import rows_of, work_failing

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("partition"),
]

# Together more than is looked at before the first row is loaded.
BEGINNING, REST = 9_000, 12_000


def on(day: str, number: int, **cells: str) -> str:
    return row(number, **cells).replace("2026-03-02", day)


def month_first_after_all(*last: str) -> bytes:
    """Of the first rows only those that a person has typed by hand say that the day comes first."""
    beginning = [on("13/02/2026" if at < 10 else "02/03/2026", at) for at in range(BEGINNING)]
    rest = [
        on("02/28/2026", at, quantity="2" if at > BEGINNING else "two") for at in range(BEGINNING, BEGINNING + REST)
    ]
    return sales(*beginning, *rest, *last)


def test_is_loaded_once_and_read_one_way(upload: Callable[..., Job], work: Callable[[], None]) -> None:
    content = month_first_after_all()
    assert len(content) > 1 << 20
    job = upload(content)
    work()
    dataset = Dataset.objects.get(pk=job.dataset_id)
    assert dataset.reading["date_order"] == "month-first"
    # Ten days there are not in this order, and one quantity that is none.
    assert dataset.rejects_by_code == {"type-error": 11}
    assert dataset.rejects.count() == 11
    assert (dataset.rows_read, dataset.rows_loaded) == (BEGINNING + REST, BEGINNING + REST - 11)
    assert clean_table("sales")._default_manager.count() == rows_of(job).count() == dataset.rows_loaded
    assert set(rows_of(job).values_list("date", flat=True)) == {date(2026, 2, 3), date(2026, 2, 28)}
    assert dataset.profile["rows"] == dataset.rows_loaded


def test_what_is_wrong_at_its_end_refuses_all_of_it(upload: Callable[..., Job], sqs: Any) -> None:
    job = upload(month_first_after_all('T-x,02/28/2026,"open'))
    run = work_failing(job, sqs)
    assert (run.stage, run.error_code) == (Stage.ETL, "quote-error")
    assert f"line {BEGINNING + REST + 2:,}" in run.error_message
    dataset = Dataset.objects.get(pk=job.dataset_id)
    assert (dataset.rejects_by_code, dataset.rejects.count()) == ({}, 0)
    assert clean_table("sales")._default_manager.count() == 0
