"""The local endpoints for the tests of the queue layer; every module makes its own queues and workers on each."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from apps.jobs.sqs.queues import QueueNames
from config.local import CannotStart
from config.local.endpoint import install_ministack
from config.local.home import free_port
from tests.jobs.sqs.line import ROOT, Endpoint, Line

ENDPOINTS = ("moto", "ministack")


@pytest.fixture(autouse=True)
def no_ambient_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto obeys this variable of the platform's own tests where a client is given no endpoint."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_SQS", raising=False)


@pytest.fixture(scope="session", params=ENDPOINTS)
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """SQS as two strangers wrote it: what holds on both is the contract and not one server's habit."""
    server = Endpoint(
        port=free_port(),
        log=tmp_path_factory.mktemp("endpoint") / f"{request.param}.log",
        ministack=ministack() if request.param == "ministack" else None,
    )
    server.start()
    yield server
    server.stop()


def ministack() -> Path:
    """The program; two processes of pytest-xdist install it once. Without a package index its tests are skipped."""
    place = ROOT / ".venv" / "ministack"
    with (place.parent / "ministack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return install_ministack(place)
        except CannotStart as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"the second SQS endpoint cannot be installed: {error}")


@pytest.fixture(scope="module")
def new_line(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Line]]:
    lines = []

    def make(*, endpoint_url: str | None = None) -> Line:
        line = Line(
            client=endpoint.client(),
            endpoint_url=endpoint_url or endpoint.url,
            folder=tmp_path_factory.mktemp("line"),
            queues=QueueNames(f"t{uuid4().hex[:8]}"),
        )
        lines.append(line)
        return line

    yield make
    for line in lines:
        line.close()
