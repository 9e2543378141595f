"""A local SQS endpoint and real Celery workers, each its own process, and what their tasks wrote down."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import pytest

from apps.jobs.sqs.client import sqs_client
from apps.jobs.sqs.queues import QueueNames, provision_queues
from apps.jobs.sqs.settings import LOCAL_ACCOUNT, SqsSettings, TimeLimits

ROOT = Path(__file__).resolve().parents[3]
MAX_RECEIVES = 3
VISIBILITY_SECONDS = 5
STOP_SECONDS = 10
WAIT_SECONDS = 2


def eventually(look: Callable[[], Any], *, within: float, what: str) -> Any:
    """The first true answer of `look`; fails after `within` seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if answer := look():
            return answer
        time.sleep(0.1)
    pytest.fail(f"not within {within} s: {what}")


def worker_settings(
    *,
    endpoint_url: str,
    queue_prefix: str,
    stop_seconds: int = STOP_SECONDS,
    visibility_seconds: int = VISIBILITY_SECONDS,
    wait_seconds: int = WAIT_SECONDS,
    ambient_credentials: bool = False,
) -> SqsSettings:
    """Short enough for a test: seconds where production has minutes."""
    return SqsSettings(
        region="us-east-1",
        endpoint_url=endpoint_url,
        access_key=None if ambient_credentials else "testing",
        secret_key=None if ambient_credentials else "testing/+",
        queue_prefix=queue_prefix,
        visibility_seconds=visibility_seconds,
        max_receives=MAX_RECEIVES,
        backoff_seconds=(2, 3),
        wait_seconds=wait_seconds,
        etl_time_limits=TimeLimits(soft=20, hard=25),
        ml_time_limits=TimeLimits(soft=2, hard=3),
        stop_seconds=stop_seconds,
        departments=frozenset({"sales", "finance"}),
    )


@dataclass
class Endpoint:
    """moto's server, or ministack where its program is given; `stop` and `start` keep the port, but not the queues."""

    port: int
    log: Path
    ministack: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        moto = [sys.executable, "-m", "config.local.moto_endpoint", str(self.port)]
        told = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "SERVICES": "s3,sqs",
            "MINISTACK_ACCOUNT_ID": LOCAL_ACCOUNT,
            "LOG_LEVEL": "WARNING",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.ministack)] if self.ministack else moto,
                cwd=ROOT,
                env=os.environ | told,
                stdout=log,
                stderr=log,
            )
        eventually(self._listens, within=30, what=f"the SQS endpoint listens ({self.log})")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self) -> Any:
        return sqs_client(region="us-east-1", endpoint_url=self.url, access_key="testing", secret_key="testing")


