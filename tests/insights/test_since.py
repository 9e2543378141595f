"""What is told of an insight since the upload before: the same again and again, and nothing of what is not there."""

from dataclasses import replace
from typing import Any

import pytest
from rest_framework.test import APIClient

from aetherflow.insight import Headline
from apps.datasets.models import Dataset
from apps.insights.models import Insight
from apps.insights.services.storing import drop_insights
from tests.accounts.factories import UserFactory, bearer
from tests.datasets.factories import DatasetFactory
from tests.insights.stored import LISTING, answer, store

pytestmark = pytest.mark.django_db


def flags(*names: str, **options: Any) -> Any:
    return answer([], headline=Headline(figures={"n": 1.5}, flagged=[(name,) for name in names]), **options)


def told(insight: Insight) -> tuple[str, Dataset | None]:
    return insight.since, insight.compared_with


@pytest.fixture
def older() -> Dataset:
    return DatasetFactory(name="Week 1")


@pytest.fixture
def newer(older: Dataset) -> Dataset:
    return DatasetFactory(name="Week 2")


def test_a_newer_upload_tells_what_has_changed_since_the_one_before(
    client: APIClient, older: Dataset, newer: Dataset
) -> None:
    assert told(store(older, flags("a"))) == ("", None)
    insight = store(newer, flags("a", "b", "c"), rests_on=[older])
    assert told(insight) == ("2 newly listed", older)
    shown = client.get(f"/api/v1/insights/{insight.pk}", **bearer(UserFactory(department="sales"))).json()
    assert shown["since"] == {
        "dataset_id": str(older.pk),
        "dataset_name": "Week 1",
        "summary": "2 newly listed",
        "figures": {"n": 1.5},
    }


def test_the_figures_are_shown_beside_those_of_the_upload_before(
    client: APIClient, older: Dataset, newer: Dataset
) -> None:
    seller = UserFactory(department="sales")
    store(older, answer([], headline=Headline(figures={"n": 1.5}, flagged=[("a",)])))
    insight = store(newer, answer([], headline=Headline(figures={"n": 4}, flagged=[("a",), ("b",)])), rests_on=[older])
    shown = client.get(f"/api/v1/insights/{insight.pk}", **bearer(seller)).json()
    assert (shown["figures"], shown["since"]["figures"]) == ({"n": 4}, {"n": 1.5})
    # Computed anew with the newer one's rows it is no past of them.
    store(older, answer([], headline=Headline(figures={"n": 4}, flagged=[("a",), ("b",)])), rests_on=[newer])
    shown = client.get(f"/api/v1/insights/{insight.pk}", **bearer(seller)).json()
    assert (shown["figures"], shown["since"]["figures"]) == ({"n": 4}, {})


def test_nothing_is_told_where_nothing_has_changed(client: APIClient, older: Dataset, newer: Dataset) -> None:
    store(older, flags("a"))
    insight = store(newer, flags("a"), rests_on=[older])
    assert told(insight) == ("", None)
    shown = client.get(f"/api/v1/insights/{insight.pk}", **bearer(UserFactory(department="sales"))).json()
    assert shown["since"] is None


def test_computed_anew_it_tells_the_same(older: Dataset, newer: Dataset) -> None:
    store(older, flags("a"))
    first = told(store(newer, flags("a", "b"), rests_on=[older]))
    assert told(store(newer, flags("a", "b"), rests_on=[older])) == first
    # The older one computed anew knows the newer one's rows: compared with it nothing would have changed.
    assert told(store(older, flags("a", "b"), rests_on=[newer])) == ("", None)
    assert told(store(newer, flags("a", "b"), rests_on=[older])) == first
    assert told(store(newer, flags("a", "c"), rests_on=[older])) == ("", None)


@pytest.mark.parametrize("version", [2, 4])
def test_what_another_version_of_the_method_changes_is_not_the_uploads_doing(
    older: Dataset, newer: Dataset, version: int
) -> None:
    store(older, flags("a", declared=replace(LISTING, version=version)))
    assert told(store(newer, flags("b"), rests_on=[older])) == ("", None)


def test_what_a_setting_changes_is_not_the_uploads_doing(older: Dataset, newer: Dataset) -> None:
    store(older, replace(flags("a"), given=LISTING.given(settings={"level": 5.0})))
    assert told(store(newer, flags("b"), rests_on=[older])) == ("", None)


def test_nothing_is_told_of_an_upload_that_was_undone(older: Dataset, newer: Dataset) -> None:
    store(older, flags("a"))
    insight = store(newer, flags("b"))
    assert told(insight) == ("1 newly listed", older)
    Dataset.objects.filter(pk=older.pk).update(deleted_at=older.uploaded_at, deleted_by=older.uploaded_by)
    drop_insights(dataset=older)
    insight.refresh_from_db()
    assert told(insight) == ("", None)
    assert told(store(newer, flags("b"))) == ("", None)


def test_other_departments_and_kinds_are_no_past_of_it(older: Dataset, newer: Dataset) -> None:
    store(DatasetFactory(department="finance"), flags("a"))
    store(older, flags("a", declared=replace(LISTING, kind="other")))
    assert told(store(newer, flags("b"), rests_on=[older])) == ("", None)
