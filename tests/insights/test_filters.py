"""A ranking is narrowed on the server, by what its items hold and by what was said of them: nothing is lost between its
pages, and the counts are those of all items."""

import random
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.insights.models import Insight, Review
from apps.insights.services.reviewing import review_all
from apps.insights.services.snoozing import snooze_all
from apps.insights.standing import STATES
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.datasets.factories import DatasetFactory
from tests.insights.stored import answer, item, store
from tests.jobs.calls import problem
from tests.support.roles import as_owner
from tests.support.timing import at_most

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sales_has_a_listing")]
REGIONS = ["North", "South", None]
SEVERITIES = ["critical", "high", "medium", "low"]


def ranking(count: int) -> list[dict[str, Any]]:
    return [
        item(
            f"S{n}",
            score=float(count - n),
            severity=SEVERITIES[n % 4],
            worth_review=n % 3 == 0,
            region=REGIONS[n % 3],
            tags=[{"code": "odd" if n % 2 else "even"}, {"code": f"t{n % 5}"}],
        )
        for n in range(count)
    ]


@pytest.fixture
def insight() -> Insight:
    return store(DatasetFactory(), answer(ranking(12)))


def say(insight: Insight, verdict: str, by: User, *skus: str, note: str = "") -> None:
    review_all(insight=insight, subjects=[[sku] for sku in skus], verdict=verdict, note=note, by=by, at=timezone.now())  # type: ignore[arg-type]


def snooze(insight: Insight, by: User, *skus: str, days: int = 3) -> None:
    until = timezone.localdate() + timedelta(days=days)
    snooze_all(insight=insight, subjects=[[sku] for sku in skus], until=until, by=by, at=timezone.now())


def asked(client: APIClient, insight: Insight, query: str, by: User) -> Any:
    response = client.get(f"/api/v1/insights/{insight.pk}/items{query}", **bearer(by))
    assert response.status_code == 200, response.content
    return response.json()


def skus(page: Any) -> list[str]:
    return [each["sku"] for each in page["results"]]


def test_each_state_is_found_and_all_are_counted(client: APIClient, seller: User, insight: Insight) -> None:
    say(insight, "acknowledged", seller, "S1")
    say(insight, "expected", seller, "S2", "S3")
    say(insight, "fixed", seller, "S4")
    snooze(insight, seller, "S5")
    # Said of other evidence.
    Review.objects.filter(subject=["S3"]).update(item={"score": 1.0}, compared_in=None)
    counts = {
        "open": 8,
        "reopened": 1,
        "snoozed": 1,
        "acknowledged": 1,
        "expected": 1,
        "confirmed": 0,
        "fixed": 1,
    }
    for query, wanted in [
        ("?state=expected", ["S2"]),
        ("?state=reopened", ["S3"]),
        ("?state=snoozed&state=fixed", ["S4", "S5"]),
        ("?state=open&limit=3", ["S0", "S3", "S6"]),
        ("?state=confirmed", []),
    ]:
        page = asked(client, insight, query, seller)
        assert skus(page) == wanted
        assert page["counts"] == counts
        assert page["count"] == sum(counts[state] for state in STATES if f"state={state}" in query)
    assert {each["sku"]: each["status"] for each in asked(client, insight, "", seller)["results"]}["S3"] == "open"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?region=North&severity=critical", ["S0"]),
        ("?region=North&region=South&severity=low", ["S3", "S7"]),
        ("?tag=odd&tag=t0&worth_review=true", ["S0", "S3", "S9"]),
        ("?q=s1", ["S1", "S10", "S11"]),
        ("?q=south&severity=high", ["S1"]),
        ("?q=%25", []),
        ("?q=the%20RENT", ["S5"]),
        ("?region=Nowhere", []),
        ("?focus=true", ["S0", "S3", "S5", "S6", "S9"]),
        ("?focus=false&severity=critical", ["S4", "S8"]),
        ("?after=9", ["S9", "S10", "S11"]),
    ],
)
def test_items_are_narrowed_in_their_order(
    client: APIClient, seller: User, insight: Insight, query: str, wanted: list[str]
) -> None:
    say(insight, "acknowledged", seller, "S5", note="Is it the rent?")
    page = asked(client, insight, query, seller)
    assert skus(page) == wanted
    if "after" not in query:
        assert page["count"] == len(wanted) == sum(page["counts"].values())


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=new", "state"),
        ("severity=deadly", "severity"),
        ("worth_review=perhaps", "worth_review"),
        ("warehouse_id=W1", "warehouse_id"),
        ("stat=open", "stat"),
        ("after=-1", "after"),
        ("q=" + "x" * 201, "q"),
    ],
)
def test_what_is_no_filter_is_refused_with_words(
    client: APIClient, seller: User, insight: Insight, query: str, field: str
) -> None:
    response = client.get(f"/api/v1/insights/{insight.pk}/items?{query}", **bearer(seller))
    document = problem(response, 400, "invalid-request")
    assert [each["pointer"].split("/")[1] for each in document["errors"]] == [field]
    assert document["errors"][0]["detail"].endswith(".")


