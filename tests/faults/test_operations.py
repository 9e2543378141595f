"""A bad release has failed many files; they are retried as one operation, whatever becomes of the relays at it."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from config.local import ROOT
from config.local.processes import end
from tests.faults.injection import Fault
from tests.faults.platform import Platform
from tests.faults.settled import SECONDS, assert_nothing_is_left, assert_settled, await_end
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-operations")]

FILES, RATE, KILLS = 20, 60, 3
WHY = "the release of Monday could not read them"
ITEMS = "SELECT status, words FROM jobs_operationitem"


@pytest.fixture(scope="module")
def failed(platform: Platform) -> list[Upload]:
    uploads = [
        platform.upload(department, Fault(point="etl.reading", do="raise", times=3), rows=30)
        for _ in range(FILES // 2)
        for department in ("sales", "finance")
    ]
    for upload in uploads:
        await_end(platform, upload, failed="etl", seconds=SECONDS)
    return uploads


@pytest.fixture(scope="module")
def second_relay(platform: Platform) -> Iterator[None]:
    with (platform.home.logs / "second-relay.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "relay", "--loop"], cwd=ROOT, env=platform.env, stdout=log, stderr=log
        )
    yield
    end(process.pid, patience=10)
    process.wait()


def test_many_are_retried_once_each_while_relays_are_killed_between_and_at_their_items(
    platform: Platform, failed: list[Upload], second_relay: None
) -> None:
    platform.run("-m", "tests.faults.operator", "retry", WHY, "internal-error", str(RATE))
    for kill in range(KILLS):
        reached = (kill + 1) * FILES // (KILLS + 2)
        eventually(lambda reached=reached: done(platform) >= reached, within=60, what=f"{reached} items are done")
        restarts = platform.restarts["relay"]
        platform.kill("relay", signal.SIGKILL)
        eventually(lambda before=restarts: platform.restarts["relay"] > before, within=20, what="it starts again")
    assert done(platform) < FILES, "the last of them died before the end"
    for upload in failed:
        assert_settled(platform, upload, earlier_dead_letters=1)
    assert {(item["status"], item["words"]) for item in platform.query(ITEMS)} == {("done", "Queued again from etl.")}
    (operation,) = platform.query("SELECT total, done, refused, ended_at, stopped_at FROM jobs_operation")
    assert (operation["total"], operation["done"], operation["refused"]) == (FILES, FILES, 0)
    assert operation["ended_at"] is not None
    assert operation["stopped_at"] is None
    told = platform.query("SELECT target_id, reason FROM accounts_auditentry WHERE action = 'job-retried'")
    assert sorted(entry["target_id"] for entry in told) == sorted(upload.job_id for upload in failed)
    assert {entry["reason"] for entry in told} == {WHY}
    assert_nothing_is_left(platform)
    assert platform.restarts == {**dict.fromkeys(platform.restarts, 0), "relay": KILLS}


def done(platform: Platform) -> int:
    return sum(item["status"] == "done" for item in platform.query(ITEMS))
