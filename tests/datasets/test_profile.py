"""The profile of an upload: made with its load, compared with the department's upload before, gone with an undo."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.registry import departments
from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.jobs.models import Job, Stage
from apps.jobs.services.again import reprocess, undo
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.datasets.factories import DatasetFactory
from tests.jobs.conftest import seller, sqs, upload, work  # noqa: F401  (fixtures)
from tests.jobs.files import row, sales
from tests.jobs.steps import work_failing

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


def week(*, price: float = 10.0, sku: str = "SKU-1", rows: int = 60) -> bytes:
    return sales(*(row(n, quantity=str(1 + n % 4), price=f"{price + n % 7:.2f}", sku=sku) for n in range(1, rows + 1)))


def profile_of(job: Job, user: User) -> dict[str, Any]:
    response = APIClient().get(f"/api/v1/datasets/{job.dataset_id}/profile", **bearer(user))
    assert response.status_code == 200, response.content
    document: dict[str, Any] = response.json()
    return document


@pytest.fixture
def load(upload: Callable[..., Job], work: Callable[[], None]) -> Callable[..., Job]:  # noqa: F811
    """An upload that has been worked."""

    def load(*content: bytes, **options: Any) -> Job:
        job = upload(*content, **options)
        work()
        return job

    return load


def test_the_profile_tells_of_the_loaded_rows(load: Callable[..., Job], seller: User) -> None:  # noqa: F811
    job = load(sales(*(row(n, quantity=str(n), price="2.50") for n in range(1, 10)), row(10, quantity="x")))
    profile = profile_of(job, seller)
    assert (profile["dataset_id"], profile["rows"]) == (str(job.dataset_id), 9)
    columns = {column["name"]: column for column in profile["columns"]}
    assert list(columns) == [column.name for column in departments()["sales"].columns]
    quantity = columns["quantity"]
    assert (quantity["kind"], quantity["min"], quantity["max"], quantity["mean"]) == ("integer", 1, 9, 5.0)
    assert quantity["quantiles"]["p50"] == 5
    assert columns["unit_price"]["top"] == [{"value": 2.5, "rows": 9}]
    assert (columns["date"]["min"], columns["date"]["mean"]) == ("2026-03-02", None)
    assert columns["store_id"]["quantiles"] is None
    assert profile["drift"]["compared_with"] is None
    assert profile["drift"]["reason"] == "There is no earlier upload to compare it with."


@pytest.mark.parametrize("department", sorted(departments()))
def test_the_samples_of_every_department_are_profiled(load: Callable[..., Job], department: str) -> None:
    user = UserFactory(department=department)
    job = load(by=user)
    profile = profile_of(job, user)
    job.dataset.refresh_from_db()
    assert {column["rows"] for column in profile["columns"]} == {job.dataset.rows_loaded} == {profile["rows"]}


def test_an_upload_is_compared_with_the_one_before(load: Callable[..., Job], seller: User) -> None:  # noqa: F811
    load(week(sku="SKU-0"))
    before = load(week())
    drift = profile_of(load(week(price=1_000.0)), seller)["drift"]
    assert drift["compared_with"]["id"] == str(before.dataset_id)
    assert drift["compared_with"]["name"] == "upload.csv"
    assert [(flag["column"], flag["code"]) for flag in drift["flags"]] == [("unit_price", "another-scale")]
    assert drift["flags"][0]["message"].startswith("unit_price: the range was 10 to 16 and is 1,000 to 1,006")
    assert {each["column"] for each in drift["stability"]} >= {"quantity", "unit_price"}


def test_a_reprocessed_upload_is_compared_with_the_one_before_it_not_with_newer_ones(
    load: Callable[..., Job],
    work: Callable[[], None],  # noqa: F811
    seller: User,  # noqa: F811
) -> None:
    first, second, _ = load(week()), load(week()), load(week())
    for job, compared_with in ((first, None), (second, str(first.dataset_id))):
        reprocess(dataset=job.dataset, first=Stage.ETL, by=None, at=timezone.now())
        work()
        compared = profile_of(job, seller)["drift"]["compared_with"]
        assert (compared and compared["id"]) == compared_with


def test_other_departments_uploads_are_never_compared_with(load: Callable[..., Job], seller: User) -> None:  # noqa: F811
    load(by=UserFactory(department="finance"))
    assert profile_of(load(week()), seller)["drift"]["compared_with"] is None


def test_nothing_is_told_of_an_upload_that_was_undone(load: Callable[..., Job], seller: User) -> None:  # noqa: F811
    oldest = load(week(price=5.0))
    undone = load(week())
    newest = load(week(price=1_000.0))
    undo(dataset=undone.dataset, by=seller, at=timezone.now(), request_id="request-0002")
    drift = profile_of(newest, seller)["drift"]
    assert drift == {
        "compared_with": None,
        "reason": "The upload it was compared with has been undone.",
        "stability": [],
        "flags": [],
    }
    assert Dataset.objects.get(pk=undone.dataset_id).profile is None
    compared = profile_of(load(week()), seller)["drift"]["compared_with"]
    assert compared["id"] == str(newest.dataset_id) != str(oldest.dataset_id)


def test_a_profile_of_another_version_is_not_compared_with(load: Callable[..., Job], seller: User) -> None:  # noqa: F811
    before = load(week())
    Dataset.objects.filter(pk=before.dataset_id).update(profile={"version": 0, "drift": {}})
    drift = profile_of(load(week()), seller)["drift"]
    assert (drift["flags"], drift["stability"]) == ([], [])
    assert "another version" in drift["reason"]


def test_a_refused_file_has_no_profile(upload: Callable[..., Job], sqs: Any) -> None:  # noqa: F811
    job = upload(sales(row(1), row(2, quantity="x"), row(3, quantity="y")))
    work_failing(job, sqs)
    assert Dataset.objects.get(pk=job.dataset_id).profile is None


def test_before_the_first_load_a_conflict_says_what_to_wait_for(
    upload: Callable[..., Job],  # noqa: F811
    seller: User,  # noqa: F811
) -> None:
    job = upload(week())
    response = APIClient().get(f"/api/v1/datasets/{job.dataset_id}/profile", **bearer(seller))
    assert (response.status_code, response.json()["code"]) == (409, "not-profiled")
    assert response.json()["hint"]


def test_it_is_the_departments_and_the_admins_alone(load: Callable[..., Job]) -> None:
    job = load(week())
    address = f"/api/v1/datasets/{job.dataset_id}/profile"
    asking = APIClient()
    assert asking.get(address, **bearer(UserFactory(department="sales"))).status_code == 200
    assert asking.get(address, **bearer(AdminFactory())).status_code == 200
    stranger = bearer(UserFactory(department="finance"))
    foreign, unknown = (
        asking.get(each, **stranger) for each in (address, address.replace(str(job.dataset_id), str(uuid.uuid4())))
    )
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["detail"] == unknown.json()["detail"]
    assert asking.get(address).status_code == 401


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/datasets",
        "/api/v1/jobs",
        "admin:datasets_dataset",
        "admin:jobs_job",
        "admin:datasets_reject",
        "admin:insights_insight",
    ],
)
def test_lists_do_not_read_profiles(address: str, load: Callable[..., Job], seller: User, settings: Any) -> None:  # noqa: F811
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    load(sales(*(row(n) for n in range(1, 9)), row(9, quantity="x")))
    with CaptureQueriesContext(connection) as asked:
        if address.startswith("admin:"):
            console = Client()
            console.force_login(AdminFactory())
            response: Any = console.get(reverse(f"{address}_changelist"))
        else:
            response = APIClient().get(address, **bearer(seller))
    assert response.status_code == 200
    assert not [each["sql"] for each in asked if '"profile"' in each["sql"]]


def test_a_dataset_that_was_read_without_its_profile_still_has_it() -> None:
    DatasetFactory(profile={"version": 1})
    found = Dataset.objects.get()
    assert "profile" in found.get_deferred_fields()
    assert found.profile == {"version": 1}
