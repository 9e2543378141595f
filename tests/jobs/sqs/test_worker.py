"""Real workers on both queues, and everything that may arrive: what is worked, what becomes a dead letter."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from celery import Celery

from apps.jobs.sqs.celery_config import celery_settings
from apps.jobs.sqs.messages import EtlMessage
from apps.jobs.sqs.sending import send
from tests.jobs.sqs.line import Line, eventually, make_etl_payload, make_ml_payload


def celery_body(
    payload: dict[str, str],
    *,
    task: str = "jobs.etl",
    headers: object = None,
    content_type: str | None = "application/json",
    **changes: object,
) -> str:
    """What a Celery producer puts on the queue, with the parts a test wants otherwise."""
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return json.dumps(
        {
            "body": json.dumps([[payload], {}, embed]),
            "content-encoding": "utf-8",
            "content-type": content_type,
            "headers": {"lang": "py", "task": task, "id": str(uuid4())} if headers is None else headers,
            "properties": {"delivery_info": {"exchange": "", "routing_key": "etl"}, "body_encoding": None},
        }
        | changes
    )


POISON: dict[str, Callable[[], str]] = {
    "not JSON": lambda: "dataset 7 is ready",
    "a list": lambda: "[]",
    "properties alone": lambda: '{"properties": 1}',
    "too deep to parse": lambda: "[" * 50_000,
    "no content type": lambda: celery_body(make_etl_payload(), content_type=None),
    "bad base64": lambda: celery_body(make_etl_payload(), body="%%%", properties={"body_encoding": "base64"}),
    "a body of two": lambda: celery_body(make_etl_payload(), body="[[], {}]"),
    "another producer's routing": lambda: celery_body(
        make_etl_payload(department="purchasing"),
        properties={"delivery_info": {"exchange": "x", "routing_key": "not-a-queue"}},
    ),
    "a task nobody registered": lambda: celery_body(make_etl_payload(), task="os.system"),
    "a registered task of another queue": lambda: celery_body(make_ml_payload(), task="jobs.ml"),
    "pickle": lambda: celery_body(
        make_etl_payload(),
        body=base64.b64encode(b"\x80\x04cos\nsystem\n.").decode(),
        properties={"body_encoding": "base64"},
        content_type="application/x-python-serialize",
    ),
    "headers of the wrong type": lambda: celery_body(make_etl_payload(), headers=[1, 2]),
    "a contract message with one key too many": lambda: json.dumps(make_etl_payload() | {"priority": "9"}),
    "another department's file": lambda: json.dumps(
        make_etl_payload() | {"s3_key": f"raw/finance/{uuid4()}/ledger.csv"}
    ),
}


@dataclass(frozen=True)
class Sent:
    payload: dict[str, str]
    message_id: str

    @property
    def dataset(self) -> str:
        return self.payload["dataset_id"]


@pytest.fixture(scope="module")
def line(new_line: Callable[..., Line]) -> Line:
    line = new_line()
    line.provision()
    # Two for etl: a message that shows up again while one works it, the other takes.
    for worker in [line.work("etl"), line.work("etl"), line.work("ml")]:
        worker.ready()
    return line


@pytest.fixture(scope="module")
def sent(line: Line) -> dict[str, Sent]:
    """Everything goes out at once, so that the back-off of one message passes while another is worked."""

    def put(payload: dict[str, str], queue: str = "etl") -> Sent:
        return Sent(payload, line.send(json.dumps(payload), queue=queue))

    return {name: put(make_etl_payload(name)) for name in ("raise", "die", "sleep-8", "ok", "alone")} | {
        "hang": put(make_ml_payload(requested_by="hang"), "ml")
    }


@pytest.fixture(scope="module")
def poisoned(line: Line, sent: dict[str, Sent]) -> dict[str, tuple[str, str]]:
    """Kind of poison → body and message id; sent to the same worker, among the good ones."""
    bodies = {kind: make() for kind, make in POISON.items()}
    return {kind: (body, line.send(body)) for kind, body in bodies.items()}


@pytest.fixture(autouse=True)
def everything_is_sent(sent: dict[str, Sent], poisoned: dict[str, tuple[str, str]]) -> None:
    """Whichever test is asked for."""


def attempts(line: Line, event: str, dataset: str) -> list[int]:
    return [found["attempt"] for found in line.events(event, dataset)]


def test_a_plain_json_message_is_worked_and_its_result_is_the_ml_message(line: Line, sent: dict[str, Sent]) -> None:
    ok = sent["ok"]
    [ml] = line.wait_for("ml", ok.dataset, within=40)
    [etl] = line.events("etl", ok.dataset)
    assert etl["payload"] == ok.payload
    assert (etl["foreign"], etl["message_id"], etl["task_id"]) == (True, ok.message_id, ok.message_id)
    assert etl["request_id"] == ml["request_id"] == ok.message_id
    assert ml["payload"] == make_ml_payload(dataset_id=ok.dataset)
    assert ml["queue_url"].endswith(f"/{line.queues.ml.name}")


def test_job_and_request_id_follow_a_sent_message_through_both_queues(line: Line) -> None:
    app = Celery("producer")
    app.conf.update(celery_settings(line.settings()))
    message = EtlMessage.parse(make_etl_payload("ok"))
    task_id = send(app, message, job_id="job-1", request_id="request-1")

    [ml] = line.wait_for("ml", str(message.dataset_id), within=40)
    [etl] = line.events("etl", str(message.dataset_id))
    assert etl["payload"] == message.as_dict()
    assert etl["task_id"] == task_id
    for link in (etl, ml):
        assert (link["job_id"], link["request_id"], link["foreign"]) == ("job-1", "request-1", False)


def test_a_task_that_always_raises_runs_as_often_as_sqs_allows_then_its_message_is_a_dead_letter(
    line: Line, sent: dict[str, Sent]
) -> None:
    failing = sent["raise"]
    assert json.loads(line.dead_letter(failing.message_id)) == failing.payload
    assert attempts(line, "etl", failing.dataset) == [1, 2, 3]
    first, second, third = (event["at"] for event in line.events("etl", failing.dataset))
    assert second - first >= 2, "the first back-off is 2 s"
    assert third - second >= 3, "the second back-off is 3 s"
    assert [event["error"] for event in line.events("failed", failing.dataset)] == ["ValueError"] * 3


def test_a_task_longer_than_the_visibility_timeout_runs_exactly_once(line: Line, sent: dict[str, Sent]) -> None:
    long = sent["sleep-8"]
    line.wait_for("ml-done", long.dataset, within=60)
    assert attempts(line, "etl", long.dataset) == [1]


def test_a_killed_child_is_a_failed_attempt_and_the_next_one_succeeds(line: Line, sent: dict[str, Sent]) -> None:
    killed = sent["die"]
    line.wait_for("etl-done", killed.dataset, within=60)
    assert attempts(line, "etl", killed.dataset) == [1, 2]
    assert [event["error"] for event in line.events("failed", killed.dataset)] == ["WorkerLostError"]


def test_a_hanging_task_is_ended_at_its_hard_limit_backed_off_and_dead_lettered(
    line: Line, sent: dict[str, Sent]
) -> None:
    hanging = sent["hang"]
    assert json.loads(line.dead_letter(hanging.message_id, queue="ml")) == hanging.payload
    assert attempts(line, "ml", hanging.dataset) == [1, 2, 3]
    _, second, third = (event["at"] for event in line.events("ml", hanging.dataset))
    assert third - second >= 3 + 3, "3 s to the limit, 3 s of back-off"
    assert {event["error"] for event in line.events("failed", hanging.dataset)} == {"TimeLimitExceeded"}


def test_an_etl_run_may_end_the_chain(line: Line, sent: dict[str, Sent]) -> None:
    line.wait_for("etl-done", sent["alone"].dataset, within=60)
    assert not line.events("ml", sent["alone"].dataset)


@pytest.mark.parametrize("kind", POISON)
def test_poison_ends_in_the_dlq_as_it_was_sent(line: Line, poisoned: dict[str, tuple[str, str]], kind: str) -> None:
    body, message_id = poisoned[kind]
    assert line.dead_letter(message_id, within=60) == body


def test_after_all_that_all_workers_live_and_nothing_is_left_in_the_queues(line: Line) -> None:
    eventually(lambda: not line.remaining("etl") + line.remaining("ml"), within=40, what="empty queues")
    assert all(worker.alive for worker in line.workers)
    assert not any(worker.said("Unrecoverable error") for worker in line.workers)
