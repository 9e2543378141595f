"""Reads of insights. A request's only doors are the `*_for(user)` functions."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from aetherflow.errors import ConflictError, InvalidError, NotFoundError
from aetherflow.insight import Insight as Declared
from aetherflow.insight import Review as Reviewed
from aetherflow.insight import Setting, Verdict
from aetherflow.registry import department as find_department
from apps.accounts.models import User
from apps.accounts.selectors import departments_of, require_department
from apps.datasets.models import Dataset
from apps.datasets.selectors import dataset_for, datasets_for
from apps.insights.filtering import Found, Wanted, facet_values, find
from apps.insights.models import ChosenSetting, Insight, InsightItem, Review, Snooze
from apps.insights.standing import over, status_of, why_back

# So many items stand in the insight itself: all that a small or middling department has, and no more than a page bears.
HEAD = 5_000


def insights_for(user: User) -> QuerySet[Insight]:
    """With the `figures` of the headlines; the subjects they flag may be many, and are nobody's to read."""
    mine = Insight.objects.filter(department__in=departments_of(user)).select_related("compared_with")
    return mine.annotate(figures=F("headline__figures")).defer("headline", "compared_with__profile")


def insight_for(user: User, insight_id: UUID) -> Insight:
    """NotFoundError for a foreign one just as for one that never was."""
    found = insights_for(user).filter(pk=insight_id).first()
    if found is None:
        raise NotFoundError(
            "There is no such insight.",
            hint="It may have been computed anew since: the dashboard has the one that counts now.",
        )
    return found


def with_heads(insights: Collection[Insight], *, most: int = HEAD, at: datetime) -> None:
    """Put the head of each ranking, as it stands now, where a reader of `data` looks for it: so many items, or all of
    fewer. Three queries however many there are."""
    heads: dict[UUID, list[Any]] = defaultdict(list)
    ranked = {insight.pk: insight for insight in insights if insight.items_total is not None}
    items = InsightItem.objects.filter(insight__in=ranked, rank__lte=most).order_by("insight_id", "rank")
    found = _said(ranked.values(), of=items)
    for insight_id, key, item in items.values_list("insight_id", "subject_key", "item"):
        heads[insight_id].append(_shown(ranked[insight_id], item, key, found, at=at))
    for insight in ranked.values():
        insight.data = {**insight.data, "items": heads[insight.pk]}


def with_figures_before(insights: Collection[Insight]) -> None:
    """Put beside what is told `since` an upload the figures of that upload's insight, as `figures_before`; none where
    it was computed anew with rows that came later. A query if anything is told."""
    compared = {insight.compared_with_id for insight in insights} - {None}
    stored = Insight.objects.filter(dataset__in=compared, kind__in={insight.kind for insight in insights})
    rows = stored.values_list("dataset_id", "kind", "headline__figures", "basis__datasets") if compared else ()
    earlier: dict[tuple[UUID | None, str], tuple[Any, Any]] = {
        (dataset, kind): (figures, basis) for dataset, kind, figures, basis in rows
    }
    for insight in insights:
        figures, basis = earlier.get((insight.compared_with_id, insight.kind), (None, None))
        known = str(insight.dataset_id) in (basis or ())
        insight.figures_before = {} if known else figures or {}  # type: ignore[attr-defined]


def page_of(insight: Insight, ranks: Collection[int], *, at: datetime) -> list[dict[str, Any]]:
    """Items of the insight as they are shown: with their rank, and as they stand now."""
    items = InsightItem.objects.filter(insight=insight, rank__in=ranks)
    found = _said([insight], of=items)
    return [
        {"rank": each.rank, **_shown(insight, each.item, each.subject_key, found, at=at)}
        for each in items.order_by("rank")
    ]


@dataclass(frozen=True)
class _Said:
    """What is said of items, by kind and subject."""

    reviews: Mapping[tuple[str, UUID], Review]
    snoozes: Mapping[tuple[str, UUID], Snooze]


