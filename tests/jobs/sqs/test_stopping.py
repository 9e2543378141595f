"""SIGTERM: what runs may finish, and whatever does not is soon worked by another worker; nothing is lost or stuck.

The stories follow each other: the worker that took over in one is the one that is stopped in the next.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.jobs.sqs.line import WAIT_SECONDS, Endpoint, Line, Worker, eventually, make_etl_payload

# What only the visibility timeout brings back comes after this long: "at once" is well below it.
VISIBILITY_SECONDS = 40
STOP_SECONDS = 5
LONG_POLL_SECONDS = 7
SOON = 15


@pytest.fixture(scope="module")
def line(new_line: Callable[..., Line]) -> Line:
    line = new_line()
    line.provision(visibility_seconds=VISIBILITY_SECONDS)
    return line


@pytest.fixture(autouse=True)
def nothing_is_left(line: Line) -> Iterator[None]:
    """After every story each message has been worked: none is lost, none hidden in the hands of one that is gone."""
    yield
    eventually(lambda: not line.remaining(), within=SOON, what=f"an empty queue; logs in {line.folder}")


def start(line: Line, *, wait_seconds: int = WAIT_SECONDS) -> Worker:
    worker = line.work(
        "etl",
        stop_seconds=STOP_SECONDS,
        visibility_seconds=VISIBILITY_SECONDS,
        wait_seconds=wait_seconds,
        prefetch=4,
    )
    worker.ready()
    return worker


@pytest.fixture
def worker(line: Line) -> Worker:
    return next((worker for worker in line.workers if worker.alive), None) or start(line)


def put(line: Line, behaviour: str = "ok") -> str:
    payload = make_etl_payload(behaviour)
    line.send(json.dumps(payload))
    return payload["dataset_id"]


def stop(worker: Worker, which: signal.Signals = signal.SIGTERM) -> float:
    """Tell the worker's main process, and only that, to stop; returns when that was."""
    os.kill(worker.process.pid, which)
    return time.time()


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_task_that_ends_within_the_grace_is_finished_and_what_waits_behind_it_is_left_to_others(
    line: Line, worker: Worker
) -> None:
    running = put(line, "sleep-4")
    [begun] = line.wait_for("etl", running)
    waiting = [put(line) for _ in range(2)]
    eventually(lambda: not line.visible(), within=SOON, what="all are in the first worker's hands")
    stop(worker)
    eventually(lambda: worker.said("SIGTERM: no new messages"), within=SOON, what=f"it was told ({worker.log})")
    stop(worker)  # told twice is told once
    start(line)
    assert worker.process.wait(timeout=SOON) == 0
    assert not worker.said("its message goes back"), "the end of its grace"
    assert len(line.events("etl-done", running)) == len(line.events("etl", running)) == 1
    for dataset in waiting:
        line.wait_for("etl-done", dataset, within=SOON)
        [event] = line.events("etl", dataset)
        assert event["pid"] != begun["pid"], "the next task of a stopping worker"


def test_what_a_worker_cannot_finish_the_next_one_has_at_once(line: Line, worker: Worker) -> None:
    running = put(line, "sleep-25-once")
    [begun] = line.wait_for("etl", running)
    prefetched = [put(line) for _ in range(3)]
    eventually(lambda: not line.visible(), within=SOON, what="all are in the first worker's hands")
    other = start(line)
    told = stop(worker)

    for dataset in prefetched:
        [done] = line.wait_for("etl-done", dataset, within=SOON)
        assert done["at"] - told < 3, "not begun, so given back before the grace"
    late = put(line)
    [event] = line.wait_for("etl", late, within=SOON)
    assert worker.alive
    assert event["pid"] != begun["pid"]

    _, again = line.wait_for("etl", running, count=2, within=SOON)
    assert again["attempt"] == 2
    assert STOP_SECONDS <= again["at"] - told < STOP_SECONDS + 3
    assert worker.process.wait(timeout=SOON) == 0
    assert not lives(begun["pid"])
    line.wait_for("etl-done", running, within=SOON)
    for dataset in (*prefetched, late):
        assert len(line.events("etl", dataset)) == 1
    assert not line.events("failed", running), "nobody is told of a failure that was none"
    assert other.alive


def test_a_task_that_fails_while_its_worker_stops_has_its_back_off(line: Line, worker: Worker) -> None:
    dataset = put(line, "fail-2")
    line.wait_for("etl", dataset)
    stop(worker)
    next_one = start(line)
    _, again = line.wait_for("etl", dataset, count=2, within=SOON)
    [failure] = line.events("failed", dataset)
    assert again["at"] - failure["at"] >= 2, "the first back-off is 2 s"
    assert worker.process.wait(timeout=SOON) == 0
    assert next_one.alive


def test_an_idle_worker_stops_with_its_last_poll(line: Line, worker: Worker) -> None:
    told = stop(worker)
    assert worker.process.wait(timeout=SOON) == 0
    assert time.time() - told < WAIT_SECONDS + 3, "the pool ends while SQS still holds the poll"


def test_a_message_that_meets_the_last_poll_of_a_stopping_worker_is_not_stuck(line: Line) -> None:
    worker = start(line, wait_seconds=LONG_POLL_SECONDS)
    line.wait_for("etl-done", put(line))  # the next poll has just begun
    told = stop(worker)
    while time.time() < told + LONG_POLL_SECONDS - 2:
        assert worker.alive, "it hung up on a poll"
        time.sleep(0.2)
    late = put(line)
    assert worker.process.wait(timeout=SOON) == 0
    assert worker.said("releasing 1 received message")
    start(line, wait_seconds=LONG_POLL_SECONDS)
    line.wait_for("etl-done", late, within=SOON)


def test_a_cold_stop_gives_its_message_back_at_once(line: Line, worker: Worker, endpoint: Endpoint) -> None:
    if endpoint.ministack:
        pytest.skip("ministack answers the open poll of a worker that is gone: a cold stop hangs up on it")
    dataset = put(line, "sleep-25-once")
    line.wait_for("etl", dataset)
    start(line)
    told = stop(worker, signal.SIGQUIT)
    _, again = line.wait_for("etl", dataset, count=2, within=SOON)
    assert again["at"] - told < LONG_POLL_SECONDS, "stock kombu hides it for another poll"
