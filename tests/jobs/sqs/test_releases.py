"""During an upgrade old workers receive new messages, and new workers old ones: what releases have sent is kept in
`releases/VERSION/STAGE.json`, each the body of an SQS message.

A release that changes what is sent keeps its own beside them: `KEEP_RELEASE=0.2 pytest` of this file writes them.
Where the last test here fails, workers of the release before would refuse what this one sends: let them learn to read
it first, a release earlier.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from moto import mock_aws

from apps.jobs.sqs.celery_config import celery_settings
from apps.jobs.sqs.envelope import task_envelope
from apps.jobs.sqs.messages import MESSAGE_OF_JOB_TYPE
from apps.jobs.sqs.queues import provision_queues
from apps.jobs.sqs.sending import send
from tests.jobs.sqs.test_celery_config import AWS, sent_message

RELEASES = Path(__file__).parent / "releases"
KEPT = sorted(RELEASES.glob("*/*.json"))
OWN = dataclasses.replace(AWS, access_key="x", secret_key="x")


@pytest.fixture
def producer() -> Iterator[Celery]:
    with mock_aws():
        provision_queues(OWN.client(), queues=OWN.queues, max_receives=3, visibility_seconds=90)
        app = Celery("producer")
        app.conf.update(celery_settings(OWN))
        yield app
        app.close()


def read_by_the_worker(body: dict[str, Any]) -> dict[str, Any]:
    """The parts of an envelope that `task_envelope` looks at, each by its type: values differ from file to file."""
    (argument,), kwargs, embed = json.loads(body["body"])
    headers = body["headers"]
    links = [
        {
            "task": link["task"],
            "task_id": type(link["options"]["task_id"]).__name__,
            "headers": sorted(link["options"]["headers"]),
            "MessageGroupId": type(link["options"]["MessageGroupId"]).__name__,
        }
        for link in embed["chain"] or ()
    ]
    return {
        "content-type": body["content-type"],
        "body_encoding": body["properties"]["body_encoding"],
        "task": headers["task"],
        "headers": {
            name: type(headers.get(name)).__name__ for name in ("id", "job_id", "request_id", "eta", "expires")
        },
        "argument": {key: type(value).__name__ for key, value in argument.items()},
        "kwargs": kwargs,
        "chain": links,
    }


def test_each_release_has_both_messages() -> None:
    assert {(path.parent.name, path.stem) for path in KEPT} >= {("0.1", "etl"), ("0.1", "ml")}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_a_release_has_sent_is_worked(path: Path) -> None:
    body = json.loads(path.read_text())
    queue = path.stem
    envelope = task_envelope(json.dumps(body), queue=queue, message_id="sqs-1", departments={"sales"})
    assert envelope["headers"]["task"] == body["headers"]["task"]
    (argument,), _, embed = json.loads(envelope["body"])
    ((sent,), _, sent_embed) = json.loads(body["body"])
    assert MESSAGE_OF_JOB_TYPE[queue].parse(argument).as_dict() == sent
    assert [envelope["headers"][name] for name in ("id", "job_id", "request_id")] == [
        body["headers"][name] for name in ("id", "job_id", "request_id")
    ]
    if queue == "etl":
        assert embed["chain"][0]["options"]["task_id"] == sent_embed["chain"][0]["options"]["task_id"]


@pytest.mark.parametrize("queue", ["etl", "ml"])
def test_what_is_sent_now_the_release_before_can_read(producer: Celery, queue: str) -> None:
    newest = max(RELEASES.iterdir(), key=lambda folder: [int(part) for part in folder.name.split(".")])
    kept = json.loads((newest / f"{queue}.json").read_text())
    ((argument,), _, _) = json.loads(kept["body"])
    message = MESSAGE_OF_JOB_TYPE[queue].parse(argument)
    send(producer, message, job_id=kept["headers"]["job_id"], request_id=kept["headers"]["request_id"])
    sent = json.loads(sent_message(queue=f"shop-{queue}")["Body"])
    if version := os.environ.get("KEEP_RELEASE"):
        own = RELEASES / version
        own.mkdir(exist_ok=True)
        (own / f"{queue}.json").write_text(json.dumps(sent, indent=1) + "\n")
    assert read_by_the_worker(sent) == read_by_the_worker(kept)
