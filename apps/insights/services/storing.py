"""What a run has computed is kept, or goes with an upload that is undone."""

import platform
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import version

import pyarrow as pa
from django.db import transaction
from django.db.models import Q

from aetherflow.insight import Given, Item
from aetherflow.insight import Insight as Declared
from apps.datasets.copying import copy_in, staged
from apps.datasets.copytext import copy_text
from apps.datasets.models import Dataset
from apps.insights.comparing import Answer, headline_json, since
from apps.insights.keys import canonical, sha256_of, subject_key
from apps.insights.models import Insight, InsightItem
from apps.insights.services.comparing_anew import compare_anew

_ITEMS_A_PIECE = 5_000
# What the last digits of a number may hang on, beside the method's own code.
_LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy")
_ITEM_COLUMNS = {
    "insight_id": pa.string(),
    "rank": pa.int64(),
    "subject_key": pa.string(),
    "severity": pa.string(),
    "score": pa.float64(),
    "worth_review": pa.bool_(),
    "item": pa.string(),
}


@transaction.atomic
def replace_insights(
    *, dataset: Dataset, answers: Sequence[Answer], basis: dict[str, object], at: datetime
) -> list[Insight]:
    """Make these the insights of the dataset's run. `at` is the moment of the snapshot they were computed from."""
    # Before its own earlier ones go, which may know what is compared with no more.
    told = {answer.insight.kind: since(answer, dataset=dataset) for answer in answers}
    Insight.objects.filter(dataset=dataset).delete()
    stored = []
    for answer in answers:
        result = answer.result
        items = None if result.items is None else [canonical(item) for item in result.items]
        insight = Insight.objects.create(
            department=dataset.department,
            kind=result.kind,
            dataset=dataset,
            computed_at=at,
            method=result.method,
            version=answer.insight.version,
            parameters=dict(result.parameters),
            quality=result.quality,
            summary=result.summary,
            data=result.data,
            items_total=None if items is None else len(items),
            basis=basis | {"libraries": libraries()},
            given=_given(answer.given),
            sha256=sha256_of(result, items=items),
            headline=headline_json(result.headline),
            **told[answer.insight.kind],
        )
        if items:
            _copy_items(insight, answer, items)
            compare_anew(insight)
        stored.append(insight)
    return stored


@cache
def libraries() -> dict[str, str]:
    """The versions that are computed with here."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _given(given: Given) -> dict[str, object]:
    return {
        "settings": dict(given.settings),
        "reviews": [
            {"subject": list(each.subject), "verdict": each.verdict, "item": dict(each.item)} for each in given.reviews
        ],
    }


def _copy_items(insight: Insight, answer: Answer, spelled: list[str]) -> None:
    with staged(InsightItem._meta.db_table, _ITEM_COLUMNS, using="default") as place:
        copy_in(f"COPY {place} FROM STDIN (FORMAT text)", _pieces(insight.pk, answer, spelled), using="default")


def _pieces(insight_id: uuid.UUID, answer: Answer, spelled: list[str]) -> Iterator[bytes]:
    items = answer.result.items or ()
    for begin in range(0, len(spelled), _ITEMS_A_PIECE):
        piece = items[begin : begin + _ITEMS_A_PIECE]
        cells: list[Sequence[object]] = [
            [str(insight_id)] * len(piece),
            list(range(begin + 1, begin + 1 + len(piece))),
            [_key(answer.insight, item) for item in piece],
            [_of_kind(item.get("severity"), str) for item in piece],
            [_of_kind(item.get("score"), int, float) for item in piece],
            [_of_kind(item.get("worth_review"), bool) for item in piece],
            spelled[begin : begin + _ITEMS_A_PIECE],
        ]
        arrays = [pa.array(column, kind) for column, kind in zip(cells, _ITEM_COLUMNS.values(), strict=True)]
        yield copy_text(pa.table(arrays, names=list(_ITEM_COLUMNS)))


def _key(insight: Declared, item: Item) -> str | None:
    return str(subject_key(insight.subject_of(item))) if insight.subject else None


def _of_kind(value: object, *kinds: type) -> object:
    """The value where it is of these types, else None: a method may use a field's name for something else."""
    return value if type(value) in kinds else None


def drop_insights(*, dataset: Dataset) -> None:
    """An undone upload's insights go, and those that rest on its rows: what is shown must not hold what was undone."""
    resting = Q(dataset=dataset) | Q(basis__datasets__contains=[str(dataset.pk)])
    Insight.objects.filter(resting, department=dataset.department).delete()
    Insight.objects.filter(compared_with=dataset).update(compared_with=None, since="")
