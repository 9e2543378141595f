"""What people said of the items of an insight, as far as it holds now."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from aetherflow.insight import Insight as Declared
from apps.insights.models import SNOOZED, Insight, InsightItem, Review, Snooze, Verdict

OPEN, REOPENED = "open", "reopened"
# `reopened` are those of the open ones that are back; all others exclude each other.
STATES = (OPEN, REOPENED, SNOOZED, *Verdict.values)

Said = TypeVar("Said", Review, Snooze)


@dataclass(frozen=True, kw_only=True)
class Standing:
    status: str
    # It was settled, or waited, and is open again.
    is_back: bool
    notes: str


def said_in(model: type[Said], insight: Insight) -> QuerySet[Said]:
    """All that stands of items of the insight's kind, in its department."""
    # The manager of a model that is a type variable is none that the type checker knows.
    return model._default_manager.filter(department=insight.department, kind=insight.kind)


def said_of(model: type[Said], insight: Insight, keys: Collection[UUID]) -> QuerySet[Said]:
    """What stands of these items, in the one order in which such rows are locked."""
    return said_in(model, insight).filter(subject_key__in=keys).order_by("subject_key")


def items_by_key(insight: Insight, keys: Collection[UUID]) -> dict[UUID, list[InsightItem]]:
    """The insight's items of these subjects; of several of one the worst first, which is the one that was looked at."""
    found: dict[UUID, list[InsightItem]] = {}
    for item in InsightItem.objects.filter(insight=insight, subject_key__in=keys).order_by("rank"):
        if item.subject_key:
            found.setdefault(item.subject_key, []).append(item)
    return found


def why_back(said: Review | Snooze, item: Mapping[str, Any], *, insight: Insight, declared: Declared | None) -> str:
    """Why it holds no more of the item as it is in this insight; empty while it does."""
    if said.compared_in == insight.pk:
        return said.reopened
    return changed(said, item, declared=declared)


def changed(said: Review | Snooze, item: Mapping[str, Any], *, declared: Declared | None) -> str:
    """What of the item is another thing than it was; of one that waits also what is worse."""
    if declared is None or said.item == item:
        return ""
    told = declared.reopened(said.item, item)
    return told or (declared.worsened(said.item, item) if isinstance(said, Snooze) else "")


def over(until: date, *, at: datetime) -> str:
    """Why a snooze has ended by itself, or nothing while it runs."""
    return f"It was to wait until {until.day} {until:%B %Y}." if until <= timezone.localdate(at) else ""


def status_of(verdict: str | None, *, waits: bool) -> str:
    """`verdict` as far as it holds. What was found out counts more than that it was to wait."""
    if verdict is None or verdict == Verdict.ACKNOWLEDGED:
        return SNOOZED if waits else verdict or OPEN
    return verdict


@dataclass(frozen=True)
class _Brief:
    """A statement without the item it was made of: of thousands that is all that is read."""

    said: Any  # the verdict, or the day
    note: str
    reopened: str


def standings(insight: Insight, *, declared: Declared | None, at: datetime) -> dict[int, Standing]:
    """By rank, of the items of which something was said. Two queries where they were compared with this insight's,
    else two more for the reviews, and for the snoozes."""
    reviews = _by_rank(Review, "verdict", insight, declared)
    snoozes = _by_rank(Snooze, "until", insight, declared)
    found = {}
    for rank in reviews.keys() | snoozes.keys():
        review, snooze = reviews.get(rank), snoozes.get(rank)
        ended = (snooze.reopened or over(snooze.said, at=at)) if snooze else ""
        status = status_of(
            review.said if review and not review.reopened else None, waits=snooze is not None and not ended
        )
        found[rank] = Standing(
            status=status,
            is_back=status == OPEN and bool(ended or (review and review.reopened)),
            notes="\n".join(brief.note for brief in (review, snooze) if brief),
        )
    return found


def _by_rank(model: type[Said], what: str, insight: Insight, declared: Declared | None) -> dict[int, _Brief]:
    found: dict[int, _Brief] = {}
    elsewhere = []
    rows = said_in(model, insight).order_by().values_list("pk", "compared_in", "ranks", "reopened", "note", what)
    for pk, compared_in, ranks, reopened, note, said in rows:
        if compared_in == insight.pk:
            found.update(dict.fromkeys(ranks, _Brief(said, note, reopened)))
        else:
            elsewhere.append(pk)
    if elsewhere:
        found.update(_compared(said_in(model, insight).filter(pk__in=elsewhere), what, insight, declared))
    return found


def _compared(
    elsewhere: QuerySet[Said], what: str, insight: Insight, declared: Declared | None
) -> Iterator[tuple[int, _Brief]]:
    said = {each.subject_key: each for each in elsewhere}
    for key, items in items_by_key(insight, said).items():
        each = said[key]
        for item in items:
            yield item.rank, _Brief(getattr(each, what), each.note, changed(each, item.item, declared=declared))
