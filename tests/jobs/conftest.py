"""A department's user, a file, and the means to take a job through its stages without worker processes."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from aetherflow.registry import departments
from apps.accounts.models import User
from apps.datasets import direct, partitions
from apps.jobs import probes
from apps.jobs.models import Job
from apps.jobs.services.submission import submit
from apps.jobs.sqs.messages import EtlMessage, MlMessage
from tests.accounts.factories import UserFactory
from tests.jobs.direct import MIB, SMALL, Sender
from tests.jobs.files import row, sales
from tests.jobs.line import messages_of
from tests.jobs.steps import compute, deliver
from tests.support.aws import provisioned


@pytest.fixture(params=["shared", "own"])
def partition(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small files share a partition, a large one has its own; what is true of one is true of the other."""
    if request.param == "own":
        monkeypatch.setattr(partitions, "LARGE", 1)
    return str(request.param)


@pytest.fixture
def sqs(transactional_db: None) -> Iterator[Any]:
    with provisioned() as client:
        yield client


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address where somebody takes every call and never says a word, and who calls would wait for a minute: an
    answer within SOON did not wait for it."""
    begin = URLLib3Session.__init__

    def patient(self: URLLib3Session, **options: Any) -> None:
        begin(self, **options | {"timeout": (60, 60)})

    monkeypatch.setattr(URLLib3Session, "__init__", patient)
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"
    # Who asks shares a look that is under way: the next test must not be given the end of this one's.
    deadline = time.monotonic() + 15
    for probe in (probes.storage, probes.queues):
        while probe._under_way is not None and not probe._under_way.done():
            assert time.monotonic() < deadline, "it never came back"
            time.sleep(0.05)


@pytest.fixture
def seller(transactional_db: None) -> User:
    return UserFactory(department="sales")


@pytest.fixture
def upload(sqs: Any, seller: User) -> Callable[..., Job]:
    """Submit a file as the gateway does; by default the sales department's good sample."""

    def upload(content: bytes | None = None, *, by: User | None = None, **options: Any) -> Job:
        user = by or seller
        if content is None:
            content = departments()[user.department].samples.good.read_bytes()
        file = SimpleUploadedFile("upload.csv", content)
        return submit(
            file=file, department=user.department, by=user, at=timezone.now(), request_id="request-0001", **options
        ).job

    return upload


@pytest.fixture
def work(sqs: Any) -> Callable[..., Any]:
    """Take the messages that lie in the queues through the stages, as a worker would, until none is left."""

    def work() -> None:
        while found := messages_of(sqs, "etl"):
            for message, headers in found:
                following = deliver(EtlMessage.parse(message), headers)
                assert following is not None
                compute(following.message, headers)
        for message, headers in messages_of(sqs, "ml"):
            compute(MlMessage.parse(message), headers)

    return work


@pytest.fixture
def sender(sqs: Any, seller: User) -> Sender:
    return Sender(seller, SMALL)


@pytest.fixture
def large(sqs: Any, seller: User, monkeypatch: pytest.MonkeyPatch) -> Sender:
    """Three parts of the least that S3 takes."""
    monkeypatch.setattr(direct, "_SMALLEST_PART", 5 * MIB)
    rows = sales(*(row(each) for each in range(1, 1_000)))
    return Sender(seller, rows + b"\n" * (12 * MIB - len(rows)))
