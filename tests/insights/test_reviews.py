"""What people say of an item shows at once, counts later, and can be taken back."""

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.insights.models import Insight, Review, ReviewEvent
from apps.insights.selectors import reviews_by_kind
from apps.insights.services.naming import MOST_AT_ONCE
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.datasets.factories import DatasetFactory
from tests.insights.stored import answer, item, store
from tests.jobs.calls import problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sales_has_a_listing")]


@pytest.fixture
def insight() -> Insight:
    return store(DatasetFactory(), answer([item("S1", status="confirmed"), item("S2")]))


def put(client: APIClient, insight: Insight | uuid.UUID, by: User, **body: Any) -> Any:
    pk = insight.pk if isinstance(insight, Insight) else insight
    return client.put(f"/api/v1/insights/{pk}/reviews", body, content_type="application/json", **bearer(by))


def put_all(client: APIClient, insight: Insight | uuid.UUID, by: User, *skus: str, **body: Any) -> Any:
    pk = insight.pk if isinstance(insight, Insight) else insight
    said = {"subjects": [[sku] for sku in skus], "verdict": "acknowledged", **body}
    return client.put(f"/api/v1/insights/{pk}/reviews/bulk", said, content_type="application/json", **bearer(by))


def shown(client: APIClient, insight: Insight, by: User) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/api/v1/insights/{insight.pk}/items", **bearer(by)).json()["results"]
    return items


def statuses(client: APIClient, insight: Insight, by: User) -> list[str]:
    items = client.get(f"/api/v1/insights/{insight.pk}/items", **bearer(by)).json()["results"]
    head = client.get(f"/api/v1/insights/{insight.pk}", **bearer(by)).json()["data"]["items"]
    assert [each["status"] for each in items] == [each["status"] for each in head]
    return [each["status"] for each in head]


def test_a_review_shows_at_once_is_replaced_and_taken_back(client: APIClient, seller: User, insight: Insight) -> None:
    assert statuses(client, insight, seller) == ["open", "open"]
    kept = put(client, insight, seller, subject=["S1"], verdict="expected", note="Rent").json()
    assert (kept["reviewed_by"], kept["note"], kept["kind"]) == ("Sam Seller", "Rent", "listing")
    assert statuses(client, insight, seller) == ["expected", "open"]

    again = put(client, insight, seller, subject=["S1"], verdict="confirmed").json()
    assert again["id"] == kept["id"]
    assert statuses(client, insight, seller) == ["confirmed", "open"]
    listed = client.get(f"/api/v1/insights/{insight.pk}/reviews", **bearer(seller)).json()
    assert (listed["count"], listed["results"]) == (1, [again])

    response = client.delete(f"/api/v1/insights/{insight.pk}/reviews/{kept['id']}", **bearer(seller))
    assert response.status_code == 204
    assert statuses(client, insight, seller) == ["open", "open"]
    journal = ReviewEvent.objects.order_by("id").values_list("verdict", "by", "note")
    assert list(journal) == [("expected", seller.pk, "Rent"), ("confirmed", seller.pk, ""), ("", seller.pk, "")]


def test_the_same_said_twice_is_said_once(client: APIClient, seller: User, insight: Insight) -> None:
    first = put(client, insight, seller, subject=["S1"], verdict="expected").json()
    colleague = UserFactory(department="sales")
    assert put(client, insight, colleague, subject=["S1"], verdict="expected").json() == first
    assert (Review.objects.count(), ReviewEvent.objects.count()) == (1, 1)


