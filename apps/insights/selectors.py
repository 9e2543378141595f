"""Reads of insights. A request's only doors are the `*_for(user)` functions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from aetherflow.errors import NotFoundError
from apps.accounts.models import User
from apps.accounts.selectors import departments_of, require_department
from apps.datasets.models import Dataset
from apps.datasets.selectors import dataset_for, datasets_for
from apps.insights.models import Insight


def insights_for(user: User) -> QuerySet[Insight]:
    return Insight.objects.filter(department__in=departments_of(user))


def dashboard_for(user: User, department: str, *, dataset_id: UUID | None = None) -> dict[str, Any]:
    """The department's latest insights (or those of one dataset's run), and what they rest on. Four queries.

    ForbiddenError for another department, NotFoundError for a dataset that is not in this one.
    """
    require_department(user, department)
    datasets = datasets_for(user).filter(department=department)
    insights = insights_for(user).filter(department=department)
    if dataset_id is not None:
        dataset = dataset_for(user, dataset_id)
        if dataset.department != department:
            raise NotFoundError(
                f"The dataset is not one of the department {department}.",
                hint=f"Ask for the dashboard of {dataset.department}.",
            )
        insights = insights.filter(dataset=dataset)
    latest = list(insights.order_by("kind", "-computed_at").distinct("kind"))
    newest = datasets.exclude(loaded_at=None).order_by("-number").first()
    return {
        "department": department,
        "last_updated": max((insight.computed_at for insight in latest), default=None),
        "datasets": {"count": datasets.count(), "latest": _provenance(newest) if newest else None},
        "insights": latest,
    }


def _provenance(dataset: Dataset) -> dict[str, Any]:
    return {
        "id": dataset.pk,
        "name": dataset.name,
        "rows": dataset.rows_loaded,
        "uploaded_at": dataset.uploaded_at,
    }
