"""The image and docker-compose.yml for real: `make compose-test`. Elsewhere these tests are skipped, and say why."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.engine import Engine, missing
from tests.compose.platform import Platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Brought up from nothing, with the demo's people; taken down with all that it made."""
    if not os.environ.get("COMPOSE"):
        pytest.skip("the image is built and started by `make compose-test` alone: it needs dockerd")
    if why := missing():
        pytest.skip(f"no container engine: {why}")
    kept = os.environ.get("COMPOSE_HOME", "")
    engine = Engine(Path(kept) if kept else tmp_path_factory.mktemp("engine"), keep=bool(kept))
    engine.start()
    try:
        running = Platform(engine, tmp_path_factory.mktemp("platform"), files=engine.provide())
        try:
            running.up()
            running.compose("--profile", "demo", "run", "--rm", "--no-deps", "-T", "demo")
            yield running
        finally:
            running.compose(
                "--profile", "demo", "down", "--volumes", "--remove-orphans", "--timeout", "25", check=False
            )
    finally:
        engine.stop()