def _said(insights: Collection[Insight], *, of: QuerySet[InsightItem]) -> _Said:
    """Of these items. All of one department: a dashboard never shows two."""
    about = Q(
        department__in={insight.department for insight in insights},
        kind__in={insight.kind for insight in insights},
        subject_key__in=of.order_by().values("subject_key"),
    )
    reviews = Review.objects.filter(about).select_related("reviewed_by")
    snoozes = Snooze.objects.filter(about).select_related("snoozed_by")
    return _Said(
        reviews={(each.kind, each.subject_key): each for each in reviews},
        snoozes={(each.kind, each.subject_key): each for each in snoozes},
    )


def _shown(insight: Insight, item: dict[str, Any], key: UUID | None, found: _Said, *, at: datetime) -> dict[str, Any]:
    """What was said since counts at once; what was known when it was computed may have been taken back, or said of
    other evidence: then the item is open, with what was said of it and why that holds no more."""
    if key is None:
        return item
    review, snooze = found.reviews.get((insight.kind, key)), found.snoozes.get((insight.kind, key))
    declared = declared_of(insight)
    reopened = why_back(review, item, insight=insight, declared=declared) if review else ""
    ended = (why_back(snooze, item, insight=insight, declared=declared) or over(snooze.until, at=at)) if snooze else ""
    return {
        **item,
        "status": status_of(
            review.verdict if review and not reopened else None, waits=snooze is not None and not ended
        ),
        "review": review
        and {
            "id": str(review.pk),
            "verdict": review.verdict,
            "note": review.note,
            "reviewed_by": review.reviewed_by.full_name,
            "reviewed_at": review.reviewed_at,
            "reopened": reopened,
        },
        "snooze": snooze
        and {
            "until": snooze.until,
            "note": snooze.note,
            "snoozed_by": snooze.snoozed_by.full_name,
            "snoozed_at": snooze.snoozed_at,
            "ended": ended,
        },
    }


def items_found(insight: Insight, wanted: Wanted, *, at: datetime) -> Found:
    """Which items of the ranking are wanted, worst first, and how many there are in each state."""
    return find(insight, wanted, declared=declared_of(insight), at=at)


def facets_of(insight: Insight) -> list[dict[str, Any]]:
    """What the items can be narrowed by, each with the values there are."""
    return facet_values(insight, declared=declared_of(insight))


def facet_names(insight: Insight) -> list[str]:
    declared = declared_of(insight)
    return [facet.name for facet in declared.facets] if declared else []


def subjects_found(insight: Insight, wanted: Wanted, *, count: int, most: int, at: datetime) -> list[tuple[str, ...]]:
    """The subjects of the items that are wanted, as many as a person was shown: a ConflictError where there are more or
    fewer by now, an InvalidError where there are too many to act on at once."""
    ranks = items_found(insight, wanted, at=at).ranks
    if len(ranks) != count:
        raise ConflictError(
            f"{len(ranks):,} items match now, not {count:,}.",
            code="other-count",
            hint="Somebody has changed some meanwhile: look at them again, then repeat what you did.",
            details={"count": len(ranks)},
        )
    if count > most:
        raise InvalidError(
            f"{count:,} items are more than the {most:,} that can be changed at once.",
            code="too-many-at-once",
            hint="Narrow them down by another filter, and go on part by part.",
        )
    declared = declared_of(insight)
    items = InsightItem.objects.filter(insight=insight, rank__in=ranks).order_by("rank")
    return [declared.subject_of(item) for item in items.values_list("item", flat=True)] if declared else []


def reviews_for(user: User, insight: Insight) -> QuerySet[Review]:
    """What the insight's department says of items of its kind, newest first."""
    mine = Review.objects.filter(department__in=departments_of(user), department=insight.department, kind=insight.kind)
    return mine.select_related("reviewed_by")


