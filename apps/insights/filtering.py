"""Which items of a ranking a reader wants to see. An insight's items never change, what is said of them does: the rows
are asked for all but the state, and the states are put to them here."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform

from aetherflow.insight import Facet
from aetherflow.insight import Insight as Declared
from apps.insights.models import Insight, InsightItem
from apps.insights.standing import OPEN, REOPENED, STATES, Standing, standings

# A list to choose from; more than this nobody reads.
MOST_VALUES = 1_000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Of each collection any one, all of them together; what is empty or None narrows nothing."""

    states: Collection[str] = ()
    severities: Collection[str] = ()
    worth_review: bool | None = None
    # Worth a review, or already given one.
    focus: bool | None = None
    search: str = ""
    facets: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Found:
    """The ranks in order, and how many there would be of each state."""

    ranks: list[int]
    counts: dict[str, int]


def find(insight: Insight, wanted: Wanted, *, declared: Declared | None, at: datetime) -> Found:
    """Two queries where nothing was said of any item."""
    said = standings(insight, declared=declared, at=at)
    ranks = _ranks(insight, wanted, declared=declared, said=said)
    among = set(ranks)
    told = {rank: each for rank, each in said.items() if rank in among}
    counts = Counter(each.status for each in told.values())
    counts[OPEN] += len(ranks) - len(told)
    counts[REOPENED] = sum(each.is_back for each in told.values())
    if wanted.states:
        ranks = [rank for rank in ranks if _is_in(said.get(rank), wanted.states)]
    return Found(ranks=ranks, counts={state: counts[state] for state in STATES})


def _is_in(standing: Standing | None, states: Collection[str]) -> bool:
    if standing is None:
        return OPEN in states
    return standing.status in states or (standing.is_back and REOPENED in states)


def _ranks(insight: Insight, wanted: Wanted, *, declared: Declared | None, said: Mapping[int, Standing]) -> list[int]:
    """Of all states, in order. One row comes back, whose list is made in the database: 50,000 rows take longer."""
    items = InsightItem.objects.filter(insight=insight)
    if wanted.severities:
        items = items.filter(severity__in=wanted.severities)
    if wanted.worth_review is not None:
        items = items.filter(worth_review=wanted.worth_review)
    if wanted.focus is not None:
        in_focus = Q(worth_review=True) | Q(rank__in=list(said))
        items = items.filter(in_focus if wanted.focus else ~in_focus)
    for facet in declared.facets if declared else ():
        if values := wanted.facets.get(facet.name):
            items = items.filter(_holds(facet, values))
    if wanted.search:
        noted = [rank for rank, each in said.items() if wanted.search.casefold() in each.notes.casefold()]
        items = items.annotate(words=_words(declared)).filter(Q(words__icontains=wanted.search) | Q(rank__in=noted))
    found: list[int] | None = items.aggregate(ranks=ArrayAgg("rank"))["ranks"]
    return sorted(found or ())


def _holds(facet: Facet, values: Collection[str]) -> Q:
    held = Q()
    for value in values:
        held |= (
            Q(**{f"item__{facet.field}__contains": [{facet.each: value}]})
            if facet.each
            else Q(**{f"item__{facet.field}": value})
        )
    return held


def _words(declared: Declared | None) -> Func:
    """What names an item, and what it is narrowed by."""
    plain = [facet.field for facet in declared.facets if not facet.each] if declared else []
    fields = dict.fromkeys([*(declared.subject if declared else ()), *plain])
    texts = [KeyTextTransform(name, F("item")) for name in fields]
    return Func(Value(" "), Value(""), *texts, function="concat_ws", output_field=TextField())


def facet_values(insight: Insight, *, declared: Declared | None) -> list[dict[str, Any]]:
    """For each facet the values that the insight's items have, the commonest first, and with how many items each. A
    query a facet."""
    return [
        {"name": facet.name, "label": facet.label, **_values(insight, facet)}
        for facet in (declared.facets if declared else ())
    ]


def _values(insight: Insight, facet: Facet) -> dict[str, Any]:
    path = f'$."{facet.field}"[*]."{facet.each}"' if facet.each else f'$."{facet.field}"'
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT value #>> '{{}}', count(DISTINCT rank) FROM {InsightItem._meta.db_table},
                jsonb_path_query(item, %s::jsonpath) AS value
            WHERE insight_id = %s AND jsonb_typeof(value) <> 'null' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s
            """,  # noqa: S608  (the name of a table of ours)
            [path, insight.pk, MOST_VALUES + 1],
        )
        rows = cursor.fetchall()
    values = [{"value": value, "count": count} for value, count in rows[:MOST_VALUES]]
    return {"values": values, "more": len(rows) > MOST_VALUES}