def test_a_review_holds_for_the_next_insight_of_the_kind(client: APIClient, seller: User, insight: Insight) -> None:
    put(client, insight, seller, subject=["S2"], verdict="confirmed")
    newer = store(DatasetFactory(), answer([item("S2"), item("S3")]), hours=1)
    assert statuses(client, newer, seller) == ["confirmed", "open"]
    (known,) = reviews_by_kind("sales")["listing"]
    assert (known.subject, known.verdict, known.item) == (("S2",), "confirmed", item("S2"))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"subject": ["S9"], "verdict": "expected"}, 404, "not-found"),
        ({"subject": ["S1", "x"], "verdict": "expected"}, 404, "not-found"),
        ({"subject": ["S1"], "verdict": "open"}, 400, "invalid-request"),
        ({"subject": ["S1"], "verdict": "fine"}, 400, "invalid-request"),
        ({"subject": [], "verdict": "expected"}, 400, "invalid-request"),
        ({"subject": ["S1"]}, 400, "invalid-request"),
        ({"subject": ["S1"], "verdict": "expected", "note": "x" * 2001}, 400, "invalid-request"),
    ],
)
def test_what_is_no_review_of_an_item_is_refused(
    client: APIClient, seller: User, insight: Insight, body: dict[str, Any], status: int, code: str
) -> None:
    problem(put(client, insight, seller, **body), status, code)
    assert not ReviewEvent.objects.exists()


def test_an_insight_without_subjects_takes_no_reviews(client: APIClient, seller: User) -> None:
    insight = store(DatasetFactory(), answer([item("S1")], kind="other"))
    document = problem(put(client, insight, seller, subject=["S1"], verdict="expected"), 422, "not-reviewable")
    assert document["hint"]


def test_another_department_neither_sees_nor_says(client: APIClient, seller: User, insight: Insight) -> None:
    kept = put(client, insight, seller, subject=["S1"], verdict="expected").json()
    stranger = UserFactory(department="finance")
    own = store(DatasetFactory(department="finance"), answer([item("S1")]))
    assert statuses(client, own, stranger) == ["open"]
    for pk in (insight.pk, uuid.uuid4()):
        problem(put(client, pk, stranger, subject=["S1"], verdict="confirmed"), 404, "not-found")
        problem(client.get(f"/api/v1/insights/{pk}/reviews", **bearer(stranger)), 404, "not-found")
        problem(client.delete(f"/api/v1/insights/{pk}/reviews/{kept['id']}", **bearer(stranger)), 404, "not-found")
    problem(client.delete(f"/api/v1/insights/{own.pk}/reviews/{kept['id']}", **bearer(stranger)), 404, "not-found")
    assert Review.objects.get().verdict == "expected"
    assert list(reviews_by_kind("finance")) == []


@pytest.mark.parametrize(
    ("verdict", "given"),
    [("acknowledged", []), ("expected", ["expected"]), ("confirmed", ["confirmed"]), ("fixed", ["confirmed"])],
)
def test_what_is_computed_later_knows_what_turned_out(
    client: APIClient, seller: User, insight: Insight, verdict: str, given: list[str]
) -> None:
    put(client, insight, seller, subject=["S1"], verdict=verdict)
    assert statuses(client, insight, seller) == [verdict, "open"]
    assert [known.verdict for known in reviews_by_kind("sales")["listing"]] == given


def test_an_item_says_who_reviewed_it_and_when(client: APIClient, seller: User, insight: Insight) -> None:
    kept = put(client, insight, seller, subject=["S1"], verdict="fixed", note="Paid back").json()
    said = {name: kept[name] for name in ("id", "verdict", "note", "reviewed_by", "reviewed_at")}
    assert [each["review"] for each in shown(client, insight, seller)] == [said | {"reopened": ""}, None]


def test_other_evidence_opens_an_item_again_until_it_is_reviewed_anew(
    client: APIClient, seller: User, insight: Insight
) -> None:
    first = put(client, insight, seller, subject=["S1"], verdict="expected", note="Rent").json()
    same = store(DatasetFactory(), answer([item("S1", severity="high")]), hours=1)
    assert statuses(client, same, seller) == ["expected"]

    newer = store(DatasetFactory(), answer([item("S1", score=7.0)]), hours=2)
    assert statuses(client, newer, seller) == ["open"]
    (reopened,) = shown(client, newer, seller)
    assert (reopened["review"]["verdict"], reopened["review"]["note"]) == ("expected", "Rent")
    assert reopened["review"]["reopened"] == "It had 1."
    assert statuses(client, insight, seller) == ["expected", "open"]

    colleague = UserFactory(department="sales", full_name="Cleo Colleague")
    again = put(client, newer, colleague, subject=["S1"], verdict="expected", note="Rent").json()
    assert (again["id"], again["reviewed_by"]) == (first["id"], "Cleo Colleague")
    assert statuses(client, newer, seller) == ["expected"]
    assert ReviewEvent.objects.count() == 2


