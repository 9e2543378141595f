"""An item waits until a day, or until it gets worse: the whole department sees it, and may wake it."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.departments.supply_chain.insights.wording import worsened
from aetherflow.insight import more_severe
from apps.accounts.models import User
from apps.insights.models import Insight, ReviewEvent, Snooze
from apps.insights.selectors import page_of, reviews_by_kind
from apps.insights.services.snoozing import snooze_all
from apps.insights.standing import over
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.datasets.factories import DatasetFactory
from tests.insights.stored import answer, item, store
from tests.jobs.calls import problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sales_has_a_listing")]


@pytest.fixture
def insight() -> Insight:
    return store(DatasetFactory(), answer([item("S1"), item("S2"), item("S3", severity="high")]))


def day(after: int) -> str:
    return str(timezone.localdate() + timedelta(days=after))


def put(client: APIClient, insight: Insight | uuid.UUID, by: User | None, *skus: str, **body: Any) -> Any:
    pk = insight.pk if isinstance(insight, Insight) else insight
    said = {"until": day(7), **({"subjects": [[sku] for sku in skus]} if skus else {}), **body}
    header = bearer(by) if by else {}
    return client.put(f"/api/v1/insights/{pk}/snoozes", said, content_type="application/json", **header)


def review(client: APIClient, insight: Insight, by: User, sku: str, verdict: str) -> None:
    body = {"subjects": [[sku]], "verdict": verdict}
    path = f"/api/v1/insights/{insight.pk}/reviews/bulk"
    assert client.put(path, body, content_type="application/json", **bearer(by)).status_code == 200


def shown(client: APIClient, insight: Insight, by: User, query: str = "") -> dict[str, dict[str, Any]]:
    found = client.get(f"/api/v1/insights/{insight.pk}/items{query}", **bearer(by)).json()["results"]
    return {each["sku"]: each for each in found}


def test_a_colleague_sees_who_let_it_wait_and_wakes_it(client: APIClient, seller: User, insight: Insight) -> None:
    (kept,) = put(client, insight, seller, "S1", note="Delivery on Friday").json()["results"]
    assert (kept["subject"], kept["until"], kept["snoozed_by"]) == (["S1"], day(7), "Sam Seller")
    colleague = UserFactory(department="sales")
    waiting = shown(client, insight, colleague, "?state=snoozed")
    assert list(waiting) == ["S1"]
    assert waiting["S1"]["status"] == "snoozed"
    assert waiting["S1"]["snooze"] == {
        "until": day(7),
        "note": "Delivery on Friday",
        "snoozed_by": "Sam Seller",
        "snoozed_at": kept["snoozed_at"],
        "ended": "",
    }
    head = client.get(f"/api/v1/insights/{insight.pk}", **bearer(colleague)).json()["data"]["items"]
    assert [each["status"] for each in head] == ["snoozed", "open", "open"]

    assert put(client, insight, colleague, "S1", "S2", until=None).json() == {"results": []}
    assert shown(client, insight, seller)["S1"]["snooze"] is None
    journal = ReviewEvent.objects.order_by("id").values_list("verdict", "until", "by", "note")
    assert list(journal) == [
        ("snoozed", date.fromisoformat(day(7)), seller.pk, "Delivery on Friday"),
        ("snoozed", None, colleague.pk, ""),
    ]


def test_it_ends_by_itself_on_its_day_and_says_so(seller: User, insight: Insight) -> None:
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    snooze_all(insight=insight, subjects=[["S1"]], until=date(2026, 12, 3), by=seller, at=at)
    (before,) = page_of(insight, [1], at=datetime(2026, 12, 2, 23, 59, tzinfo=UTC))
    assert (before["status"], before["snooze"]["ended"]) == ("snoozed", "")
    (after,) = page_of(insight, [1], at=datetime(2026, 12, 3, tzinfo=UTC))
    assert (after["status"], after["snooze"]["ended"]) == ("open", "It was to wait until 3 December 2026.")
    assert not over(date(2026, 12, 3), at=at)


@pytest.mark.parametrize(
    ("now", "ended"),
    [
        (item("S1"), ""),
        (item("S1", worth_review=True), ""),
        (item("S1", severity="critical"), "It was low, and is critical now."),
        (item("S1", score=5.0), "It had 1."),
    ],
)
def test_what_gets_worse_with_the_next_upload_is_back(
    client: APIClient, seller: User, insight: Insight, now: dict[str, Any], ended: str
) -> None:
    put(client, insight, seller, "S1")
    newer = store(DatasetFactory(), answer([item("S0"), now]), hours=1)
    back = shown(client, newer, seller)["S1"]
    assert (back["status"], back["snooze"]["ended"]) == ("open" if ended else "snoozed", ended)
    assert list(shown(client, newer, seller, "?state=reopened")) == (["S1"] if ended else [])
    # The comparison that was kept and one that is made anew are the same.
    Snooze.objects.update(compared_in=None, ranks=[], reopened="")
    assert shown(client, newer, seller)["S1"] == back
    assert list(shown(client, newer, seller, "?state=snoozed")) == ([] if ended else ["S1"])

    put(client, newer, seller, "S1", until=day(2))
    assert shown(client, newer, seller)["S1"]["status"] == "snoozed"


def test_what_can_wait_no_more_is_told_in_words() -> None:
    assert more_severe({"severity": "medium"}, {"severity": "critical"}) == "It was medium, and is critical now."
    assert more_severe({"severity": "high"}, {"severity": "low"}) == ""
    assert more_severe({}, {"severity": "low"}) == ""
    before = {"severity": "critical", "current_stock": 12}
    assert worsened(before, before | {"current_stock": 0}) == "The shelf is empty; 12 were in stock."
    assert worsened(before, before | {"current_stock": 3}) == ""


def test_what_is_computed_later_learns_nothing_of_it(client: APIClient, seller: User, insight: Insight) -> None:
    review(client, insight, seller, "S1", "expected")
    learnt = reviews_by_kind("sales")
    put(client, insight, seller, "S1", "S2")
    assert reviews_by_kind("sales") == learnt
    # What was found out counts more than that it was to wait; what somebody only looks into waits.
    assert shown(client, insight, seller)["S1"]["status"] == "expected"
    review(client, insight, seller, "S3", "acknowledged")
    put(client, insight, seller, "S3")
    assert shown(client, insight, seller)["S3"]["status"] == "snoozed"


@pytest.mark.parametrize("verdict", ["fixed", "open"])
def test_who_says_something_of_an_item_ends_its_waiting(
    client: APIClient, seller: User, insight: Insight, verdict: str
) -> None:
    put(client, insight, seller, "S1", "S2")
    review(client, insight, seller, "S1", verdict)
    assert {sku: each["status"] for sku, each in shown(client, insight, seller).items()} == {
        "S1": verdict,
        "S2": "snoozed",
        "S3": "open",
    }
    assert Snooze.objects.count() == 1


def test_all_that_match_go_at_once_if_they_are_as_many_as_were_shown(
    client: APIClient, seller: User, insight: Insight
) -> None:
    low = {"filters": {"severity": ["low"], "state": ["open"]}, "count": 2}
    said = put(client, insight, seller, matching=low).json()["results"]
    assert [each["subject"] for each in said] == [["S1"], ["S2"]]
    document = problem(put(client, insight, seller, matching=low), 409, "other-count")
    assert (document["detail"], document["details"]) == ("0 items match now, not 2.", {"count": 0})

    path = f"/api/v1/insights/{insight.pk}/reviews/bulk"
    body = {"matching": {"filters": {"state": ["snoozed"]}, "count": 2}, "verdict": "acknowledged"}
    answered = client.put(path, body, content_type="application/json", **bearer(seller))
    assert len(answered.json()["results"]) == 2
    assert list(shown(client, insight, seller, "?state=acknowledged")) == ["S1", "S2"]


def test_too_many_at_once_are_refused_whole(
    client: APIClient, seller: User, insight: Insight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.insights.views.reviews.MOST_AT_ONCE", 2)
    problem(put(client, insight, seller, matching={"filters": {}, "count": 3}), 422, "too-many-at-once")
    assert not Snooze.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"subjects": [["S9"]]}, 404, "not-found"),
        ({}, 400, "invalid-request"),
        ({"subjects": [["S1"]], "matching": {"filters": {}, "count": 3}}, 400, "invalid-request"),
        ({"matching": {"filters": {"state": ["late"]}, "count": 3}}, 400, "invalid-request"),
        ({"matching": {"filters": {"sate": ["open"]}, "count": 3}}, 400, "invalid-request"),
        ({"subjects": [["S1"]], "until": "soon"}, 400, "invalid-request"),
        ({"subjects": [["S1"]], "until": day(0)}, 422, "snooze-out-of-bounds"),
        ({"subjects": [["S1"]], "until": day(400)}, 422, "snooze-out-of-bounds"),
    ],
)
def test_what_is_no_snooze_is_refused(
    client: APIClient, seller: User, insight: Insight, body: dict[str, Any], status: int, code: str
) -> None:
    problem(put(client, insight, seller, **body), status, code)
    assert not ReviewEvent.objects.exists()


def test_all_four_kinds_of_callers(client: APIClient, seller: User, insight: Insight) -> None:
    problem(put(client, insight, None, "S1"), 401, "not-authenticated")
    stranger = UserFactory(department="finance")
    for pk in (insight.pk, uuid.uuid4()):
        problem(put(client, pk, stranger, "S1"), 404, "not-found")
        problem(put(client, pk, stranger, "S1", until=None), 404, "not-found")
    assert put(client, insight, AdminFactory(full_name="Olga Operator"), "S1").status_code == 200
    assert shown(client, insight, seller)["S1"]["snooze"]["snoozed_by"] == "Olga Operator"
    own = store(DatasetFactory(department="finance"), answer([item("S1")]))
    assert shown(client, own, stranger)["S1"]["status"] == "open"
