"""An insight is computed again to the same bytes, through the line that computed it first."""

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from aetherflow.registry import departments
from apps.insights import selectors
from apps.insights.keys import canonical
from apps.insights.models import Insight, InsightItem
from apps.jobs.models import Job, Stage, StageEvent
from apps.jobs.services import ml as ml_stage
from apps.jobs.services.transitions import IllegalMove
from tests.accounts.factories import UserFactory
from tests.insights.stored import SALES
from tests.jobs.files import row, sales
from tests.jobs.steps import compute, worked

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sales department with an insight whose ranking is worked by hand."""
    for module in (ml_stage, selectors):
        monkeypatch.setattr(module, "find_department", lambda _: SALES)


def stored(department: str) -> dict[str, tuple[str, str]]:
    """By kind: the SHA-256 that is shown, and all that it stands for, as it stands in the database."""
    out = {}
    for insight in Insight.objects.filter(department=department):
        items = list(InsightItem.objects.filter(insight=insight).order_by("rank").values_list("rank", "item"))
        what = [insight.data, items, insight.quality, insight.summary, insight.parameters, insight.given]
        out[insight.kind] = insight.sha256, canonical(what)
    return out


@pytest.mark.parametrize("department", sorted(departments()))
def test_reprocessed_from_the_clean_rows_it_is_the_same_to_the_byte(
    department: str, upload: Callable[..., Job], work: Callable[[], None]
) -> None:
    upload(by=UserFactory(department=department))
    work()
    before = stored(department)
    ids = set(Insight.objects.values_list("pk", flat=True))
    call_command("reprocess", "--from", "ml", "--department", department)
    work()
    assert stored(department) == before
    assert {len(sha256) for sha256, _ in before.values()} == {64}
    assert not ids & set(Insight.objects.values_list("pk", flat=True)), "nothing was computed again"


def test_another_row_is_another_answer(upload: Callable[..., Job], work: Callable[[], None], listing: None) -> None:
    upload(sales(row(1), row(2, sku="SKU-2")))
    work()
    ((sha256, _),) = stored("sales").values()
    newer = upload(sales(row(1, quantity="9")))
    work()
    insight = Insight.objects.get(dataset=newer.dataset)
    assert insight.sha256 != sha256
    assert insight.basis["rows"] == 2
    assert sorted(insight.basis["rows_of"].values()) == [1, 2]
    assert insight.basis["libraries"]["numpy"] == np.__version__


def test_reprocessing_all_tells_the_same_of_the_newest(
    upload: Callable[..., Job], work: Callable[[], None], listing: None
) -> None:
    older = upload(sales(row(1)))
    work()
    newer = upload(sales(row(2, sku="SKU-2")))
    work()
    before = Insight.objects.get(dataset=newer.dataset)
    assert (before.since, before.compared_with_id) == ("1 newly listed", older.dataset_id)
    call_command("reprocess", "--from", "ml")
    work()
    after = Insight.objects.get(dataset=newer.dataset)
    assert (after.since, after.compared_with_id) == (before.since, before.compared_with_id)


def test_of_two_that_compute_side_by_side_one_is_stored(
    upload: Callable[..., Job], sqs: Any, listing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message comes again while its first worker is still at it, which then ends too late."""
    upload(sales(row(1), row(2, sku="SKU-2")))
    message, headers = worked(sqs)
    message_id = str(uuid.uuid4())
    computed = ml_stage._computed
    overtaking: list[dict[str, tuple[str, str]]] = []

    def overtaken(*arguments: Any, **options: Any) -> Any:
        found = computed(*arguments, **options)
        if not overtaking:
            overtaking.append({})
            compute(message, headers, message_id=message_id, receive_count=2)
            overtaking[0] = stored("sales")
        return found

    monkeypatch.setattr(ml_stage, "_computed", overtaken)
    with pytest.raises(IllegalMove):
        compute(message, headers, message_id=message_id)
    assert Insight.objects.count() == 1
    assert stored("sales") == overtaking[0]
    assert InsightItem.objects.count() == 2
    ended = StageEvent.objects.filter(run__stage=Stage.ML, target="succeeded")
    assert ended.count() == 1
