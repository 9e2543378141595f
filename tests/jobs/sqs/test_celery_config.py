"""The settings of an installation, what they become in Celery, and the pins of the transport."""

import dataclasses
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from celery.worker import state
from celery.worker.request import Request
from kombu import Connection
from kombu.asynchronous.semaphore import LaxBoundedSemaphore
from kombu.transport import SQS
from moto import mock_aws

from apps.jobs.sqs import names, pins, transport
from apps.jobs.sqs.celery_config import celery_settings, install
from apps.jobs.sqs.delivery import Delivery, delivery_of
from apps.jobs.sqs.messages import EtlMessage, MlMessage
from apps.jobs.sqs.queues import provision_queues
from apps.jobs.sqs.sending import NotSent, send
from apps.jobs.sqs.settings import MAX_TIME_LIMIT_SECONDS, SqsSettings, TimeLimits
from tests.jobs.sqs.line import make_etl_payload, make_ml_payload

AWS = SqsSettings(
    region="eu-central-1", queue_url_base="https://sqs.eu-central-1.amazonaws.com/123456789012", queue_prefix="shop"
)
LOCAL = SqsSettings(
    region="us-east-1", endpoint_url="http://127.0.0.1:5557", access_key="a/b+c", secret_key="d@e", queue_prefix="shop"
)


def test_a_local_endpoint_is_spoken_to_in_clear_with_quoted_keys() -> None:
    conf = celery_settings(LOCAL)
    options = conf["broker_transport_options"]
    assert options["is_secure"] is False
    assert options["predefined_queues"]["etl"]["url"] == "http://127.0.0.1:5557/123456789012/shop-etl"
    connection = Connection(conf["broker_url"])
    assert (connection.userid, connection.password) == ("a/b+c", "d@e")
    assert (connection.hostname, connection.port) == ("127.0.0.1", 5557)


def test_aws_needs_no_endpoint_and_no_keys() -> None:
    conf = celery_settings(AWS)
    assert conf["broker_url"] == "sqs://"
    assert conf["broker_transport_options"]["is_secure"] is True
    assert conf["broker_transport_options"]["predefined_queues"]["ml"]["url"] == f"{AWS.queue_url_base}/shop-ml"