def review_for(user: User, insight: Insight, review_id: UUID) -> Review:
    """NotFoundError for a foreign one just as for one that never was."""
    found = reviews_for(user, insight).filter(pk=review_id).first()
    if found is None:
        raise NotFoundError("There is no such review.", hint="It may have been taken back, or the address is wrong.")
    return found


def reviews_by_kind(department: str) -> dict[str, list[Reviewed]]:
    """All that is to be known to what is computed for the department: what turned out, not who is looking into what."""
    found: dict[str, list[Reviewed]] = defaultdict(list)
    settled = Review.objects.filter(department=department, verdict__in=_SETTLED)
    for each in settled.only("kind", "subject", "verdict", "item"):
        verdict = _SETTLED[each.verdict]
        found[each.kind].append(Reviewed(subject=tuple(each.subject), verdict=verdict, item=each.item))
    return found


# What a verdict says of the finding: one that is put right was right. What waits says nothing.
_SETTLED: Mapping[str, Verdict] = {"expected": "expected", "confirmed": "confirmed", "fixed": "confirmed"}


def settings_for(user: User, department: str) -> list[dict[str, Any]]:
    """The settings of the department's insights as they are now, and who chose them and when.

    ForbiddenError for another department.
    """
    require_department(user, department)
    rows = {
        (row.kind, row.name): row
        for row in ChosenSetting.objects.filter(department=department).select_related("set_by")
    }
    out = []
    for insight in find_department(department).insights:
        for each in insight.settings:
            row = rows.get((insight.kind, each.name))
            out.append(
                {
                    "kind": insight.kind,
                    "name": each.name,
                    "label": each.label,
                    "help": each.help,
                    "value": _value(each, row.value if row else None),
                    "default": each.default,
                    "least": each.least,
                    "most": each.most,
                    "set_by": row.set_by.full_name if row else None,
                    "set_at": row.set_at if row else None,
                }
            )
    return out


def chosen_settings(department: str) -> dict[str, dict[str, float]]:
    """By kind and name, what the department's insights are computed with now, defaults too."""
    stored = ChosenSetting.objects.filter(department=department).values_list("kind", "name", "value")
    values = {(kind, name): value for kind, name, value in stored}
    return {
        insight.kind: {each.name: _value(each, values.get((insight.kind, each.name))) for each in insight.settings}
        for insight in find_department(department).insights
    }


def _value(setting: Setting, chosen: float | None) -> float:
    """Inside its bounds, which may be narrower now than when it was chosen."""
    return setting.default if chosen is None else min(max(chosen, setting.least), setting.most)


def subject_of(insight: Insight) -> tuple[str, ...]:
    """The fields that name an item of it; none where the department has no such insight any more."""
    declared = declared_of(insight)
    return declared.subject if declared else ()


def declared_of(insight: Insight) -> Declared | None:
    """None where the department has no such insight any more."""
    return next((each for each in find_department(insight.department).insights if each.kind == insight.kind), None)


def dashboard_for(
    user: User, department: str, *, dataset_id: UUID | None = None, items: int = HEAD, at: datetime
) -> dict[str, Any]:
    """The department's latest insights (or those of one dataset's run) with the first `items` of their rankings, and
    what they rest on. Seven queries, and one where an insight is compared with an earlier one.

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
    with_heads(latest, most=items, at=at)
    with_figures_before(latest)
    newest = datasets.exclude(loaded_at=None).order_by("-number").first()
    # A refused upload is one of the department's too, but nothing rests on it.
    counts = datasets.aggregate(count=Count("pk"), loaded=Count("pk", filter=Q(loaded_at__isnull=False)))
    return {
        "department": department,
        "last_updated": max((insight.computed_at for insight in latest), default=None),
        "datasets": {**counts, "latest": _provenance(newest) if newest else None},
        "insights": latest,
    }


def _provenance(dataset: Dataset) -> dict[str, Any]:
    return {
        "id": dataset.pk,
        "name": dataset.name,
        "rows": dataset.rows_loaded,
        "rejected": dataset.rows_rejected,
        "uploaded_at": dataset.uploaded_at,
    }
