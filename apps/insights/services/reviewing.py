"""What people say of an item: kept for the department, and known to what is computed later."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from aetherflow.errors import InvalidError, NotFoundError
from apps.accounts.models import User
from apps.insights.keys import subject_key
from apps.insights.models import Insight, InsightItem, Review, ReviewEvent, Verdict
from apps.insights.selectors import subject_of

log = structlog.get_logger(__name__)


@transaction.atomic
def review(
    *, insight: Insight, subject: Sequence[str], verdict: Verdict, note: str = "", by: User, at: datetime
) -> Review:
    """Keep the verdict of an item in place of the department's earlier one; said again it changes nothing.

    InvalidError where the insight's items are none to be reviewed, NotFoundError where it has no such item.
    """
    fields = subject_of(insight)
    if not fields:
        raise InvalidError(
            "This insight has no items that can be told apart from one computation to the next.",
            code="not-reviewable",
            hint="Only items of an insight with a `subject` are reviewed.",
        )
    key = subject_key(subject)
    item = InsightItem.objects.filter(insight=insight, subject_key=key).order_by("rank").first()
    if item is None:
        raise NotFoundError(
            "The insight has no such item.",
            hint=f"Give in `subject` the item's values of {', '.join(fields)}, in this order.",
        )
    named: dict[str, Any] = {"department": insight.department, "kind": insight.kind, "subject_key": key}
    said = {"subject": list(subject), "verdict": verdict, "note": note}
    if (same := Review.objects.filter(**named, **said).first()) is not None:
        return same
    kept, _ = Review.objects.update_or_create(
        **named, defaults={**said, "item": item.item, "reviewed_by": by, "reviewed_at": at}
    )
    _journal(kept, verdict=verdict, by=by, at=at)
    return kept


@transaction.atomic
def take_back(kept: Review, *, by: User, at: datetime) -> None:
    """The item is open again; the journal tells what was said of it, and by whom."""
    deleted, _ = Review.objects.filter(pk=kept.pk).delete()
    if deleted:
        _journal(kept, verdict="", by=by, at=at)


def _journal(kept: Review, *, verdict: str, by: User, at: datetime) -> None:
    ReviewEvent.objects.create(
        department=kept.department,
        kind=kept.kind,
        subject=kept.subject,
        verdict=verdict,
        note=kept.note if verdict else "",
        by=by,
        at=at,
    )
    log.info("item_reviewed", department=kept.department, kind=kept.kind, verdict=verdict or "taken back")
