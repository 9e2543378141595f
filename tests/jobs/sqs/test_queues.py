"""Making, repairing, demanding and counting the queues, on both endpoints."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from apps.jobs.sqs.queues import (
    DEAD_LETTER_RETENTION_SECONDS,
    SOURCE_RETENTION_SECONDS,
    Provisioned,
    QueueNames,
    QueueNotReady,
    provision_queues,
    queue_stats,
    require_redrive_policy,
)
from tests.jobs.sqs.line import Endpoint

QUEUES = QueueNames("shop")


@pytest.fixture
def client(endpoint: Endpoint) -> Any:
    """On an endpoint without any of the shop's queues."""
    client = endpoint.client()
    for url in client.list_queues(QueueNamePrefix=QUEUES.prefix).get("QueueUrls", ()):
        client.delete_queue(QueueUrl=url)
    return client


def provision(client: Any, *, max_receives: int = 3) -> dict[str, Provisioned]:
    done = provision_queues(client, queues=QUEUES, max_receives=max_receives, visibility_seconds=60)
    return {queue.name: queue for queue in done}


def attributes(client: Any, name: str) -> dict[str, str]:
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    found: dict[str, str] = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def test_provisioning_makes_four_queues_bound_to_each_other(client: Any) -> None:
    done = provision(client)
    assert set(done) == {"shop-etl", "shop-etl-dlq", "shop-ml", "shop-ml-dlq"}
    assert all(queue.created and not queue.changed for queue in done.values())
    source, dead = attributes(client, "shop-etl"), attributes(client, "shop-etl-dlq")
    assert json.loads(source["RedrivePolicy"]) == {
        "deadLetterTargetArn": dead["QueueArn"],
        "maxReceiveCount": 3,
    }
    assert source["VisibilityTimeout"] == "60"
    assert int(source["MessageRetentionPeriod"]) == SOURCE_RETENTION_SECONDS
    assert int(dead["MessageRetentionPeriod"]) == DEAD_LETTER_RETENTION_SECONDS > SOURCE_RETENTION_SECONDS


def test_a_dlq_takes_letters_from_its_own_source_only(client: Any) -> None:
    """Seen at the call: moto does not keep this attribute."""
    calls: list[dict[str, Any]] = []
    client.meta.events.register(
        "provide-client-params.sqs.SetQueueAttributes", lambda params, **_: calls.append(params)
    )
    provision(client)
    allowed = {
        call["QueueUrl"].rpartition("/")[2]: json.loads(call["Attributes"]["RedriveAllowPolicy"]) for call in calls
    }
    assert allowed == {
        f"{source}-dlq": {
            "redrivePermission": "byQueue",
            "sourceQueueArns": [attributes(client, source)["QueueArn"]],
        }
        for source in ("shop-etl", "shop-ml")
    }


@pytest.mark.parametrize("code", ["InvalidAttributeName", "com.amazonaws.sqs#InvalidAttributeName"])
def test_an_endpoint_that_refuses_what_it_does_not_know_is_provisioned_without(client: Any, code: str) -> None:
    def refuse(params: dict[str, Any], **_: Any) -> None:
        if "RedriveAllowPolicy" in params["Attributes"]:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "SetQueueAttributes")

    client.meta.events.register("provide-client-params.sqs.SetQueueAttributes", refuse)
    assert all(queue.created for queue in provision(client).values())
    require_redrive_policy(client, queue=QUEUES.etl, max_receives=3)


def test_another_refusal_is_not_hidden(client: Any) -> None:
    def refuse(params: dict[str, Any], **_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "SetQueueAttributes")

    client.meta.events.register("provide-client-params.sqs.SetQueueAttributes", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        provision(client)


def test_provisioning_twice_changes_nothing(client: Any) -> None:
    provision(client)
    assert not any(queue.created or queue.changed for queue in provision(client).values())


def test_provisioning_sets_right_what_somebody_changed(client: Any) -> None:
    provision(client)
    url = client.get_queue_url(QueueName="shop-ml")["QueueUrl"]
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    done = provision(client, max_receives=5)
    assert done["shop-ml"].changed == ("VisibilityTimeout", "RedrivePolicy")
    assert done["shop-etl"].changed == ("RedrivePolicy",)
    assert done["shop-etl-dlq"].changed == ()
    assert json.loads(attributes(client, "shop-ml")["RedrivePolicy"])["maxReceiveCount"] == 5


def refusal(client: Any, *, max_receives: int = 3) -> QueueNotReady:
    with pytest.raises(QueueNotReady) as caught:
        require_redrive_policy(client, queue=QUEUES.etl, max_receives=max_receives)
    assert "manage.py provision" in caught.value.hint
    assert "shop-etl" in caught.value.message
    return caught.value


def test_a_provisioned_queue_is_fit_for_workers(client: Any) -> None:
    provision(client)
    require_redrive_policy(client, queue=QUEUES.etl, max_receives=3)


def test_a_missing_queue_is_refused(client: Any) -> None:
    assert refusal(client).code == "queue-missing"


def test_a_queue_without_a_redrive_policy_is_refused(client: Any) -> None:
    client.create_queue(QueueName="shop-etl")
    assert refusal(client).code == "redrive-policy-missing"


def test_a_queue_whose_dead_letters_go_elsewhere_is_refused(client: Any) -> None:
    provision(client)
    elsewhere = attributes(client, "shop-ml-dlq")["QueueArn"]
    client.set_queue_attributes(
        QueueUrl=client.get_queue_url(QueueName="shop-ml-dlq")["QueueUrl"],
        Attributes={"RedriveAllowPolicy": json.dumps({"redrivePermission": "allowAll"})},
    )
    client.set_queue_attributes(
        QueueUrl=client.get_queue_url(QueueName="shop-etl")["QueueUrl"],
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": elsewhere, "maxReceiveCount": 3})},
    )
    assert refusal(client).code == "dead-letter-queue-missing"


def test_a_queue_whose_dlq_was_deleted_is_refused(client: Any) -> None:
    provision(client)
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName="shop-etl-dlq")["QueueUrl"])
    assert refusal(client).code == "dead-letter-queue-missing"


def test_a_queue_that_counts_other_attempts_than_the_worker_is_refused(client: Any) -> None:
    provision(client, max_receives=5)
    found = refusal(client)
    assert found.code == "redrive-policy-differs"
    assert "after 5 receives" in found.message


def test_stats_count_what_waits_and_what_is_worked(client: Any) -> None:
    provision(client)
    url = client.get_queue_url(QueueName="shop-etl")["QueueUrl"]
    for body in ("one", "two", "three"):
        client.send_message(QueueUrl=url, MessageBody=body)
    client.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=60)
    client.receive_message(QueueUrl=url, MaxNumberOfMessages=1)
    stats = {queue.name: queue for queue in queue_stats(client, queues=QUEUES)}
    assert set(stats) == {"shop-etl", "shop-etl-dlq", "shop-ml", "shop-ml-dlq"}
    etl = stats["shop-etl"]
    assert (etl.visible, etl.in_flight, etl.delayed) == (2, 1, 1)


def test_stats_of_a_missing_queue_say_which(client: Any) -> None:
    with pytest.raises(QueueNotReady, match="shop-etl"):
        queue_stats(client, queues=QUEUES)
