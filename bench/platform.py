"""The real platform, started for a bench as `make up` starts it, and gone without a trace afterwards."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Literal

from config.local import CannotStart
from config.local.environment import FOREIGN, local
from config.local.home import Home
from config.local.postgres import Cluster
from config.local.processes import started
from config.local.welcome import request
from tests.support.session import clear
from tests.support.stack import TIMINGS, Stack

Storage = Literal["disk", "s3"]
PREFIX = "aetherflow-bench-"


@contextmanager
def platform(
    folder: Path,
    *,
    storage: Storage = "disk",
    workers: bool = True,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Stack]:
    """The running platform in `folder`, with its own PostgreSQL (durable, as in production).

    `storage="s3"` keeps raw files in the local S3 endpoint. Without workers only the web process runs, so that
    nothing else takes its processor. `settings` are environment variables on top of those of `make up`.
    """
    cluster = Cluster(Home(folder))
    cluster.start()
    try:
        stack = Stack(Home(folder / "stack"), database_url=cluster.url())
        try:
            _prepare(stack, storage=storage)
            stack.env |= settings
            if workers:
                stack.begin()
            else:
                _begin_web(stack)
            yield stack
        finally:
            stack.close()
    finally:
        cluster.stop()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one run. What a killed run has left behind goes first."""
    signal.signal(signal.SIGTERM, _interrupt)
    place = Path(tempfile.gettempdir())
    for left in place.glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX)
        if owner.isdecimal() and started(int(owner)) is None:
            clear(left)
    home = Home(place / f"{PREFIX}{os.getpid()}")
    try:
        yield home.path
    finally:
        clear(home.path)


def _prepare(stack: Stack, *, storage: Storage) -> None:
    """The timings and settings of `make up` in the place of the tests' hurried ones."""
    for name in (*TIMINGS, *FOREIGN):
        stack.env.pop(name, None)
    stack.env |= local(stack.home, outer={})
    stack.env |= {"STORAGE": storage, "LOG_LEVEL": "WARNING", "LOG_FORMAT": "json", "ACCESS_TOKEN_SECONDS": "7200"}


def _begin_web(stack: Stack) -> None:
    stack.run("-m", "config.local.prepare")
    stack.start("web")
    deadline = time.monotonic() + 60
    while request(stack.port, "GET", "/api/v1/health")[0] != 200:
        if not stack.is_running("web") or time.monotonic() > deadline:
            raise CannotStart(f"The web process does not answer:\n{stack.logs('web')}")
        time.sleep(0.1)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
