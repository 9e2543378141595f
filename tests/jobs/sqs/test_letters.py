"""Dead letters received, given back, moved, deleted and purged, on both endpoints."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aetherflow.errors import UnavailableError
from apps.jobs.sqs.client import sqs_client
from apps.jobs.sqs.letters import LetterBox, NotOurs, RawLetter
from apps.jobs.sqs.queues import QueueNames
from config.local.home import free_port
from tests.endpoints.faulty_proxy import DENIED, UNAVAILABLE, FaultyProxy
from tests.endpoints.moving_proxy import MovingProxy
from tests.jobs.sqs.line import Endpoint, Line, eventually

MANY = 23  # more than SQS gives in two receives


@pytest.fixture
def line(new_line: Callable[..., Line]) -> Line:
    made = new_line()
    made.provision()
    return made


@pytest.fixture
def box(line: Line) -> LetterBox:
    return LetterBox(line.client, line.queues.etl)


def put(line: Line, *bodies: str, **options: Any) -> list[str]:
    """Messages straight into the DLQ; their ids."""
    url = line.url(line.queues.etl.dead_letter_name)
    return [line.client.send_message(QueueUrl=url, MessageBody=body, **options)["MessageId"] for body in bodies]


def lying(line: Line, name: str) -> list[dict[str, Any]]:
    """What anybody could receive of a queue now; it stays hidden from others for a while."""
    found: list[dict[str, Any]] = []
    while received := line.client.receive_message(
        QueueUrl=line.url(name),
        MaxNumberOfMessages=10,
        VisibilityTimeout=30,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    ).get("Messages"):
        found += received
    return found


def for_each(box: LetterBox, act: Callable[[RawLetter], object]) -> None:
    with box.hold(seconds=30) as held:
        for letter in held:
            act(letter)


def test_every_letter_is_seen_once_and_given_back(line: Line, box: LetterBox) -> None:
    ids = put(line, *(f"letter {n}" for n in range(MANY)))
    for _ in range(2):
        with box.hold(seconds=30) as held:
            letters = list(held)
        assert sorted(letter.message_id for letter in letters) == sorted(ids)
        assert {letter.body for letter in letters} == {f"letter {n}" for n in range(MANY)}
    assert len(lying(line, box.queue.dead_letter_name)) == MANY


def test_a_look_takes_no_more_than_it_wants(line: Line, box: LetterBox) -> None:
    put(line, *(f"letter {n}" for n in range(MANY)))
    with box.hold(seconds=30, at_most=12) as held:
        assert len(list(held)) == 12
        assert box.counts().in_flight == 12
    assert box.counts().visible == MANY


def test_who_has_little_time_asks_again_until_it_is_over_and_gives_back_what_was_read(
    line: Line, box: LetterBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(line, *(f"letter {n}" for n in range(MANY)))
    receive, asked = box.receive, []

    def of_a_part(*, seconds: int, number: int, wait: bool = True) -> list[RawLetter]:
        """As SQS, whose servers are not all asked by a receive that does not wait: every second one finds nothing."""
        asked.append(wait)
        return receive(seconds=seconds, number=number, wait=wait) if len(asked) % 2 else []

    monkeypatch.setattr(box, "receive", of_a_part)
    with box.hold(seconds=30, expected=MANY, until=time.monotonic() + 60) as held:
        assert len(list(held)) == MANY
    assert not any(asked), "a receive that waits takes a second"
    began = time.monotonic()
    with box.hold(seconds=30, expected=MANY + 1, until=began + 0.5) as held:
        list(held)
    assert time.monotonic() - began < 15, "one more was counted, and never comes"
    with box.hold(seconds=30, expected=MANY, until=time.monotonic()) as held:
        assert list(held) == []
    assert box.counts().visible == MANY


def test_no_receive_begins_that_would_not_end_in_time(
    line: Line, box: LetterBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(line, *(f"letter {n}" for n in range(MANY)))
    receive, asked = box.receive, []

    def slow(*, seconds: int, number: int, wait: bool = True) -> list[RawLetter]:
        asked.append(number)
        time.sleep(0.6)
        return receive(seconds=seconds, number=number, wait=wait)

    monkeypatch.setattr(box, "receive", slow)
    with box.hold(seconds=30, expected=MANY, until=time.monotonic() + 1) as held:
        assert list(held), "what was read until then"
    assert len(asked) == 1


def test_two_looks_at_once_share_the_letters_and_lose_none(line: Line, box: LetterBox) -> None:
    put(line, *(f"letter {n}" for n in range(MANY)))
    with box.hold(seconds=30, at_most=5) as one, box.hold(seconds=30) as other:
        seen = [letter.message_id for letter in [*one, *other]]
    assert len(set(seen)) == len(seen) == MANY
    assert len(lying(line, box.queue.dead_letter_name)) == MANY


def test_an_error_in_between_gives_everything_back(line: Line, box: LetterBox) -> None:
    put(line, "one", "two")
    with pytest.raises(ValueError, match="one"):
        for_each(box, lambda letter: int(letter.body))
    assert box.counts().visible == 2


def test_whoever_dies_keeps_the_letters_for_seconds_only(line: Line, box: LetterBox) -> None:
    put(line, "one")
    assert len(box.receive(seconds=2, number=10)) == 1
    eventually(lambda: lying(line, box.queue.dead_letter_name), within=10, what="it is there again")


def test_a_letter_is_sent_on_as_it_came(line: Line, box: LetterBox) -> None:
    body = "größer als ☃ {"
    put(line, body, MessageGroupId="finance", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})
    with box.hold(seconds=30) as held:
        for letter in held:
            held.send_on(letter, group="sales")
            held.delete(letter)
    (copy,) = lying(line, box.queue.name)
    assert (copy["Body"], copy["Attributes"]["MessageGroupId"]) == (body, "finance")
    assert copy["MessageAttributes"]["k"]["StringValue"] == "v"
    assert copy["Attributes"]["ApproximateReceiveCount"] == "1", "its attempts begin anew"
    assert box.counts().total == 0


def test_a_letter_without_a_group_is_sent_into_the_given_one(line: Line, box: LetterBox) -> None:
    put(line, "plain")
    with box.hold(seconds=30) as held:
        for letter in held:
            held.send_on(letter, group="sales")
    (copy,) = lying(line, box.queue.name)
    assert copy["Attributes"]["MessageGroupId"] == "sales"
    assert box.counts().visible == 1, "sent on and not deleted: there are two"


def test_a_letter_that_was_held_for_too_long_is_not_ours_to_delete(line: Line, box: LetterBox) -> None:
    """Where the endpoint tells: ministack refuses the old handle, moto takes it."""
    put(line, "one")
    (late,) = box.receive(seconds=1, number=1)
    eventually(lambda: lying(line, box.queue.dead_letter_name), within=10, what="somebody else has it")
    try:
        box.delete(late)
    except NotOurs:
        assert box.counts().total == 1


def test_a_purge_empties_and_a_second_one_is_said(line: Line, box: LetterBox, endpoint: Endpoint) -> None:
    put(line, "one", "two")
    assert box.purge()
    assert box.counts().total == 0
    assert box.purge() == bool(endpoint.ministack), "moto, as Amazon, takes one a minute"


def test_local_endpoints_have_no_move_tasks(box: LetterBox) -> None:
    assert box.is_moving() is None


# --- An endpoint that has them ---


@pytest.fixture
def moving(line: Line, endpoint: Endpoint) -> Iterator[MovingProxy]:
    proxy = MovingProxy(endpoint.url, client=endpoint.client())
    yield proxy
    proxy.close()


def boxed(line: Line, url: str) -> LetterBox:
    client = sqs_client(region="us-east-1", endpoint_url=url, access_key="testing", secret_key="testing", attempts=1)
    return LetterBox(client, line.queues.etl)


def test_where_there_are_move_tasks_one_moves_everything(line: Line, moving: MovingProxy) -> None:
    box = boxed(line, moving.url)
    put(line, "one", "two")
    assert box.is_moving() is False
    moving.hold()
    assert box.start_move_task()
    assert box.is_moving() is True
    assert not box.start_move_task(), "Amazon has one a queue"
    moving.release()
    eventually(lambda: box.is_moving() is False, within=10, what="the task ends")
    assert {message["Body"] for message in lying(line, box.queue.name)} == {"one", "two"}
    assert box.counts().total == 0


def test_an_order_that_sqs_does_not_take_is_an_error(line: Line, moving: MovingProxy) -> None:
    box = boxed(line, moving.url)
    with moving.during(UNAVAILABLE, "StartMessageMoveTask"), pytest.raises(UnavailableError):
        box.start_move_task()


def test_whoever_may_not_ask_for_them_moves_without(line: Line, moving: MovingProxy) -> None:
    with moving.during(DENIED, "ListMessageMoveTasks"):
        assert boxed(line, moving.url).is_moving() is None


# --- SQS away ---


def test_an_endpoint_that_is_away_is_one_error(line: Line) -> None:
    with pytest.raises(UnavailableError) as away:
        boxed(line, f"http://127.0.0.1:{free_port()}")
    assert away.value.code == "queues-unavailable"
    assert "127.0.0.1" not in away.value.message
    assert away.value.hint


def test_a_queue_that_is_missing_is_named(line: Line) -> None:
    with pytest.raises(UnavailableError, match="nobody-etl does not exist") as missing:
        LetterBox(line.client, QueueNames("nobody").etl)
    assert "provision" in missing.value.hint


@pytest.mark.parametrize("action", ["ReceiveMessage", "SendMessage", "DeleteMessage", "PurgeQueue"])
def test_each_call_that_fails_says_so_and_loses_nothing(line: Line, endpoint: Endpoint, action: str) -> None:
    proxy = FaultyProxy(endpoint.url)
    put(line, "one")
    box = boxed(line, proxy.url)

    def everything(letter: RawLetter) -> None:
        box.send_on(letter)
        box.delete(letter)
        box.purge()

    with proxy.during(UNAVAILABLE, action), pytest.raises(UnavailableError):
        for_each(box, everything)
    proxy.close()
    if action != "PurgeQueue":
        assert box_of(line).counts().visible == 1


def box_of(line: Line) -> LetterBox:
    return LetterBox(line.client, line.queues.etl)


def test_letters_that_cannot_be_given_back_come_back_by_themselves(line: Line, endpoint: Endpoint) -> None:
    proxy = FaultyProxy(endpoint.url)
    put(line, "one")
    with proxy.during(UNAVAILABLE, "ChangeMessageVisibilityBatch"), boxed(line, proxy.url).hold(seconds=2) as held:
        assert len(list(held)) == 1
    proxy.close()
    eventually(lambda: lying(line, line.queues.etl.dead_letter_name), within=10, what="it is there again")
