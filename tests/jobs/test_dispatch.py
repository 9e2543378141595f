"""Each department has its share of the line: a burst of one waits in the outbox, another's file finds a short queue."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.jobs import clock
from apps.jobs.models import Job, Stage, StageRun, State
from apps.jobs.services.again import undo
from apps.jobs.services.dispatch import dispatch, pass_on, relay
from apps.jobs.services.workers import beat
from apps.jobs.sqs import sending
from apps.jobs.sqs.messages import EtlMessage
from tests.accounts.factories import UserFactory
from tests.jobs.files import row, sales
from tests.jobs.line import messages_of
from tests.jobs.steps import compute, deliver
from tests.support.threads import in_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

SHARE = 3


@pytest.fixture(autouse=True)
def share(settings: Any) -> None:
    settings.DEPARTMENT_IN_FLIGHT = SHARE


def waiting() -> list[int]:
    """Files that wait in the outbox, oldest first, by their number."""
    runs = StageRun.objects.filter(stage=Stage.ETL, state=State.QUEUED, dispatched_at=None).order_by("queued_at")
    return [int(run.job.dataset.name) for run in runs.select_related("job__dataset")]


def burst(upload: Callable[..., Job], count: int) -> list[Job]:
    return [upload(sales(row(number)), name=str(number)) for number in range(count)]


def test_a_burst_fills_its_departments_share_and_the_rest_waits_in_order(upload: Callable[..., Job], sqs: Any) -> None:
    burst(upload, 6)
    assert len(messages_of(sqs, "etl")) == SHARE
    assert waiting() == [3, 4, 5]
    assert relay(at=timezone.now() + timedelta(hours=1)) == 0, "no place is free, however long they wait"


def test_another_departments_file_does_not_wait_for_the_burst(upload: Callable[..., Job], sqs: Any) -> None:
    burst(upload, 6)
    bookkeeper = UserFactory(department="finance")
    job = upload(by=bookkeeper)
    sent = [message["department"] for message, _ in messages_of(sqs, "etl")]
    assert sent == ["sales"] * SHARE + ["finance"]
    assert job.stages.get().dispatched_at is not None


def test_a_place_is_kept_until_the_insights_are_stored_and_then_given_on(upload: Callable[..., Job], sqs: Any) -> None:
    burst(upload, 5)
    (first, headers), *_ = messages_of(sqs, "etl")
    following = deliver(EtlMessage.parse(first), headers)
    assert following is not None
    pass_on("sales")
    assert waiting() == [3, 4], "its ML stage holds the place"
    compute(following.message, headers)
    pass_on("sales")
    assert waiting() == [4]
    assert len(messages_of(sqs, "etl")) == 1


def test_a_failed_run_leaves_its_place_to_others_during_its_back_off(upload: Callable[..., Job], sqs: Any) -> None:
    burst(upload, SHARE)
    upload(sales(row(9)), name="9")
    run = StageRun.objects.order_by("queued_at").first()
    assert run is not None
    StageRun.objects.filter(pk=run.pk).update(
        state=State.FAILED, error_message="x", finished_at=timezone.now(), attempts=1
    )
    pass_on("sales")
    assert waiting() == []


def test_undoing_an_upload_that_waits_in_the_queue_frees_its_place(
    upload: Callable[..., Job], sqs: Any, seller: Any
) -> None:
    first, *_ = burst(upload, SHARE + 1)
    undo(dataset=first.dataset, by=seller, at=timezone.now(), request_id="request-0002")
    assert waiting() == []


def test_more_workers_widen_the_share(upload: Callable[..., Job], sqs: Any) -> None:
    now = timezone.now()
    for name, slots in (("a", 4), ("b", 2)):
        beat(name=name, queues=["etl"], slots=slots, pid=1, started_at=now, at=now)
    gone = now - timedelta(seconds=4 * settings.WORKER_HEARTBEAT_SECONDS)
    beat(name="gone", queues=["etl"], slots=50, pid=1, started_at=gone, at=gone)
    burst(upload, 8)
    assert len(messages_of(sqs, "etl")) == 6


def test_workers_of_the_next_stage_do_not_lengthen_the_queue_of_this_one(upload: Callable[..., Job], sqs: Any) -> None:
    now = timezone.now()
    for queue, slots in (("etl", 2), ("ml", 8)):
        beat(name=queue, queues=[queue], slots=slots, pid=1, started_at=now, at=now)
    burst(upload, 6)
    assert len(messages_of(sqs, "etl")) == 3


def test_one_department_that_cannot_be_sent_does_not_stop_the_others(
    upload: Callable[..., Job], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sending.send

    def refuse(*departments: str) -> None:
        def send(app: Any, message: Any, **options: Any) -> str:
            if message.department in departments:
                raise sending.NotSent("refused")
            return real(app, message, **options)

        monkeypatch.setattr(sending, "send", send)

    refuse("finance", "sales")
    upload(by=UserFactory(department="finance"))
    burst(upload, 1)
    refuse("finance")
    with pytest.raises(sending.NotSent):
        relay(at=timezone.now())
    assert [message["department"] for message, _ in messages_of(sqs, "etl")] == ["sales"]


def test_a_send_that_takes_long_keeps_the_lease_of_what_follows(
    upload: Callable[..., Job], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes ten of the lease's fifteen seconds; somebody else dispatches in the midst of the second."""
    began = timezone.now() + timedelta(hours=1)
    passed = [timedelta()]
    monkeypatch.setattr(clock, "now", lambda: began + passed[0])
    with monkeypatch.context() as broken:
        broken.setattr(sending, "send", refused)
        burst(upload, SHARE)
    sent: list[str] = []

    def send(app: Any, message: Any, **_: Any) -> None:
        sent.append(str(message.dataset_id))
        if len(sent) == 2:
            passed[0] = timedelta(seconds=20)
            dispatch("sales", at=clock.now())
        passed[0] += timedelta(seconds=10)

    monkeypatch.setattr(sending, "send", send)
    dispatch("sales", at=clock.now())
    assert len(sent) == len(set(sent)) == SHARE


def refused(*_: Any, **__: Any) -> str:
    raise sending.NotSent("SQS is away")


def test_what_could_not_be_sent_is_sent_by_the_relay(
    upload: Callable[..., Job], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sending, "send", refused)
        burst(upload, 2)
        assert waiting() == [0, 1]
        with pytest.raises(sending.NotSent):
            relay(at=timezone.now())
    assert relay(at=timezone.now()) == 2
    assert len(messages_of(sqs, "etl")) == 2


def test_two_who_dispatch_at_once_send_each_run_once_and_no_more_than_the_share(
    upload: Callable[..., Job], sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    burst(upload, SHARE + 4)
    messages_of(sqs, "etl")
    StageRun.objects.filter(stage=Stage.ETL).exclude(dispatched_at=None).update(
        state=State.FAILED, error_message="x", finished_at=timezone.now()
    )
    sent: Counter[str] = Counter()
    together = threading.Barrier(4)
    monkeypatch.setattr(sending, "send", lambda app, message, **_: sent.update([str(message.dataset_id)]))

    def race() -> None:
        together.wait()
        try:
            dispatch("sales", at=timezone.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=in_scope(race)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent.values()) == [1] * SHARE
    assert len(waiting()) == 1
