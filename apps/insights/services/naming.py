"""Which items are spoken of, and the journal of what was said of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog

from aetherflow.errors import InvalidError, NotFoundError
from apps.accounts.models import User
from apps.insights.keys import subject_key
from apps.insights.models import Insight, InsightItem, ReviewEvent, Statement
from apps.insights.selectors import subject_of
from apps.insights.standing import Said, items_by_key, said_of

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 5_000


def items_named(insight: Insight, subjects: Sequence[Sequence[str]]) -> dict[UUID, dict[str, Any]]:
    """By key, in the order given: what a statement of each holds of the item.

    InvalidError where the insight's items are none to be reviewed, NotFoundError where it has not all of them.
    """
    fields = subject_of(insight)
    if not fields:
        raise InvalidError(
            "This insight has no items that can be told apart from one computation to the next.",
            code="not-reviewable",
            hint="Only items of an insight with a `subject` are reviewed.",
        )
    asked = {subject_key(subject): subject for subject in subjects}
    found = items_by_key(insight, asked)
    if missing := [list(subject) for key, subject in asked.items() if key not in found]:
        raise NotFoundError(
            f"The insight has no such item: {', '.join(missing[0])}."[:300],
            hint=f"Give in `subject` the item's values of {', '.join(fields)}, in this order.",
            details={"missing": missing},
        )
    return {key: _named(insight, key, subject, found[key]) for key, subject in asked.items()}


def _named(insight: Insight, key: UUID, subject: Sequence[str], items: Sequence[InsightItem]) -> dict[str, Any]:
    return {
        "department": insight.department,
        "kind": insight.kind,
        "subject_key": key,
        "subject": list(subject),
        "item": items[0].item,
        "compared_in": insight.pk,
        "ranks": [item.rank for item in items],
    }


def keep(
    model: type[Said],
    insight: Insight,
    items: Mapping[UUID, dict[str, Any]],
    *,
    says: Mapping[str, Any],
    signed: Mapping[str, Any],
) -> list[Said]:
    """Let this stand of the items in place of what stood of them; those of which it is news. Of other evidence the same
    words are another statement."""
    known = {each.subject_key: each for each in said_of(model, insight, items)}
    said = []
    for key, named in sorted(items.items()):
        earlier = known.get(key)
        already = {name: getattr(earlier, name) for name in ("item", *says)} if earlier else {}
        if already != {"item": named["item"], **says}:
            said.append(model(**named, **says, **signed))
    model._default_manager.bulk_create(
        said,
        update_conflicts=True,
        unique_fields=["department", "kind", "subject_key"],
        update_fields=["subject", "item", "compared_in", "ranks", "reopened", *says, *signed],
    )
    return said


def journal(
    said: Sequence[Statement], *, verdict: str, by: User, at: datetime, note: str = "", until: date | None = None
) -> None:
    """One entry an item; nothing said leaves no entry. Without a verdict, or without a day of a snooze, it is taken
    back."""
    ReviewEvent.objects.bulk_create(
        ReviewEvent(
            department=each.department,
            kind=each.kind,
            subject=each.subject,
            verdict=verdict,
            until=until,
            note=note,
            by=by,
            at=at,
        )
        for each in said
    )
    for each in said[:1]:
        told = verdict or "taken back"
        log.info("items_reviewed", department=each.department, kind=each.kind, verdict=told, items=len(said))
