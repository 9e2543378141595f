"""The machine's queue does what moto's SQS does: the same calls, the same receives, visibility and dead letters."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.sqs import models as moto_sqs

from tests.jobs.machine.queue_model import QueueModel
from tests.support.aws import provisioned

VISIBILITY_SECONDS = 30
MAX_RECEIVES = 2
_PICK = st.integers(0, 5)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.none()),
        st.tuples(st.just("receive"), st.none()),
        st.tuples(st.just("delete"), _PICK),
        st.tuples(st.just("hide"), st.tuples(_PICK, st.sampled_from([0, 10, 60]))),
        st.tuples(st.just("wait"), st.sampled_from([5, 29, 31])),
    ),
    max_size=20,
)


class Pair:
    """One model and one queue of moto's, told the same at the same time; messages go by the number of their send."""

    def __init__(self, client: Any, *, now: "Time") -> None:
        self.client, self.now = client, now
        self.model = QueueModel(visibility_seconds=VISIBILITY_SECONDS, max_receives=MAX_RECEIVES)
        name = f"queue-{uuid.uuid4()}"
        self.dead_url = client.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
        dead = client.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]
        redrive = {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": MAX_RECEIVES}
        attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS), "RedrivePolicy": json.dumps(redrive)}
        self.url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.ids: list[str] = []
        self.handles: dict[int, str] = {}

    def send(self, _: None) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody=str(len(self.ids)))
        self.ids.append(self.model.send(len(self.ids), at=self.now.at))

    def receive(self, _: None) -> None:
        """All there is: which of several comes first is SQS's affair."""
        answer = self.client.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )
        theirs = {}
        for each in answer.get("Messages", []):
            number = int(each["Body"])
            theirs[number] = int(each["Attributes"]["ApproximateReceiveCount"])
            self.handles[number] = each["ReceiptHandle"]
        visible = [message.id for message in self.model.visible(at=self.now.at)]
        received = [self.model.receive(message_id, at=self.now.at) for message_id in visible]
        assert theirs == {message.body: message.receives for message in received if message}

    def delete(self, pick: int) -> None:
        if number := self._in_flight(pick):
            self.client.delete_message(QueueUrl=self.url, ReceiptHandle=self.handles[number - 1])
            self.model.delete(self.ids[number - 1])

    def hide(self, step: tuple[int, int]) -> None:
        pick, seconds = step
        if number := self._in_flight(pick):
            self.client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=self.handles[number - 1], VisibilityTimeout=seconds
            )
            self.model.hide(self.ids[number - 1], seconds=seconds, at=self.now.at)

    def wait(self, seconds: float) -> None:
        self.now.at += timedelta(seconds=seconds)

    def compare(self) -> None:
        at = self.now.at
        model = len(self.model.visible(at=at)), len(self.model.in_flight(at=at))
        assert self._counts(self.url) == model
        assert sum(self._counts(self.dead_url)) == len(self.model.dead_letters)

    def _counts(self, url: str) -> tuple[int, int]:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def _in_flight(self, pick: int) -> int | None:
        """The number, from 1, of a message that is being worked."""
        numbers = sorted(message.body + 1 for message in self.model.in_flight(at=self.now.at))
        return numbers[pick % len(numbers)] if numbers else None


class Time:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 2, 8, tzinfo=UTC)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(moto_sqs, "unix_time", lambda: time.at.timestamp())  # noqa: PLW0108
    monkeypatch.setattr(moto_sqs, "unix_time_millis", lambda: time.at.timestamp() * 1000)
    return time


@pytest.fixture
def client() -> Iterator[Any]:
    with provisioned() as client:
        yield client


@settings(max_examples=25, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(steps=_STEPS)
def test_the_model_and_moto_answer_the_same_calls_alike(client: Any, now: Time, steps: list[tuple[str, Any]]) -> None:
    pair = Pair(client, now=now)
    for name, argument in steps:
        getattr(pair, name)(argument)
        # Of two things in one millisecond nobody can say which was first.
        pair.wait(0.001)
        pair.compare()


def test_a_message_that_is_never_deleted_comes_as_often_as_allowed_and_is_then_a_dead_letter(now: Time) -> None:
    queue = QueueModel(visibility_seconds=VISIBILITY_SECONDS, max_receives=MAX_RECEIVES)
    sent = queue.send("body", at=now.at)
    for count in (1, 2):
        received = queue.receive(sent, at=now.at)
        assert received is not None
        assert received.receives == count
        assert not queue.visible(at=now.at)
        now.at += timedelta(seconds=VISIBILITY_SECONDS)
    assert queue.receive(sent, at=now.at) is None
    assert [letter.body for letter in queue.dead_letters] == ["body"]
