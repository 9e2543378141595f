"""What people say of an item: kept for the department, and known to what is computed later."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.accounts.models import User
from apps.insights.models import Insight, Review, Verdict
from apps.insights.services.naming import items_named, journal, keep
from apps.insights.services.snoozing import end_snoozes
from apps.insights.standing import said_of


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
    items = items_named(insight, subjects)
    says = {"verdict": verdict, "note": note}
    said = keep(Review, insight, items, says=says, signed={"reviewed_by": by, "reviewed_at": at})
    journal(said, verdict=verdict, note=note, by=by, at=at)
    # Who says something of an item waits no more for it.
    end_snoozes(insight, items, by=by, at=at)
    kept = {each.subject_key: each for each in said_of(Review, insight, items).select_related("reviewed_by")}
    return [kept[key] for key in items]


@transaction.atomic
def take_back(kept: Review, *, by: User, at: datetime) -> None:
    """The item is open again; the journal tells what was said of it, and by whom."""
    deleted, _ = Review.objects.filter(pk=kept.pk).delete()
    if deleted:
        journal([kept], verdict="", by=by, at=at)


@transaction.atomic
def take_back_all(*, insight: Insight, subjects: Sequence[Sequence[str]], by: User, at: datetime) -> None:
    """All these items are open again, or none, those that wait too; what is open already stays so. Errors as those of
    `review`."""
    items = items_named(insight, subjects)
    reviews = list(said_of(Review, insight, items).select_for_update())
    Review.objects.filter(pk__in=[each.pk for each in reviews]).delete()
    journal(reviews, verdict="", by=by, at=at)
    end_snoozes(insight, items, by=by, at=at)
