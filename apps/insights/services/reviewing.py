"""What people say of an item: kept for the department, and known to what is computed later."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet

from aetherflow.errors import InvalidError, NotFoundError
from apps.accounts.models import User
from apps.insights.keys import subject_key
from apps.insights.models import Insight, InsightItem, Review, ReviewEvent, Verdict
from apps.insights.selectors import subject_of

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 500


def review(
    *, insight: Insight, subject: Sequence[str], verdict: Verdict, note: str = "", by: User, at: datetime
) -> Review:
    """Keep the verdict of an item in place of the department's earlier one; said again of the same it changes nothing.

    InvalidError where the insight's items are none to be reviewed, NotFoundError where it has no such item.
    """
    (kept,) = review_all(insight=insight, subjects=[subject], verdict=verdict, note=note, by=by, at=at)
    return kept


@transaction.atomic
def review_all(
    *, insight: Insight, subjects: Sequence[Sequence[str]], verdict: Verdict, note: str = "", by: User, at: datetime
) -> list[Review]:
    """The same verdict of several items, of all or of none; errors as those of `review`. In the order given, an item
    named twice once."""
    items = _items(insight, subjects)
    known = {each.subject_key: each for each in _reviews(insight, items)}
    said = []
    for key, (subject, item) in items.items():
        earlier = known.get(key)
        # With the item: of other evidence the same words are another review.
        if earlier and (earlier.verdict, earlier.note, earlier.item) == (verdict, note, item.item):
            continue
        said.append(
            Review(
                department=insight.department,
                kind=insight.kind,
                subject_key=key,
                subject=list(subject),
                item=item.item,
                verdict=verdict,
                note=note,
                reviewed_by=by,
                reviewed_at=at,
            )
        )
    Review.objects.bulk_create(
        said,
        update_conflicts=True,
        unique_fields=["department", "kind", "subject_key"],
        update_fields=["subject", "item", "verdict", "note", "reviewed_by", "reviewed_at"],
    )
    _journal(said, verdict=verdict, by=by, at=at)
    kept = {each.subject_key: each for each in _reviews(insight, items).select_related("reviewed_by")}
    return [kept[key] for key in items]


@transaction.atomic
def take_back(kept: Review, *, by: User, at: datetime) -> None:
    """The item is open again; the journal tells what was said of it, and by whom."""
    deleted, _ = Review.objects.filter(pk=kept.pk).delete()
    if deleted:
        _journal([kept], verdict="", by=by, at=at)


@transaction.atomic
def take_back_all(*, insight: Insight, subjects: Sequence[Sequence[str]], by: User, at: datetime) -> None:
    """All these items are open again, or none; what is open already stays so. Errors as those of `review`."""
    reviews = list(_reviews(insight, _items(insight, subjects)).select_for_update())
    Review.objects.filter(pk__in=[each.pk for each in reviews]).delete()
    _journal(reviews, verdict="", by=by, at=at)


def _items(insight: Insight, subjects: Sequence[Sequence[str]]) -> dict[UUID, tuple[Sequence[str], InsightItem]]:
    """By key, in the order given, with the subject."""
    fields = subject_of(insight)
    if not fields:
        raise InvalidError(
            "This insight has no items that can be told apart from one computation to the next.",
            code="not-reviewable",
            hint="Only items of an insight with a `subject` are reviewed.",
        )
    asked = {subject_key(subject): subject for subject in subjects}
    # Of several items of one subject the worst is the one that was looked at: put in last, it stays.
    found = InsightItem.objects.filter(insight=insight, subject_key__in=asked).order_by("-rank")
    items = {item.subject_key: item for item in found}
    if missing := [list(subject) for key, subject in asked.items() if key not in items]:
        raise NotFoundError(
            f"The insight has no such item: {', '.join(missing[0])}."[:300],
            hint=f"Give in `subject` the item's values of {', '.join(fields)}, in this order.",
            details={"missing": missing},
        )
    return {key: (subject, items[key]) for key, subject in asked.items()}


def _reviews(insight: Insight, keys: Collection[UUID]) -> QuerySet[Review]:
    return Review.objects.filter(department=insight.department, kind=insight.kind, subject_key__in=keys)


def _journal(reviews: Sequence[Review], *, verdict: str, by: User, at: datetime) -> None:
    ReviewEvent.objects.bulk_create(
        ReviewEvent(
            department=each.department,
            kind=each.kind,
            subject=each.subject,
            verdict=verdict,
            note=each.note if verdict else "",
            by=by,
            at=at,
        )
        for each in reviews
    )
    for each in reviews[:1]:
        said = verdict or "taken back"
        log.info("items_reviewed", department=each.department, kind=each.kind, verdict=said, items=len(reviews))
