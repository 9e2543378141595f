"""What the platform says, in the words of the scorers."""

from collections.abc import Callable
from typing import Any

from bench.client import FailedJob
from tests.e2e.people import Person

PAGE = 1_000
Insight = dict[str, Any]


def insight_of(person: Person, kind: str) -> Insight:
    """The insight of this kind on the dashboard of the person's department. FailedJob where there is none."""
    board = person.get(f"/dashboards/{person.department}").json()
    found: list[Insight] = [insight for insight in board["insights"] if insight["kind"] == kind]
    if not found:
        raise FailedJob(f"The dashboard of {person.department} shows no {kind}.")
    return found[0]


def whole_ranking(person: Person, insight: Insight) -> list[dict[str, Any]]:
    """All items of a ranking: the dashboard's head, or every page where the insight says that there are more."""
    head: list[dict[str, Any]] = insight["data"]["items"]
    total = insight["data"].get("items_total", insight.get("items_total", len(head)))
    if total <= len(head):
        return head
    items: list[dict[str, Any]] = []
    while len(items) < total:
        answer = person.get(f"/insights/{insight['id']}/items", params={"limit": PAGE, "offset": len(items)})
        if answer.status_code != 200 or not (page := answer.json()["results"]):
            raise FailedJob(f"{len(items)} of {total} items came, then {answer.status_code}: {answer.text[:500]}")
        items += page
    return items


def sales(_person: Person, insight: Insight) -> dict[str, Any]:
    data = insight["data"]
    bands = {"lo80": "lower80", "hi80": "upper80", "lo95": "lower95", "hi95": "upper95"}
    return {
        "forecasts": [
            {
                "product_category": category["category"],
                "week_start": week["week_start"],
                "mean": week["revenue"],
                **{theirs: week[ours] for theirs, ours in bands.items()},
            }
            for category in data["categories"]
            for week in category["forecast"]
        ],
        "top5": [top["category"] for top in data["top_categories"]],
    }


def supply_chain(person: Person, insight: Insight) -> list[dict[str, Any]]:
    return [
        {
            "warehouse_id": item["warehouse_id"],
            "sku": item["sku"],
            "p_stockout_14d": item["stockout_probability"],
            "at_risk": item["at_risk"],
            "safety_stock": item["safety_stock"],
            "reorder_qty": item["reorder_quantity"],
        }
        for item in whole_ranking(person, insight)
    ]


def finance(person: Person, insight: Insight) -> list[dict[str, Any]]:
    """Reasons are the sentences a person reads, without their codes; the scorers' severity is a number: the score."""
    return [
        {
            "txn_id": item["txn_id"],
            "severity": item["score"],
            "reasons": [reason["message"] for reason in item["reasons"]],
            "worth_review": item["worth_review"],
        }
        for item in whole_ranking(person, insight)
    ]


ANSWERS: dict[str, tuple[str, Callable[[Person, Insight], Any]]] = {
    "sales": ("revenue_forecast", sales),
    "supply_chain": ("stockout_risk", supply_chain),
    "finance": ("spend_anomalies", finance),
}
