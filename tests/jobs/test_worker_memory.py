"""A real worker under a memory limit, and files of every size."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from apps.jobs.sqs.client import sqs_client
from apps.jobs.sqs.queues import QueueNames
from config.local.endpoint import CREDENTIALS, start_sqs
from config.local.home import Home
from tests.jobs.sqs.line import Line, Worker, eventually, make_etl_payload

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("worker-memory")]

LIMIT_MB = 300


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("memory")
    endpoint = start_sqs(Home(folder / "endpoint"))
    keys = {"access_key": CREDENTIALS["AWS_ACCESS_KEY_ID"], "secret_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
    line = Line(
        client=sqs_client(region="us-east-1", endpoint_url=endpoint.url, **keys),
        endpoint_url=endpoint.url,
        folder=folder,
        queues=QueueNames(f"m{os.getpid()}"),
    )
    line.provision()
    yield line
    line.close()
    endpoint.stop()


@pytest.fixture(scope="module")
def start(line: Line) -> Callable[[int], Worker]:
    def start(limit_mb: int) -> Worker:
        path = line.folder / f"worker-{limit_mb}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "tests.jobs.memory_app", "worker"),
                    *("-P", "prefork", "-c", "2", "-Q", "etl", "-n", path.stem, "-l", "INFO"),
                    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
                ],
                cwd=line.folder,
                env=line.environment() | {"LIMIT_MB": str(limit_mb)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        worker = Worker(process, path)
        line.workers.append(worker)
        worker.ready()
        return worker

    return start


@pytest.fixture(scope="module")
def worker(start: Callable[[int], Worker]) -> Worker:
    return start(LIMIT_MB)


def put(line: Line, behaviour: str) -> str:
    """Send a message; returns its dataset."""
    payload = make_etl_payload(behaviour)
    line.send(json.dumps(payload))
    return payload["dataset_id"]


def test_a_runaway_file_is_ended_with_its_reason_and_nobody_else_is(line: Line, worker: Worker) -> None:
    beside = put(line, "sleep-6")
    line.wait_for("etl", beside)
    runaway = put(line, "take-900")
    (first, *_) = line.wait_for("failed", runaway)
    assert first["error"] == "WorkerLostError"
    code, message, told_again = first["reason"]
    assert (code, told_again) == ("memory-limit", None)
    assert message == "The file needed more memory than a worker may take (300 MB)."
    line.wait_for("etl-done", beside)
    assert not line.events("failed", beside)
    assert worker.alive
    assert worker.said("worker_child_over_memory")


def test_the_message_of_a_runaway_file_has_its_attempts_and_is_dead_lettered(line: Line, worker: Worker) -> None:
    payload = make_etl_payload("take-900")
    message_id = line.send(json.dumps(payload))
    line.dead_letter(message_id, within=60)
    attempts = line.events("failed", payload["dataset_id"])
    assert [attempt["reason"] and attempt["reason"][0] for attempt in attempts] == ["memory-limit"] * 3


def test_a_file_within_the_limit_is_worked(line: Line, worker: Worker) -> None:
    dataset = put(line, "take-100")
    line.wait_for("etl-done", dataset)
    assert len(line.events("etl", dataset)) == 1


def test_a_child_that_dies_of_something_else_gets_no_such_reason(line: Line, worker: Worker) -> None:
    (failure, *_) = line.wait_for("failed", put(line, "die"))
    assert (failure["error"], failure["reason"]) == ("WorkerLostError", None)


def test_a_stopping_worker_still_ends_a_runaway(line: Line, start: Callable[[int], Worker], worker: Worker) -> None:
    worker.stop()
    stopping = start(LIMIT_MB + 1)
    runaway = put(line, "late-900")
    line.wait_for("etl", runaway)
    os.kill(stopping.process.pid, signal.SIGTERM)
    eventually(lambda: stopping.said("SIGTERM"), within=10, what="the stop begins")
    assert not stopping.said("worker_child_over_memory")
    eventually(lambda: stopping.said("worker_child_over_memory"), within=20, what=f"an end; logs in {line.folder}")
    eventually(lambda: not stopping.alive, within=20, what="the worker's own end")
    assert not line.events("etl-done", runaway)


def test_without_a_limit_a_file_takes_what_it_needs(line: Line, start: Callable[[int], Worker]) -> None:
    unlimited = start(0)
    line.wait_for("etl-done", put(line, "take-600"))
    assert not unlimited.said("worker_child_over_memory")
