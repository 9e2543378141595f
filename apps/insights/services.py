"""Writes of insights."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from aetherflow.insight import InsightResult
from apps.datasets.models import Dataset
from apps.insights.models import Insight


@transaction.atomic
def replace_insights(
    *, dataset: Dataset, results: Sequence[InsightResult], basis: dict[str, object], at: datetime
) -> list[Insight]:
    """Make these the insights of the dataset's run. `at` is the moment of the snapshot they were computed from."""
    Insight.objects.filter(dataset=dataset).delete()
    return Insight.objects.bulk_create(
        Insight(
            department=dataset.department,
            kind=result.kind,
            dataset=dataset,
            computed_at=at,
            method=result.method,
            quality=result.quality,
            summary=result.summary,
            data=_shown(result),
            basis=basis,
        )
        for result in results
    )


def _shown(result: InsightResult) -> dict[str, object]:
    return {**result.data, "items": list(result.items)} if result.items is not None else result.data


def drop_insights(*, dataset: Dataset) -> None:
    """An undone upload's insights go, and those that rest on its rows: what is shown must not hold what was undone."""
    resting = Q(dataset=dataset) | Q(basis__datasets__contains=[str(dataset.pk)])
    Insight.objects.filter(resting, department=dataset.department).delete()
