"""What has changed of an insight since the department's upload before."""

from dataclasses import dataclass
from typing import Any

from aetherflow.insight import Given, Headline, InsightResult
from aetherflow.insight import Insight as Declared
from apps.datasets.models import Dataset
from apps.insights.models import Insight


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a department's insight came to, and what it was given beside the rows."""

    insight: Declared
    given: Given
    result: InsightResult


def headline_json(headline: Headline) -> dict[str, Any]:
    return {"figures": dict(headline.figures), "flagged": [list(subject) for subject in headline.flagged]}


def since(answer: Answer, *, dataset: Dataset) -> dict[str, Any]:
    """The fields `since` and `compared_with` of the dataset's insight; empty where there is nothing to tell.

    It is compared with the insight of the newest upload before that did not know this one's rows, by the same version
    of the method and with the same settings: what else has changed is not the upload's doing. Inside the transaction
    that stores it, under the department's lock.
    """
    now = headline_json(answer.result.headline)
    earlier = _earlier(answer, dataset=dataset)
    if earlier is not None:
        sentence = answer.insight.since(_headline(earlier.headline), _headline(now))
        return _told(sentence, earlier.dataset_id)
    # The upload before may have been computed anew since, with this one's rows: what was told then still holds, as
    # long as it was told of the same headline.
    own = Insight.objects.filter(dataset=dataset, kind=answer.insight.kind).first()
    if own is not None and own.headline == now:
        return _told(own.since, own.compared_with_id)
    return _told("", None)


def _earlier(answer: Answer, *, dataset: Dataset) -> Insight | None:
    before = Insight.objects.filter(
        department=dataset.department,
        kind=answer.insight.kind,
        dataset__number__lt=dataset.number,
        dataset__deleted_at=None,
    ).exclude(basis__datasets__contains=[str(dataset.pk)])
    newest = before.only("version", "given", "headline", "dataset_id").order_by("-dataset__number").first()
    if newest is None or newest.version != answer.insight.version:
        return None
    return newest if newest.given.get("settings") == dict(answer.given.settings) else None


def _headline(stored: dict[str, Any]) -> Headline:
    """As it comes out of the database, so that both sides of a comparison are spelled alike."""
    return Headline(
        figures=stored.get("figures", {}), flagged=[tuple(subject) for subject in stored.get("flagged", ())]
    )


def _told(sentence: str, earlier: Any) -> dict[str, Any]:
    return {"since": sentence, "compared_with_id": earlier if sentence else None}
