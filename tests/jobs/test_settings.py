"""The numbers a department chooses for its insights: read, set inside their bounds, and computed with at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.insights import selectors
from apps.insights.models import ChosenSetting, Insight
from apps.insights.services import choosing
from apps.jobs.models import Cause, Job, JobStatus
from apps.jobs.services import ml as ml_stage
from tests.accounts.factories import UserFactory, bearer
from tests.insights.stored import SALES
from tests.jobs.calls import problem
from tests.jobs.files import row, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
PATH = "/api/v1/dashboards/sales/settings"


@pytest.fixture(autouse=True)
def sales_has_a_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ml_stage, selectors, choosing):
        monkeypatch.setattr(module, "find_department", lambda _: SALES)


def put(client: APIClient, by: User, value: float | str | None, **names: str) -> Any:
    body = {"settings": [{"kind": "listing", "name": "level", **names, "value": value}]}
    return client.put(PATH, body, content_type="application/json", **bearer(by))


def test_a_setting_is_the_default_until_somebody_chooses(client: APIClient, seller: User) -> None:
    (shown,) = client.get(PATH, **bearer(seller)).json()["settings"]
    assert shown == {
        "kind": "listing",
        "name": "level",
        "label": "Level",
        "help": "From here on it is listed.",
        "value": 1.0,
        "default": 1.0,
        "least": 0.0,
        "most": 9.0,
        "set_by": None,
        "set_at": None,
    }


def test_a_change_computes_anew_and_a_reset_does_so_again(
    client: APIClient, seller: User, upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    dataset = upload(sales(row(1), row(2, sku="SKU-2", quantity="7"))).dataset
    work()
    before = Insight.objects.get()
    answer = put(client, seller, 5).json()
    (shown,) = answer["settings"]
    assert (shown["value"], shown["set_by"]) == (5.0, seller.full_name)
    assert (answer["job"]["cause"], answer["job"]["dataset_id"]) == (Cause.SETTINGS, str(dataset.pk))
    work()
    after = Insight.objects.get()
    assert (before.items_total, after.items_total) == (2, 1)
    assert after.given["settings"] == {"level": 5.0}
    assert after.sha256 != before.sha256
    shown = client.get(f"/api/v1/insights/{after.pk}", **bearer(seller)).json()
    assert shown["given"] == {"settings": {"level": 5.0}, "reviews": 0}

    assert put(client, seller, None).json()["settings"][0]["value"] == 1.0
    work()
    assert Insight.objects.get().sha256 == before.sha256
    assert ChosenSetting.objects.get().value is None


def test_nothing_is_computed_where_nothing_changes_or_nothing_is_there(
    client: APIClient, seller: User, upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    assert put(client, seller, 5).json()["job"] is None
    upload(sales(row(1)))
    work()
    assert put(client, seller, 5).json()["job"] is None
    assert Job.objects.count() == 1


def test_insights_computed_while_a_setting_changes_are_computed_again(
    client: APIClient,
    seller: User,
    upload: Callable[..., Job],
    work: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = upload(sales(row(1)))
    computed, seen = ml_stage._computed, []

    def compute_and_choose(*arguments: Any, **options: Any) -> Any:
        found = computed(*arguments, **options)
        seen.append(found.settings["listing"]["level"])
        if len(seen) == 1:
            assert put(client, seller, 5).json()["job"] is None
        return found

    monkeypatch.setattr(ml_stage, "_computed", compute_and_choose)
    work()
    job.refresh_from_db()
    assert (seen, job.status) == ([1.0, 5.0], JobStatus.SUCCEEDED)
    assert Insight.objects.get().given["settings"] == {"level": 5.0}


@pytest.mark.parametrize(
    ("value", "names", "status", "code"),
    [
        (9.5, {}, 422, "setting-out-of-bounds"),
        (-1, {}, 422, "setting-out-of-bounds"),
        ("nan", {}, 400, "invalid-request"),
        ("much", {}, 400, "invalid-request"),
        (1, {"name": "height"}, 422, "unknown-setting"),
        (1, {"kind": "revenue_forecast"}, 422, "unknown-setting"),
    ],
)
def test_what_is_no_setting_or_out_of_bounds_is_refused(
    client: APIClient, seller: User, value: Any, names: dict[str, str], status: int, code: str
) -> None:
    document = problem(put(client, seller, value, **names), status, code)
    assert not ChosenSetting.objects.exists()
    if status == 422:  # of which setting it speaks, for a form that sent several
        assert document["details"] == {"kind": "listing", "name": "level"} | names


def test_bounds_that_have_become_narrower_hold(seller: User) -> None:
    ChosenSetting.objects.create(
        department="sales", kind="listing", name="level", value=99, set_by=seller, set_at=timezone.now()
    )
    assert selectors.chosen_settings("sales") == {"listing": {"level": 9.0}}


def test_another_department_neither_reads_nor_sets(client: APIClient, seller: User) -> None:
    stranger = UserFactory(department="finance")
    problem(client.get(PATH, **bearer(stranger)), 403, "foreign-department")
    problem(put(client, stranger, 5), 403, "foreign-department")
    assert not ChosenSetting.objects.exists()
