"""A ranking in rows of its own: stored whole, shown by its head, paged to its end."""

import gzip
import json
import time
import uuid
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.insights.keys import subject_key
from apps.insights.models import Insight, InsightItem
from apps.insights.selectors import HEAD
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.datasets.factories import DatasetFactory
from tests.insights.stored import answer, item, store
from tests.jobs.calls import problem
from tests.support.migrating import migrate, newest
from tests.support.roles import as_owner

pytestmark = pytest.mark.usefixtures("sales_has_a_listing")
SEVERITIES = ["critical", "high", "medium", "low"]


def ranking(count: int) -> list[dict[str, Any]]:
    return [
        item(f"S{n}", score=float(count - n), severity=SEVERITIES[min(n, 3)], worth_review=n < 2) for n in range(count)
    ]


def asked(client: APIClient, insight: Insight, query: str, by: User) -> Any:
    response = client.get(f"/api/v1/insights/{insight.pk}/items{query}", **bearer(by))
    assert response.status_code == 200, response.content
    return response.json()


def test_a_long_dashboard_is_sent_compressed_to_whoever_can_read_that(client: APIClient, seller: User) -> None:
    store(DatasetFactory(), answer(ranking(300)))
    headers = bearer(seller)["headers"]
    plain = client.get("/api/v1/dashboards/sales", headers=headers)
    packed = client.get("/api/v1/dashboards/sales", headers=headers | {"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 5


def test_the_dashboard_holds_the_head_and_pages_hold_the_rest(client: APIClient, seller: User) -> None:
    items = ranking(5)
    insight = store(DatasetFactory(), answer(items))
    (shown,) = client.get("/api/v1/dashboards/sales?items=3", **bearer(seller)).json()["insights"]
    assert shown["data"] == {"level": 1.0, "items": [each | {"review": None, "snooze": None} for each in items[:3]]}
    assert (shown["items_total"], shown["subject"], shown["version"]) == (5, ["sku"], 3)
    assert client.get(f"/api/v1/insights/{insight.pk}?items=3", **bearer(seller)).json() == shown
    (whole,) = client.get("/api/v1/dashboards/sales", **bearer(seller)).json()["insights"]
    assert [len(whole["data"]["items"]), whole["sha256"]] == [5, shown["sha256"]]

    page = asked(client, insight, "?limit=2&offset=3", seller)
    assert page["count"] == 5
    assert page["next"] is None
    assert "offset=1" in page["previous"]
    assert page["results"] == [{"rank": n + 1, **items[n], "review": None, "snooze": None} for n in (3, 4)]


@pytest.mark.parametrize(
    ("query", "ranks"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("?worth_review=true", [1, 2]),
        ("?worth_review=false&severity=low", [4, 5]),
        ("?severity=critical&severity=medium", [1, 3]),
        ("?offset=99", []),
    ],
)
def test_a_ranking_is_filtered_in_its_order(client: APIClient, seller: User, query: str, ranks: list[int]) -> None:
    insight = store(DatasetFactory(), answer(ranking(5)))
    assert [each["rank"] for each in asked(client, insight, query, seller)["results"]] == ranks


@pytest.mark.parametrize("query", ["severity=deadly", "severity=low&severity=x"])
def test_a_filter_that_is_none_is_refused(client: APIClient, seller: User, query: str) -> None:
    insight = store(DatasetFactory(), answer(ranking(2)))
    problem(client.get(f"/api/v1/insights/{insight.pk}/items?{query}", **bearer(seller)), 400, "invalid-request")


@pytest.mark.parametrize("items", ["-1", str(HEAD + 1), "many"])
def test_no_more_of_a_ranking_than_its_head_is_asked_for(client: APIClient, seller: User, items: str) -> None:
    insight = store(DatasetFactory(), answer(ranking(2)))
    for path in ("dashboards/sales", f"insights/{insight.pk}"):
        problem(client.get(f"/api/v1/{path}?items={items}", **bearer(seller)), 400, "invalid-request")


def test_an_insight_that_is_no_ranking_has_no_items(client: APIClient, seller: User) -> None:
    insight = store(DatasetFactory(), answer(None))
    shown = client.get(f"/api/v1/insights/{insight.pk}", **bearer(seller)).json()
    assert (shown["items_total"], shown["data"]) == (None, {"level": 1.0})
    assert asked(client, insight, "", seller)["count"] == 0
    empty = store(DatasetFactory(), answer([]))
    shown = client.get(f"/api/v1/insights/{empty.pk}", **bearer(seller)).json()
    assert (shown["items_total"], shown["data"]["items"]) == (0, [])


def test_a_foreign_insight_is_as_one_that_never_was(client: APIClient, db: None) -> None:
    insight = store(DatasetFactory(), answer(ranking(2)))
    stranger = bearer(UserFactory(department="finance"))
    for path in ("", "/items"):
        documents = []
        for pk in (insight.pk, uuid.uuid4()):
            document = problem(client.get(f"/api/v1/insights/{pk}{path}", **stranger), 404, "not-found")
            documents.append({key: value for key, value in document.items() if key != "request_id"})
        assert documents[0] == documents[1]
        assert client.get(f"/api/v1/insights/{insight.pk}{path}", **bearer(AdminFactory())).status_code == 200


@pytest.mark.parametrize("name", ["", "a\tb\\c\nd", "\\N", "ß€😀", '"quoted"', "x" * 3_000])
def test_whatever_an_item_is_named_it_comes_back_as_it_was(db: None, name: str) -> None:
    """Also a name longer than what an index takes, and one that COPY would read as something else."""
    items = [item(name, severity=7, score="high", worth_review=None, more={"é": [1.5, None, True]})]
    insight = store(DatasetFactory(), answer(items))
    stored = InsightItem.objects.get(insight=insight)
    assert stored.item == items[0]
    assert stored.subject_key == subject_key((name,))
    assert (stored.rank, stored.severity, stored.score, stored.worth_review) == (1, None, None, None)


def test_computed_anew_the_old_items_go(db: None) -> None:
    dataset = DatasetFactory()
    store(dataset, answer(ranking(5)))
    insight = store(dataset, answer(ranking(2)))
    assert set(InsightItem.objects.values_list("insight", "rank")) == {(insight.pk, 1), (insight.pk, 2)}


def test_fifty_thousand_items_are_stored_and_found_in_seconds(db: None) -> None:
    reason = "Stock of 12 lasts 3.4 days at 3.5 a day; " * 8
    items = [item(f"SKU-{n}", reason=reason, at_risk=n < 900, cover=n / 7) for n in range(50_000)]
    began = time.process_time()
    insight = store(DatasetFactory(), answer(items))
    assert time.process_time() - began < 5
    with as_owner() as cursor:
        cursor.execute("ANALYZE insights_insightitem")
    found = InsightItem.objects.filter(insight=insight, subject_key=subject_key(("SKU-49999",)))
    assert found.get().rank == 50_000
    assert "insightitem_subject" in found.explain()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_items_that_stood_in_the_data_move_out_and_back() -> None:
    items = ranking(3)
    dataset = DatasetFactory()
    store(dataset, answer(items))
    try:
        migrate("insights", "0002_items")
        with connection.cursor() as cursor:
            cursor.execute("SELECT data -> 'items' = %s::jsonb FROM insights_insight", [json.dumps(items)])
            assert cursor.fetchone() == (True,)
            cursor.execute("SELECT count(*) FROM insights_insightitem")
            assert cursor.fetchone() == (0,)
    finally:
        migrate("insights", newest("insights"))
    moved = Insight.objects.get()
    assert (moved.items_total, moved.data) == (3, {"level": 1.0})
    assert list(InsightItem.objects.order_by("rank").values_list("item", flat=True)) == items
    assert InsightItem.objects.filter(worth_review=True).count() == 2
