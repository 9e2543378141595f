"""The health check of a container: a loop that turns, a web server that answers; a database that is away is neither's
fault."""

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from apps.jobs.alive import AliveStep, show_alive
from config.alive import STALE_SECONDS, fault

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def answering(status: int) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """The port of a web server, and the headers it was asked with."""
    asked: list[dict[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **dict(self.headers)})
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ALIVE_FILE", str(tmp_path / "alive"))
    return tmp_path / "alive"


def test_a_loop_that_turns_is_alive(file: Path) -> None:
    file.touch()
    assert fault() == ""


def test_a_loop_that_stands_is_not(file: Path) -> None:
    file.touch()
    long_ago = time.time() - STALE_SECONDS - 30
    os.utime(file, (long_ago, long_ago))
    assert fault() == f"The loop has not turned for {STALE_SECONDS + 30} s."


def test_a_web_server_is_alive_while_it_answers(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200) as (port, asked):
        monkeypatch.setenv("PORT", str(port))
        assert fault() == ""
    assert asked[0]["path"] == "/api/v1/health"


def test_one_that_answers_otherwise_or_not_at_all_is_not_alive(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(503) as (port, _):
        monkeypatch.setenv("PORT", str(port))
        assert fault() == "The web server answers /api/v1/health with 503."
    assert fault().startswith(f"The web server does not answer on port {port}, and no other loop has begun: ")


def test_the_check_ends_with_1_and_says_why(file: Path) -> None:
    file.touch()
    check = [sys.executable, "-m", "config.alive"]
    assert subprocess.run(check, cwd=ROOT, check=False, timeout=20).returncode == 0
    os.utime(file, (0, 0))
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr[:23]) == (1, "The loop has not turned")


class Hub:
    """The part of kombu's that the step uses."""

    def __init__(self) -> None:
        self.cancelled = 0
        self.every: list[float] = []

    def call_repeatedly(self, every: float, _do: Any) -> "Hub":
        self.every.append(every)
        return self

    def cancel(self) -> None:
        self.cancelled += 1


def test_a_worker_that_connects_again_has_one_timer(settings: Any, tmp_path: Path) -> None:
    settings.ALIVE_FILE = str(tmp_path / "alive")
    hub, step = Hub(), AliveStep(None)
    step.register_with_event_loop(None, hub)
    assert (tmp_path / "alive").exists()
    assert hub.cancelled == 0
    step.register_with_event_loop(None, hub)
    assert (len(hub.every), hub.cancelled) == (2, 1)
    assert max(hub.every) < STALE_SECONDS / 3


def test_a_file_that_cannot_be_written_stops_no_loop(settings: Any, tmp_path: Path) -> None:
    settings.ALIVE_FILE = str(tmp_path / "away" / "alive")
    show_alive()


def test_without_a_file_nothing_is_written(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings.ALIVE_FILE = ""
    monkeypatch.chdir(tmp_path)
    show_alive()
    assert list(tmp_path.iterdir()) == []