def test_the_last_failed_receive_waits_only_for_the_dlq() -> None:
    assert AWS.backoff_policy == {1: 30, 2: 120, 3: 1}
    assert dataclasses.replace(AWS, max_receives=1).backoff_policy == {1: 1}
    assert dataclasses.replace(AWS, max_receives=5).backoff_policy == {1: 30, 2: 120, 3: 120, 4: 120, 5: 1}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"queue_url_base": None}, "queue_url_base"),
        ({"endpoint_url": "http://127.0.0.1:1/path"}, "path"),
        ({"etl_time_limits": TimeLimits(soft=10, hard=MAX_TIME_LIMIT_SECONDS)}, "the etl time limit"),
        ({"ml_time_limits": TimeLimits(soft=10, hard=MAX_TIME_LIMIT_SECONDS - 179)}, "the ml time limit"),
        ({"stop_seconds": 0}, "stop_seconds"),
        ({"wait_seconds": 21}, "wait_seconds"),
        ({"visibility_seconds": 2}, "visibility_seconds"),
        ({"max_receives": 0}, "max_receives"),
        ({"backoff_seconds": ()}, "backoff_seconds"),
        ({"backoff_seconds": (-1,)}, "backoff_seconds"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_reason(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        dataclasses.replace(AWS, **changes)


@pytest.mark.parametrize(("soft", "hard"), [(0, 10), (10, 10), (11, 10), (10, MAX_TIME_LIMIT_SECONDS + 1)])
def test_time_limits_out_of_order_are_refused(soft: int, hard: int) -> None:
    with pytest.raises(ValueError, match="soft < hard"):
        TimeLimits(soft=soft, hard=hard)


@pytest.mark.parametrize(("queue", "soft", "hard"), [("etl", 3_000, 3_300), ("ml", 1_500, 1_800)])
def test_each_stage_has_its_own_limits_and_its_message_is_kept_hidden_past_them(
    queue: str, soft: int, hard: int
) -> None:
    app = Celery("t")
    app.conf.update(celery_settings(AWS))
    install(app)

    @app.task(name=names.TASK_OF_QUEUE[queue])
    def task(message: dict[str, str]) -> None: ...

    app.finalize()
    assert (task.soft_time_limit, task.time_limit) == (soft, hard)
    assert soft < hard < AWS.extension_cap(queue) == hard + 180 <= MAX_TIME_LIMIT_SECONDS


def test_a_task_without_limits_of_its_own_has_some() -> None:
    app = Celery("t")
    app.conf.update(celery_settings(AWS))
    install(app)
    app.finalize()
    refused = app.tasks[names.INVALID_TASK]
    assert 0 < refused.soft_time_limit < refused.time_limit


def test_the_installed_versions_are_the_pinned_ones() -> None:
    pins.check_pins()


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pins.PINS, "kombu", "5.6.2")
    with pytest.raises(pins.UnpinnedVersion, match=r"kombu is 5\.7\.0"):
        pins.check_pins()


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (SQS.Channel, "_envelope_payload"),
        (Request, "cancel"),
        (state, "reserved_requests"),
        (LaxBoundedSemaphore, "clear"),
    ],
    ids=["the transport's", "the stop's", "the heartbeat's", "the pool's"],
)
def test_what_is_leaned_on_and_gone_is_refused(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    assert name in pins.LEANED_ON[owner]
    monkeypatch.delattr(owner, name)
    with pytest.raises(pins.UnpinnedVersion, match=rf"\.{name}$"):
        pins.check_pins()


def test_every_override_of_the_transport_is_in_the_list_of_what_is_leaned_on() -> None:
    listed = {name for leaned in pins.LEANED_ON.values() for name in leaned}
    for ours in (transport.PollConnection, transport.QoS, transport.Channel):
        overridden = {name for name in vars(ours) if any(name in vars(base) for base in ours.__mro__[1:])}
        plain = {"__doc__", "__module__", "__init__", "QoS"}
        assert overridden - plain <= listed, ours


def test_installing_registers_the_task_of_refused_messages() -> None:
    app = Celery("t")
    app.conf.update(celery_settings(LOCAL))
    install(app)
    with pytest.raises(ValueError, match="the body is not JSON"):
        app.tasks[names.INVALID_TASK]({"raw": "x", "reason": "the body is not JSON"})


def test_a_task_called_in_process_is_a_first_attempt_without_a_message() -> None:
    request = SimpleNamespace(properties=None, headers=None)
    assert delivery_of(request) == Delivery(
        receive_count=1,
        message_id=None,
        receipt_handle=None,
        queue_url=None,
        job_id=None,
        request_id=None,
        foreign=False,
    )


@pytest.fixture
def producer() -> Iterator[Celery]:
    with mock_aws():
        app = Celery("producer")
        app.conf.update(celery_settings(dataclasses.replace(AWS, access_key="x", secret_key="x")))
        yield app
        app.close()


def sent_message(*, queue: str) -> dict[str, Any]:
    client = dataclasses.replace(AWS, access_key="x", secret_key="x").client()
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    [message] = client.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    return dict(message)


@pytest.mark.parametrize("queue", ["etl", "ml"])
def test_a_sent_message_is_readable_and_in_its_departments_group(producer: Celery, queue: str) -> None:
    provision_queues(
        dataclasses.replace(AWS, access_key="x", secret_key="x").client(),
        queues=AWS.queues,
        max_receives=3,
        visibility_seconds=90,
    )
    message = EtlMessage.parse(make_etl_payload()) if queue == "etl" else MlMessage.parse(make_ml_payload())
    task_id = send(producer, message, job_id="j", request_id="r")
    found = sent_message(queue=f"shop-{queue}")
    envelope = json.loads(found["Body"])
    arguments, kwargs, _ = json.loads(envelope["body"])
    assert (arguments, kwargs) == ([message.as_dict()], {})
    assert envelope["headers"]["id"] == task_id
    assert (envelope["headers"]["job_id"], envelope["headers"]["request_id"]) == ("j", "r")
    assert found["Attributes"]["MessageGroupId"] == "sales"


def test_a_queue_that_does_not_take_the_message_is_one_kind_of_failure(producer: Celery) -> None:
    with pytest.raises(NotSent, match="was not sent"):
        send(producer, EtlMessage.parse(make_etl_payload()), job_id="j", request_id="r")
    producer.conf.update(celery_settings(dataclasses.replace(LOCAL, endpoint_url="http://127.0.0.1:9")))
    refused = Celery("refused")
    refused.conf.update(celery_settings(dataclasses.replace(LOCAL, endpoint_url="http://127.0.0.1:9")))
    with pytest.raises(NotSent, match="was not sent"):
        send(refused, MlMessage.parse(make_ml_payload()), job_id="j", request_id="r")