@dataclass
class Worker:
    """One `celery worker` process on one queue."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self, text: str) -> bool:
        return text in self.log.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ready(self) -> None:
        eventually(lambda: self.said("ready.") or not self.alive, within=30, what=f"the worker is ready ({self.log})")
        assert self.alive, self.log.read_text()

    def stop(self) -> None:
        """Ends the worker and its children at once: what a test wants to know, it has asked before."""
        if self.alive:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class Line:
    """One installation under test: its queues, its workers, the events its tasks wrote down."""

    client: Any
    endpoint_url: str
    folder: Path
    queues: QueueNames
    workers: list[Worker] = field(default_factory=list)
    letters: dict[str, str] = field(default_factory=dict)

    def provision(self, *, visibility_seconds: int = VISIBILITY_SECONDS) -> None:
        provision_queues(
            self.client, queues=self.queues, max_receives=MAX_RECEIVES, visibility_seconds=visibility_seconds
        )

    def settings(self) -> SqsSettings:
        return worker_settings(endpoint_url=self.endpoint_url, queue_prefix=self.queues.prefix)

    def environment(self) -> dict[str, str]:
        # Without the platform's settings: Celery would load the whole of Django for this one app.
        inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        return inherited | {
            "PYTHONPATH": str(ROOT),
            "SQS_ENDPOINT": self.endpoint_url,
            "QUEUE_PREFIX": self.queues.prefix,
            "EVENTS": str(self.folder / "events.jsonl"),
        }

    def work(
        self,
        queue: str,
        *,
        stop_seconds: int = STOP_SECONDS,
        visibility_seconds: int = VISIBILITY_SECONDS,
        wait_seconds: int = WAIT_SECONDS,
        prefetch: int = 1,
        credentials: Mapping[str, str] = MappingProxyType({}),
    ) -> Worker:
        """Start a worker; `credentials` is the environment in which boto finds ambient ones."""
        path = self.folder / f"worker-{queue}-{len(self.workers)}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "tests.jobs.sqs.worker_app", "worker"),
                    *("-P", "prefork", "-c", "1", "-Q", queue, "-n", path.stem, "-l", "INFO"),
                    *("--prefetch-multiplier", str(prefetch)),
                    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
                ],
                cwd=self.folder,
                env=self.environment()
                | {
                    "STOP_SECONDS": str(stop_seconds),
                    "VISIBILITY_SECONDS": str(visibility_seconds),
                    "WAIT_SECONDS": str(wait_seconds),
                    "AMBIENT_CREDENTIALS": "yes" if credentials else "",
                    **credentials,
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        worker = Worker(process, path)
        self.workers.append(worker)
        return worker

    def close(self) -> None:
        for worker in self.workers:
            worker.stop()

    def url(self, name: str) -> str:
        return str(self.client.get_queue_url(QueueName=name)["QueueUrl"])

    def send(self, body: str, *, queue: str = "etl") -> str:
        url = self.url(f"{self.queues.prefix}-{queue}")
        return str(self.client.send_message(QueueUrl=url, MessageBody=body)["MessageId"])

    def events(self, event: str, dataset: str) -> list[dict[str, Any]]:
        path = self.folder / "events.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        events = [json.loads(line) for line in lines]
        return [found for found in events if found["event"] == event and found.get("dataset") == dataset]

    def wait_for(self, event: str, dataset: str, *, count: int = 1, within: float = 30) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = eventually(
            lambda: len(self.events(event, dataset)) >= count and self.events(event, dataset),
            within=within,
            what=f"{count} times {event} of {dataset}; logs in {self.folder}",
        )
        return found

    def dead_letter(self, message_id: str, *, queue: str = "etl", within: float = 40) -> str:
        """The body of the dead letter that was `message_id`; what else is found is kept for who asks for it."""
        name = f"{self.queues.prefix}-{queue}-dlq"
        url = self.url(name)

        def look() -> str | None:
            found = self.client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            self.letters |= {letter["MessageId"]: letter["Body"] for letter in found.get("Messages", ())}
            return self.letters.get(message_id)

        return str(eventually(look, within=within, what=f"{message_id} in {name}; logs in {self.folder}"))

    def visible(self, queue: str = "etl") -> int:
        """Messages any worker could receive now."""
        return self._count(queue, "ApproximateNumberOfMessages")

    def remaining(self, queue: str = "etl") -> int:
        """Messages in the source queue, visible or not."""
        return self.visible(queue) + self._count(queue, "ApproximateNumberOfMessagesNotVisible")

    def _count(self, queue: str, attribute: str) -> int:
        url = self.url(f"{self.queues.prefix}-{queue}")
        found = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])
        return int(found["Attributes"][attribute])


def make_etl_payload(behaviour: str = "ok", **changes: str) -> dict[str, str]:
    """A contract message; the file's name tells the test task what to do."""
    dataset = changes.get("dataset_id") or str(uuid4())
    return {
        "job_type": "etl",
        "dataset_id": dataset,
        "department": "sales",
        "s3_bucket": "aetherflow-raw",
        "s3_key": f"raw/sales/{dataset}/{behaviour}.csv",
        "requested_by": "7",
        "requested_at": "2026-03-31T09:30:00+00:00",
    } | changes


def make_ml_payload(**changes: str) -> dict[str, str]:
    return {
        "job_type": "ml",
        "dataset_id": str(uuid4()),
        "department": "sales",
        "requested_by": "etl_worker",
        "requested_at": "2026-03-31T09:30:00+00:00",
    } | changes
