"""Machines whose clocks are ten minutes apart: who lives and what is overdue is told by the database's clock alone."""

import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.endpoints.faulty_proxy import UNAVAILABLE
from tests.faults.injection import Fault
from tests.faults.platform import SETTINGS, Platform
from tests.faults.settled import assert_nothing_is_left, assert_settled, journal, told_of

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-clocks")]

# With threads; Debian's place, and that of others.
LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1")
# Two visibility timeouts and three heartbeats, and then some: the relay has looked for lost work several times.
LONG = 2 * int(SETTINGS["QUEUE_VISIBILITY_SECONDS"]) + 3
# Nothing may wait for the minutes that the clocks are apart.
SOON = 45
TEN_MINUTES = 600


def clock(seconds: int) -> dict[str, str]:
    """What a process is started with to see the time of day so many seconds from now; it is skipped where the library
    is missing, and fails in CI, where it should be there."""
    found = [path for pattern in LIBRARIES for path in Path("/").glob(pattern.removeprefix("/"))]
    if not found:
        notice = "No libfaketime. Debian: apt-get install faketime"
        if os.environ.get("CI"):
            pytest.fail(notice)
        pytest.skip(notice)
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": f"{seconds:+d}s",
        # Durations are measured right on a machine whose clock is wrong, and the files' times are other machines'.
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


@pytest.fixture(scope="module", params=[TEN_MINUTES, -TEN_MINUTES], ids=["worker ahead", "worker behind"])
def skewed(platform: Platform, request: pytest.FixtureRequest) -> Iterator[Platform]:
    """The ETL worker on one side of the true time, the relay on the other."""
    ahead: int = request.param
    platform.restart("worker-etl", **clock(ahead))
    platform.restart("relay", **clock(-ahead))
    platform.await_ready()
    assert_apart(platform, ahead)
    yield platform
    platform.restart("worker-etl")
    platform.restart("relay")
    platform.await_ready()


def assert_apart(platform: Platform, ahead: int) -> None:
    """The processes' own clocks, as their logs tell them: the relay sends a file, the worker begins with it."""
    with platform.sqs_proxy.during(UNAVAILABLE, "SendMessage"):
        upload = platform.upload("sales")
    job = assert_settled(platform, upload, seconds=SOON)
    began = datetime.fromisoformat(job["created_at"])
    for name, event, skew in (("relay", "stage_sent", -ahead), ("worker-etl", "stage_started", ahead)):
        (line,) = [line for line in told_of(platform, upload, by=name) if line["event"] == event]
        passed = datetime.fromisoformat(line["timestamp"]) - began
        assert abs(passed.total_seconds() - skew) < SOON, name


def test_uploads_settle_at_their_first_attempt(skewed: Platform) -> None:
    began = time.monotonic()
    uploads = [skewed.upload(department) for department in ("sales", "supply_chain", "finance")]
    for upload in uploads:
        job = assert_settled(skewed, upload, seconds=SOON)
        assert [stage["attempts"] for stage in job["stages"]] == [1, 1]
        assert 0 <= job["duration_ms"] < SOON * 1000
    assert time.monotonic() - began < SOON


def test_a_long_task_of_a_living_worker_is_left_to_it(skewed: Platform) -> None:
    upload = skewed.upload("sales", Fault(point="etl.copying", do=f"sleep:{LONG}"))
    job = assert_settled(skewed, upload, seconds=LONG + SOON)
    assert skewed.fired(upload) == 1
    assert [stage["attempts"] for stage in job["stages"]] == [1, 1]
    for stage in ("etl", "ml"):
        assert [event["target"] for event in journal(skewed, upload, stage)] == ["queued", "processing", "succeeded"]


def test_the_file_of_a_killed_worker_is_worked_again_within_seconds(skewed: Platform) -> None:
    upload = skewed.upload("supply_chain", Fault(point="etl.copying", do="kill-worker"))
    job = assert_settled(skewed, upload, seconds=SOON)
    assert skewed.fired(upload) == 1
    assert job["stages"][0]["attempts"] == 2


def test_a_web_server_with_a_wrong_clock_still_sees_the_others_alive(platform: Platform) -> None:
    platform.restart("web", **clock(TEN_MINUTES))
    platform.await_ready(seconds=SOON)
    assert_settled(platform, platform.upload("sales"), seconds=SOON)


def test_after_all_that_nothing_is_left(platform: Platform) -> None:
    assert_nothing_is_left(platform)
