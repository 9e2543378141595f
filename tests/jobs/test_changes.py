"""What an upload changed is told to its people, whoever loads or undoes something else at the same time."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.datasets.models import Dataset, Overlap
from apps.jobs.models import Job, Stage
from apps.jobs.services import etl as stage
from apps.jobs.services.again import reprocess
from apps.jobs.sqs.messages import EtlMessage
from tests.accounts.factories import bearer
from tests.jobs.files import row, sales
from tests.jobs.line import messages_of
from tests.jobs.steps import deliver
from tests.jobs.test_undo import in_another_connection, prices, undoing

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

Upload = Callable[..., Job]
Work = Callable[[], None]
Meanwhile = Callable[[Callable[[], object]], list[bool]]


def detail(job: Job, *, by: User) -> dict[str, Any]:
    answer: dict[str, Any] = APIClient().get(f"/api/v1/datasets/{job.dataset_id}", **bearer(by)).json()
    return answer


def test_an_upload_says_what_it_changed_and_what_superseded_it(upload: Upload, work: Work, seller: User) -> None:
    older = upload(sales(row(1), row(2), row(3, price="5.00")))
    assert detail(older, by=seller)["changes"] is None, "it is not loaded yet"
    work()
    assert detail(older, by=seller)["changes"] == {"new": 3, "changed": 0, "unchanged": 0, "superseded": 0}
    assert detail(older, by=seller)["superseded_by"] == []

    newer = upload(sales(row(2), row(3, price="6.00"), row(4)), name="The rest of March")
    work()
    assert detail(newer, by=seller)["changes"] == {"new": 1, "changed": 1, "unchanged": 1, "superseded": 2}
    assert detail(older, by=seller)["superseded_by"] == [
        {"dataset": str(newer.dataset_id), "name": "The rest of March", "rows": 2}
    ]
    listed = APIClient().get("/api/v1/datasets", **bearer(seller)).json()["results"]
    assert [(each["changes"]["new"], "superseded_by" in each) for each in listed] == [(1, False), (3, False)]

    undoing(newer, by=seller)
    assert detail(older, by=seller)["superseded_by"] == []
    assert prices() == [5.0, 10.0, 10.0]


def test_an_older_upload_loaded_anew_is_compared_with_the_newer_ones(upload: Upload, work: Work, seller: User) -> None:
    older = upload(sales(row(1), row(2)))
    work()
    newer = upload(sales(row(2, price="6.00")))
    work()
    reprocess(dataset=older.dataset, first=Stage.ETL, by=None, at=timezone.now())
    work()
    assert detail(older, by=seller)["changes"] == {"new": 2, "changed": 0, "unchanged": 0, "superseded": 0}
    assert [each["dataset"] for each in detail(older, by=seller)["superseded_by"]] == [str(newer.dataset_id)]
    assert prices() == [6.0, 10.0]


@pytest.fixture
def threads() -> Iterator[list[threading.Thread]]:
    started = list[threading.Thread]()
    yield started
    for each in started:
        each.join(20)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch, threads: list[threading.Thread]) -> Meanwhile:
    """Have something done by another process once the next load has compared its rows, before it is committed. The list
    says whether it had to wait."""

    def meanwhile(action: Callable[[], object]) -> list[bool]:
        compare, waited = stage.compare, list[bool]()

        def compare_and_act(*arguments: Any, **options: Any) -> Any:
            changes = compare(*arguments, **options)
            if not threads:
                threads.append(in_another_connection(action))
                threads[0].join(1)
                waited.append(threads[0].is_alive())
            return changes

        monkeypatch.setattr(stage, "compare", compare_and_act)
        return waited

    return meanwhile


def test_of_two_loads_at_the_same_time_the_second_sees_the_first(
    upload: Upload, sqs: Any, meanwhile: Meanwhile, threads: list[threading.Thread]
) -> None:
    one, other = upload(sales(row(1), row(2))), upload(sales(row(2), row(3)))
    messages = {message["dataset_id"]: (message, headers) for message, headers in messages_of(sqs, "etl")}

    def load(job: Job) -> None:
        message, headers = messages[str(job.dataset_id)]
        assert deliver(EtlMessage.parse(message), headers)

    waited = meanwhile(lambda: load(other))
    load(one)
    threads[0].join(20)
    assert waited == [True]
    assert Overlap.objects.values_list("older", "newer", "rows").get() == (one.dataset_id, other.dataset_id, 1)
    assert Dataset.objects.get(pk=other.dataset_id).changes() == {
        "new": 1,
        "changed": 0,
        "unchanged": 1,
        "superseded": 1,
    }


def test_an_upload_undone_while_another_is_compared_with_it_leaves_no_overlap(
    upload: Upload, work: Work, seller: User, meanwhile: Meanwhile, threads: list[threading.Thread]
) -> None:
    older = upload(sales(row(1), row(2)))
    work()
    newer = upload(sales(row(2, price="6.00")))
    waited = meanwhile(lambda: undoing(older, by=seller))
    work()
    threads[0].join(20)
    assert waited == [True]
    assert Dataset.objects.get(pk=older.dataset_id).deleted_at is not None
    assert not Overlap.objects.exists()
    assert detail(newer, by=seller)["changes"]["superseded"] == 1, "that is what it did when it was loaded"
    assert prices() == [6.0]
