"""A real worker behind an SQS that has a bad day, and workers that are stopped, killed or refused."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from apps.jobs.sqs.queues import QueueNames
from tests.endpoints.faulty_proxy import (
    DENIED,
    NOT_JSON,
    STALE_HANDLE,
    THROTTLED,
    UNAVAILABLE,
    Fault,
    FaultyProxy,
)
from tests.jobs.sqs.line import Endpoint, Line, Worker, eventually, make_etl_payload


@pytest.fixture(scope="module")
def proxy(endpoint: Endpoint) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(endpoint.url)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def line(new_line: Callable[..., Line], proxy: FaultyProxy) -> Line:
    line = new_line(endpoint_url=proxy.url)
    line.provision()
    return line


@pytest.fixture(scope="module")
def worker(line: Line) -> Worker:
    worker = line.work("etl")
    worker.ready()
    return worker


def put(line: Line, behaviour: str = "ok") -> str:
    """Send a message past the proxy; returns its dataset."""
    payload = make_etl_payload(behaviour)
    line.send(json.dumps(payload))
    return payload["dataset_id"]


def assert_lives(line: Line, worker: Worker) -> None:
    """Being a process is not enough: it works what comes next."""
    line.wait_for("etl-done", put(line), within=20)
    assert worker.alive


@pytest.mark.parametrize("fault", [UNAVAILABLE, THROTTLED, NOT_JSON], ids=["503", "400", "not JSON"])
def test_a_worker_outlives_failed_polls(line: Line, worker: Worker, proxy: FaultyProxy, fault: Fault) -> None:
    told = worker.log.read_text().count("poll 2 of the queue etl failed")
    with proxy.during(fault, "ReceiveMessage"):
        eventually(lambda: proxy.answered >= 2, within=20, what="two failed polls")
        eventually(
            lambda: worker.log.read_text().count("poll 2 of the queue etl failed") > told,
            within=20,
            what="each poll waits longer than the one before",
        )
    assert_lives(line, worker)


def test_a_worker_outlives_an_endpoint_that_is_gone(line: Line, worker: Worker, proxy: FaultyProxy) -> None:
    with proxy.refusing():
        eventually(lambda: worker.said("HTTP 599"), within=20, what="a refused poll")
    assert_lives(line, worker)


def test_a_message_that_cannot_be_deleted_comes_again_and_the_worker_lives(
    line: Line, worker: Worker, proxy: FaultyProxy
) -> None:
    with proxy.during(STALE_HANDLE, "DeleteMessage"):
        dataset = put(line)
        line.wait_for("etl-done", dataset, count=2, within=20)
    with proxy.during(DENIED, "DeleteMessage"):
        put(line)
        eventually(lambda: worker.said("not authorized"), within=20, what="a message that may not be deleted")
    assert_lives(line, worker)


def test_a_back_off_that_is_refused_leaves_the_retry_to_the_visibility_timeout(
    line: Line, worker: Worker, proxy: FaultyProxy
) -> None:
    with proxy.during(STALE_HANDLE, "ChangeMessageVisibility"):
        dataset = put(line, "raise-once")
        eventually(lambda: proxy.answered, within=20, what="a refused back-off")
    line.wait_for("etl-done", dataset, within=20)
    assert_lives(line, worker)


def test_an_ml_message_that_cannot_be_sent_fails_the_attempt_and_is_sent_by_the_next(
    line: Line, worker: Worker, proxy: FaultyProxy
) -> None:
    before = line.remaining("ml")
    with proxy.during(THROTTLED, "SendMessage"):
        dataset = put(line)
        [failure] = line.wait_for("failed", dataset)
    assert failure["error"] == "OperationalError"
    line.wait_for("etl-done", dataset, count=2)
    eventually(lambda: line.remaining("ml") > before, within=10, what="the ML message")
    assert_lives(line, worker)


def test_a_heartbeat_that_fails_is_made_up_for_by_the_next(line: Line, worker: Worker, proxy: FaultyProxy) -> None:
    with proxy.during(UNAVAILABLE, "ChangeMessageVisibilityBatch"):
        dataset = put(line, "sleep-6")
        eventually(lambda: proxy.answered, within=20, what="a failed beat")
    line.wait_for("etl-done", dataset, within=20)
    assert len(line.events("etl", dataset)) == 1


def test_a_stopped_worker_finishes_its_task_and_acknowledges_it(line: Line, worker: Worker) -> None:
    eventually(lambda: not line.remaining(), within=20, what="nothing left of the tests before")
    dataset = put(line, "sleep-6")
    line.wait_for("etl", dataset)
    worker.process.terminate()
    while worker.alive:
        assert not line.visible(), "another worker could take the message"
        time.sleep(0.2)
    assert worker.process.returncode == 0
    assert len(line.events("etl-done", dataset)) == len(line.events("etl", dataset)) == 1
    assert line.remaining() == 0


def test_the_message_of_a_killed_worker_is_worked_by_the_next_one(new_line: Callable[..., Line]) -> None:
    line = new_line()
    line.provision()
    killed = line.work("etl")
    killed.ready()
    dataset = put(line, "sleep-3")
    line.wait_for("etl", dataset)
    os.killpg(killed.process.pid, signal.SIGKILL)
    line.work("etl")
    line.wait_for("etl-done", dataset, within=30)
    assert [event["attempt"] for event in line.events("etl", dataset)] == [1, 2]


def test_a_worker_started_before_its_endpoint_waits_for_it(line: Line, proxy: FaultyProxy) -> None:
    with proxy.refusing():
        worker = line.work("etl")
        eventually(lambda: worker.said("SQS does not answer"), within=20, what="a worker that waits")
    worker.ready()


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ((), "does not exist"),
        (("{0}-etl",), "has no redrive policy"),
    ],
    ids=["no queue", "no redrive policy"],
)
def test_a_worker_refuses_a_queue_that_would_lose_its_failures(
    new_line: Callable[..., Line], made: tuple[str, ...], says: str
) -> None:
    line = new_line()
    for name in made:
        line.client.create_queue(QueueName=name.format(line.queues.prefix))
    worker = line.work("etl")
    assert worker.process.wait(timeout=20) == os.EX_CONFIG
    assert worker.said(f"The queue {QueueNames(line.queues.prefix).etl.name} {says}")
    assert worker.said("manage.py provision")