def test_the_facets_tell_which_values_there_are(client: APIClient, seller: User, insight: Insight) -> None:
    region, tag = client.get(f"/api/v1/insights/{insight.pk}/facets", **bearer(seller)).json()["facets"]
    assert region == {
        "name": "region",
        "label": "Region",
        "values": [{"value": "North", "count": 4}, {"value": "South", "count": 4}],
        "more": False,
    }
    assert {each["value"]: each["count"] for each in tag["values"]}["even"] == 6
    anonymous = client.get(f"/api/v1/insights/{insight.pk}/facets")
    problem(anonymous, 401, "not-authenticated")
    stranger = bearer(UserFactory(department="finance"))
    for pk in (insight.pk, uuid.uuid4()):
        problem(client.get(f"/api/v1/insights/{pk}/facets", **stranger), 404, "not-found")
        problem(client.get(f"/api/v1/insights/{pk}/items?state=open", **stranger), 404, "not-found")
    assert client.get(f"/api/v1/insights/{insight.pk}/facets", **bearer(AdminFactory())).status_code == 200


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    states=st.sets(st.sampled_from(STATES), max_size=3),
    severities=st.sets(st.sampled_from(SEVERITIES), max_size=2),
    tag=st.sampled_from(["", "odd", "t3"]),
    limit=st.integers(1, 7),
    chance=st.randoms(use_true_random=False),
)
def test_pages_neither_lose_nor_double_an_item_while_items_are_reviewed(
    client: APIClient,
    seller: User,
    states: set[str],
    severities: set[str],
    tag: str,
    limit: int,
    chance: random.Random,
) -> None:
    """Between the pages people say something of what was read: what was to come still comes, each once and in order."""
    insight = store(DatasetFactory(), answer(ranking(23)))
    Review.objects.all().delete()
    for verdict in ("acknowledged", "expected", "confirmed"):
        say(insight, verdict, seller, *(f"S{n}" for n in chance.sample(range(23), 3)))
    query = "&".join(
        [f"limit={limit}"]
        + [f"state={each}" for each in states]
        + [f"severity={each}" for each in severities]
        + ([f"tag={tag}"] if tag else [])
    )
    whole = skus(asked(client, insight, f"?limit=1000&{query.split('&', 1)[1] if '&' in query else ''}", seller))
    read: list[str] = []
    address = f"?after=0&{query}"
    while address:
        page = asked(client, insight, address, seller)
        read += skus(page)
        if page["results"]:
            say(insight, "fixed", seller, page["results"][0]["sku"])
        address = f"?{page['next'].split('?', 1)[1]}" if page["next"] else ""
    assert read == whole


def test_a_page_of_fifty_thousand_costs_a_page(
    client: APIClient, seller: User, django_assert_max_num_queries: Any
) -> None:
    """Thousands of them reviewed or waiting, too. It takes less than a tenth of a second of an idle machine; where
    tests run at once only what would take many times as long is told from what does not."""
    reason = "Stock of 12 lasts 3.4 days at 3.5 a day; " * 8
    items = [each | {"reason": reason} for each in ranking(50_000)]
    insight = store(DatasetFactory(), answer(items))
    say(insight, "acknowledged", seller, *(f"S{n}" for n in range(0, 10_000, 5)))
    snooze(insight, seller, *(f"S{n}" for n in range(1, 10_000, 5)))
    # Computed anew all evidence is another, and is compared once.
    moved = [each | {"score": each["score"] + 1} for each in items]
    insight = store(DatasetFactory(), answer(moved), hours=1)
    with as_owner() as cursor:
        cursor.execute("ANALYZE")
    header = bearer(seller)
    for query in (
        "?limit=100",
        "?state=open&after=40000&limit=100",
        "?state=reopened&limit=100",
        "?region=South&severity=high&limit=100",
        "?tag=t3&limit=100",
        "?q=s4999&limit=100",
    ):
        address = f"/api/v1/insights/{insight.pk}/items{query}"
        with django_assert_max_num_queries(8):
            assert client.get(address, **header).status_code == 200
        with at_most(seconds=5, megabytes=8):
            client.get(address, **header)
