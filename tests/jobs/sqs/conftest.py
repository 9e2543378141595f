"""One endpoint for all tests of the queue layer; every module makes its own queues and workers on it."""

import socket
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from apps.jobs.sqs.queues import QueueNames
from tests.jobs.sqs.line import Endpoint, Line


@pytest.fixture(autouse=True)
def no_ambient_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto obeys this variable of the platform's own tests where a client is given no endpoint."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_SQS", raising=False)


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Endpoint(port=port, log=tmp_path_factory.mktemp("endpoint") / "moto.log")
    server.start()
    yield server
    server.stop()


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
