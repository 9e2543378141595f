"""What was said of earlier items is compared with those of a new insight once, and not at each page that is read."""

from django.db import transaction

from apps.insights.models import Insight, InsightItem, Review, Snooze
from apps.insights.selectors import declared_of
from apps.insights.standing import Said, changed, items_by_key, said_in, said_of

_PIECE = 1_000


@transaction.atomic
def compare_anew(insight: Insight) -> None:
    """Nothing depends on it but how fast a page is: what is not compared here is compared when it is read."""
    _compare(Review, insight)
    _compare(Snooze, insight)


def _compare(model: type[Said], insight: Insight) -> None:
    ranked = InsightItem.objects.filter(insight=insight)
    there = said_in(model, insight).filter(subject_key__in=ranked.values("subject_key"))
    # In the one order in which such rows are locked: two that lock each other's rows would wait for ever.
    keys = list(there.order_by("subject_key").values_list("subject_key", flat=True))
    declared = declared_of(insight)
    for begin in range(0, len(keys), _PIECE):
        piece = keys[begin : begin + _PIECE]
        items = items_by_key(insight, piece)
        said = list(said_of(model, insight, piece).select_for_update())
        for each in said:
            there_now = items[each.subject_key]
            each.compared_in = insight.pk
            each.ranks = [item.rank for item in there_now]
            each.reopened = changed(each, there_now[0].item, declared=declared)
        model._default_manager.bulk_update(said, ["compared_in", "ranks", "reopened"])