def test_several_are_reviewed_at_once_and_taken_back_at_once(client: APIClient, seller: User, insight: Insight) -> None:
    put(client, insight, seller, subject=["S2"], verdict="acknowledged")
    said = put_all(client, insight, seller, "S1", "S2", "S1").json()["results"]
    assert [(each["subject"], each["verdict"]) for each in said] == [(["S1"], "acknowledged"), (["S2"], "acknowledged")]
    assert statuses(client, insight, seller) == ["acknowledged", "acknowledged"]
    assert ReviewEvent.objects.count() == 2  # S2 was said before

    assert put_all(client, insight, seller, "S2", "S1", verdict="open").json() == {"results": []}
    assert statuses(client, insight, seller) == ["open", "open"]
    assert put_all(client, insight, seller, "S2", verdict="open").status_code == 200
    journal = ReviewEvent.objects.order_by("id").values_list("verdict", flat=True)
    assert list(journal) == ["acknowledged", "acknowledged", "", ""]


@pytest.mark.parametrize("verdict", ["acknowledged", "open"])
def test_one_that_is_not_there_stops_all(client: APIClient, seller: User, insight: Insight, verdict: str) -> None:
    put(client, insight, seller, subject=["S1"], verdict="expected")
    document = problem(put_all(client, insight, seller, "S1", "S9", verdict=verdict), 404, "not-found")
    assert document["details"] == {"missing": [["S9"]]}
    assert statuses(client, insight, seller) == ["expected", "open"]
    assert ReviewEvent.objects.count() == 1


def test_as_many_as_are_stated_go_at_once_in_a_handful_of_queries(
    client: APIClient, seller: User, django_assert_max_num_queries: Any
) -> None:
    skus = [f"S{n}" for n in range(MOST_AT_ONCE + 1)]
    many = store(DatasetFactory(), answer([item(sku) for sku in skus]))
    problem(put_all(client, many, seller, *skus), 400, "invalid-request")
    with django_assert_max_num_queries(14):
        assert len(put_all(client, many, seller, *skus[:MOST_AT_ONCE]).json()["results"]) == MOST_AT_ONCE
    assert Review.objects.count() == ReviewEvent.objects.count() == MOST_AT_ONCE


def test_of_two_items_of_one_subject_the_worst_is_reviewed(client: APIClient, seller: User) -> None:
    twice = store(DatasetFactory(), answer([item("S1", score=9.0), item("S1", score=4.0)]))
    put(client, twice, seller, subject=["S1"], verdict="expected")
    assert Review.objects.get().item["score"] == 9.0


def test_all_four_kinds_of_callers_at_the_bulk_address(client: APIClient, seller: User, insight: Insight) -> None:
    anonymous = client.put(
        f"/api/v1/insights/{insight.pk}/reviews/bulk",
        {"subjects": [["S1"]], "verdict": "expected"},
        content_type="application/json",
    )
    problem(anonymous, 401, "not-authenticated")
    stranger = UserFactory(department="finance")
    for pk in (insight.pk, uuid.uuid4()):
        for verdict in ("expected", "open"):
            problem(put_all(client, pk, stranger, "S1", verdict=verdict), 404, "not-found")
    assert statuses(client, insight, seller) == ["open", "open"]

    assert put_all(client, insight, AdminFactory(full_name="Olga Operator"), "S1").status_code == 200
    assert shown(client, insight, seller)[0]["review"]["reviewed_by"] == "Olga Operator"
    assert put_all(client, insight, seller, "S1", verdict="open").status_code == 200
    assert statuses(client, insight, seller) == ["open", "open"]
