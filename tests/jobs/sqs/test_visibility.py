"""The heartbeat against an SQS in process: who is extended, who no longer."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from apps.jobs.sqs.client import sqs_client
from apps.jobs.sqs.transport import QoS
from apps.jobs.sqs.visibility import SETTLING, Heartbeat, Held, settle


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield sqs_client(region="eu-central-1", access_key="testing", secret_key="testing")


@pytest.fixture
def url(client: Any) -> str:
    return str(client.create_queue(QueueName="q")["QueueUrl"])


def receive(client: Any, url: str, *, count: int = 1) -> list[Held]:
    """Messages whose visibility timeout has passed: everybody sees them again unless a beat extends them."""
    held = []
    for _ in range(count):
        client.send_message(QueueUrl=url, MessageBody="work")
        [message] = client.receive_message(QueueUrl=url, VisibilityTimeout=60)["Messages"]
        held.append(Held(url, message["ReceiptHandle"], message["MessageId"], {}))
    for message in held:
        client.change_message_visibility(QueueUrl=url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=0)
    return held


def visible(client: Any, url: str) -> int:
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def test_all_held_messages_are_hidden_in_batches_sqs_accepts(client: Any, url: str) -> None:
    held = receive(client, url, count=12)
    assert visible(client, url) == 12
    Heartbeat(client=client, extend_seconds=60, caps={url: 100}).beat(held)
    assert visible(client, url) == 0


def test_a_message_that_was_settled_is_left_alone(client: Any, url: str) -> None:
    [held] = receive(client, url)
    settle(held.delivery_info)
    Heartbeat(client=client, extend_seconds=60, caps={url: 100}).beat([held])
    assert visible(client, url) == 1


def test_a_beat_that_meets_a_failing_task_cannot_undo_its_back_off(client: Any, url: str) -> None:
    """The task fails while the beat waits for its turn: the mark it sets is seen before SQS is asked."""
    [held] = receive(client, url)
    with SETTLING:
        beat = threading.Thread(
            target=Heartbeat(client=client, extend_seconds=60, caps={url: 100}).beat, args=([held],)
        )
        beat.start()
        settle(held.delivery_info)
    beat.join(timeout=10)
    assert visible(client, url) == 1


def test_a_message_is_extended_up_to_its_own_queues_cap(
    client: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    longer = str(client.create_queue(QueueName="longer")["QueueUrl"])
    held = receive(client, url) + receive(client, longer)
    now = 0.0
    heartbeat = Heartbeat(client=client, extend_seconds=0, caps={url: 100, longer: 200}, clock=lambda: now)
    heartbeat.beat(held)
    now = 100.0
    heartbeat.beat(held)
    assert "held longer" not in caplog.text
    now = 101.0
    heartbeat.beat(held)
    heartbeat.beat(held)
    assert caplog.text.count("held longer") == 1, "of the first queue's, once"
    now = 201.0
    heartbeat.beat(held)
    assert caplog.text.count("held longer") == 2


def test_a_handle_sqs_no_longer_knows_is_reported_once(client: Any, url: str, caplog: pytest.LogCaptureFixture) -> None:
    good, stale = receive(client, url, count=2)
    stale = Held(url, "no-such-handle", stale.message_id, {})
    heartbeat = Heartbeat(client=client, extend_seconds=60, caps={url: 100})
    heartbeat.beat([stale, good])
    heartbeat.beat([stale, good])
    assert caplog.text.count(f"message {stale.message_id} may be delivered a second time") == 1
    assert visible(client, url) == 1, "the good one is still extended"


def test_a_lost_message_is_not_shown_by_the_worker_that_lost_it(client: Any, url: str) -> None:
    """Its back-off would shorten what hides the message from the others while another worker has it."""
    [held] = receive(client, url)
    client.change_message_visibility(QueueUrl=url, ReceiptHandle=held.receipt_handle, VisibilityTimeout=60)
    info = held.delivery_info | {"sqs_message": {"ReceiptHandle": held.receipt_handle}, "sqs_queue": url}
    info["routing_key"] = "etl"
    lost = Held(url, "no-such-handle", held.message_id, info)
    qos = QoS(SimpleNamespace(sqs=lambda queue: client, do_restore=False))
    Heartbeat(client=client, extend_seconds=60, caps={url: 100}).beat([lost])
    qos.show(info)
    assert visible(client, url) == 0
    info.pop("lost")
    qos.show(info)
    assert visible(client, url) == 1, "one that is held is shown"


def test_a_beat_that_fails_is_logged_and_the_next_one_works(
    client: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    [held] = receive(client, url)
    heartbeat = Heartbeat(client=client, extend_seconds=60, caps={url: 100})
    with Stubber(client) as stub:  # AWS's own bad minute
        stub.add_client_error("change_message_visibility_batch", "ServiceUnavailable", http_status_code=503)
        heartbeat.beat([held])
    assert "was not extended" in caplog.text
    heartbeat.beat([held])
    assert visible(client, url) == 0


def test_an_endpoint_that_is_gone_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    client = sqs_client(
        region="eu-central-1", endpoint_url="http://127.0.0.1:9", access_key="x", secret_key="x", attempts=1
    )
    with pytest.raises(EndpointConnectionError):
        client.list_queues()
    gone = "http://127.0.0.1:9/1/q"
    Heartbeat(client=client, extend_seconds=60, caps={gone: 100}).beat([Held(gone, "handle", "id", {})])
    assert "was not extended" in caplog.text
