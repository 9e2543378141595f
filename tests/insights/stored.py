"""Insights as a department might declare them, computed and stored without a pipeline."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from aetherflow.insight import Facet, Given, Headline, InsightResult, Item, Setting
from aetherflow.insight import Insight as Declared
from aetherflow.registry import departments
from apps.datasets.models import Dataset
from apps.insights.comparing import Answer
from apps.insights.models import Insight
from apps.insights.services.storing import replace_insights

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LEVEL = Setting(name="level", label="Level", help="From here on it is listed.", default=1.0, least=0.0, most=9.0)


def since(before: Headline, now: Headline) -> str:
    new = len(set(now.flagged) - set(before.flagged))
    return f"{new} newly listed" if new else ""


def listing(rows: pd.DataFrame, given: Given) -> InsightResult:
    """The rows' SKUs, most units first."""
    expected = {review.subject for review in given.reviews if review.verdict == "expected"}
    units = rows.groupby("sku")["quantity"].sum().astype(float).items()
    named = sorted((-count, str(sku)) for sku, count in units)
    kept = [(-count, sku) for count, sku in named if -count >= given.settings["level"] and (sku,) not in expected]
    items = [item(sku, score=count) for count, sku in kept]
    return InsightResult(
        kind="listing",
        method="Counts.",
        quality=None,
        summary=f"{len(items)} listed.",
        data={"level": given.settings["level"]},
        items=items,
        parameters={"level": given.settings["level"]},
        headline=Headline(figures={"listed": float(len(items))}, flagged=[(sku,) for _, sku in kept]),
    )


LISTING = Declared(
    kind="listing",
    label="Listing",
    version=3,
    columns=("sku", "quantity"),
    compute=listing,
    settings=(LEVEL,),
    subject=("sku",),
    since=since,
    reopened=lambda reviewed, now: "" if reviewed["score"] == now["score"] else f"It had {reviewed['score']:g}.",
    facets=(
        Facet(name="region", label="Region", field="region"),
        Facet(name="tag", label="Tag", field="tags", each="code"),
    ),
)
SALES = replace(departments()["sales"], insights=(LISTING,))


def item(sku: str, **fields: Any) -> Item:
    return {"sku": sku, "score": 1.0, "severity": "low", "worth_review": False, "status": "open", **fields}


def answer(items: Sequence[Item] | None, *, declared: Declared = LISTING, **fields: Any) -> Answer:
    result = InsightResult(
        kind=declared.kind, method="Counts.", quality=None, summary="Some.", data={"level": 1.0}, items=items
    )
    return Answer(insight=declared, given=declared.given(), result=replace(result, **fields))


def store(dataset: Dataset, *answers: Answer, rests_on: Sequence[Dataset] = (), hours: int = 0) -> Insight:
    """Store them as the dataset's insights; the first of them."""
    datasets = [str(each.pk) for each in (*rests_on, dataset)]
    basis: dict[str, object] = {"rows": 0, "datasets": datasets, "rows_of": dict.fromkeys(datasets, 0)}
    stored = replace_insights(dataset=dataset, answers=answers, basis=basis, at=AT + timedelta(hours=hours))
    return stored[0]
