"""The tests' own ground: the platform as real processes, and a browser that reaches it."""

import signal
import time

from playwright.sync_api import Page

from config.local.welcome import request
from tests.support.stack import Stack


def readiness(stack: Stack) -> dict[str, str]:
    _, answer = request(stack.port, "GET", "/api/v1/health/ready")
    return {name: check["status"] for name, check in answer["checks"].items()}


def test_a_worker_that_is_killed_is_missed_and_one_that_starts_is_seen(stack: Stack) -> None:
    assert readiness(stack)["worker-ml"] == "ok"
    stack.kill("worker-ml", children=True)
    assert stack.wait("worker-ml") == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while readiness(stack)["worker-ml"] == "ok" and time.monotonic() < deadline:
        time.sleep(0.2)
    assert readiness(stack)["worker-ml"] == "down"
    stack.start("worker-ml")
    stack.await_ready()
    assert "ml@" in stack.logs("worker-ml")


def test_a_command_runs_on_the_platforms_database_and_queues(stack: Stack) -> None:
    report = stack.manage("provision", "--json").stdout
    assert "unchanged" in report
    failed = stack.manage("no_such_command", check=False)
    assert failed.returncode != 0


def test_a_browser_reaches_the_platform(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/api/v1/health")
    assert "ok" in page.inner_text("body")
