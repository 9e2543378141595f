"""Items that wait until a day, or until they get worse. It changes nothing of what is computed later."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from aetherflow.errors import InvalidError
from apps.accounts.models import User
from apps.insights.models import SNOOZED, Insight, Snooze
from apps.insights.services.naming import items_named, journal, keep
from apps.insights.standing import said_of

LONGEST = timedelta(days=366)


@transaction.atomic
def snooze_all(
    *, insight: Insight, subjects: Sequence[Sequence[str]], until: date, note: str = "", by: User, at: datetime
) -> list[Snooze]:
    """Let these items wait, all or none, in place of what they waited for before. In the order given, an item named
    twice once.

    InvalidError where the day is none to wait for, or the insight's items are none to be reviewed; NotFoundError where
    it has not all of them.
    """
    today = timezone.localdate(at)
    if not today < until <= today + LONGEST:
        raise InvalidError(
            f"{until} is no day to wait for.",
            code="snooze-out-of-bounds",
            hint=f"Choose a day from {today + timedelta(days=1)} to {today + LONGEST}.",
        )
    items = items_named(insight, subjects)
    says = {"until": until, "note": note}
    said = keep(Snooze, insight, items, says=says, signed={"snoozed_by": by, "snoozed_at": at})
    journal(said, verdict=SNOOZED, until=until, note=note, by=by, at=at)
    kept = {each.subject_key: each for each in said_of(Snooze, insight, items).select_related("snoozed_by")}
    return [kept[key] for key in items]


@transaction.atomic
def wake_all(*, insight: Insight, subjects: Sequence[Sequence[str]], by: User, at: datetime) -> None:
    """None of these waits any more, whoever let it wait. Errors as those of `snooze_all`."""
    end_snoozes(insight, items_named(insight, subjects), by=by, at=at)


def end_snoozes(insight: Insight, keys: Collection[UUID], *, by: User, at: datetime) -> None:
    snoozes = list(said_of(Snooze, insight, keys).select_for_update())
    Snooze.objects.filter(pk__in=[each.pk for each in snoozes]).delete()
    journal(snoozes, verdict=SNOOZED, by=by, at=at)
