"""kill -9 of the child process that works a file, at every point of the file's way."""

from typing import Literal

import pytest

from tests.faults import injection
from tests.faults.injection import BIRTH, BIRTHS, ETL_POINTS, ML_POINTS, Fault
from tests.faults.platform import Platform
from tests.faults.settled import (
    SECONDS,
    assert_nothing_is_left,
    assert_rows,
    assert_settled,
    assert_told,
    journal,
)
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-kills")]

# On a busy machine a killed child's file takes long: no copy of its message may be sent as if it were lost.
SETTINGS = {"RELAY_GRACE_SECONDS": "120"}
DEPARTMENTS = ("sales", "supply_chain", "finance")
# The main process deletes the message; its own death is the whole worker's.
POINTS = [point for point in (*ETL_POINTS, *ML_POINTS) if not point.endswith(".acking")]
# Here nobody holds the stage yet, or it is done: the death changes nothing that a person could see.
UNSEEN = {"etl.before-claim", "etl.committed", "etl.published", "ml.before-claim", "ml.committed"}


@pytest.fixture(scope="module")
def killed(platform: Platform) -> dict[str, Upload]:
    """One file for each point, all on their way at once."""
    return {
        point: platform.upload(DEPARTMENTS[number % 3], Fault(point=point, do="kill-child"))
        for number, point in enumerate(POINTS)
    }


@pytest.fixture(scope="module")
def doomed(platform: Platform, killed: dict[str, Upload]) -> dict[str, Upload]:
    """A file for each stage that ends its child at every attempt; on their way with the others."""
    return {
        stage: platform.upload("sales", Fault(point=f"{stage}.claimed", do="kill-child", times=3))
        for stage in ("etl", "ml")
    }


@pytest.fixture(autouse=True)
def everything_is_sent(doomed: dict[str, Upload]) -> None:
    """Whichever test is asked for."""


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_child_costs_an_attempt_and_nothing_else(
    platform: Platform, killed: dict[str, Upload], point: str
) -> None:
    upload = killed[point]
    assert_settled(platform, upload)
    assert platform.fired(upload) == 1
    stage = point.partition(".")[0]
    states = [event["target"] for event in journal(platform, upload, stage)]
    lost = [] if point in UNSEEN else ["processing", "failed"]
    assert states == ["queued", *lost, "processing", "succeeded"]


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_child_is_told_of_in_the_log_with_the_ids_to_look_it_up_by(
    platform: Platform, killed: dict[str, Upload], point: str
) -> None:
    assert_settled(platform, killed[point])
    assert_told(platform, killed[point], stage=point.partition(".")[0])


@pytest.mark.parametrize("stage", ["etl", "ml"])
def test_a_file_that_kills_every_child_fails_for_good_and_a_retry_loads_it(
    platform: Platform, doomed: dict[str, Upload], stage: Literal["etl", "ml"]
) -> None:
    upload = doomed[stage]
    assert_settled(platform, upload, failed=stage, code="worker-lost")
    assert platform.fired(upload) == 3
    assert_retried(platform, upload)


@pytest.mark.parametrize("point", ["etl.copying", "etl.committing"])
def test_nobody_sees_rows_that_are_not_committed(platform: Platform, point: str) -> None:
    upload = platform.upload("supply_chain", Fault(point=point, do="sleep:2"))
    eventually(lambda: platform.fired(upload), within=30, what=f"the file is at {point}")
    assert_rows(platform, upload, loaded=False)
    assert_settled(platform, upload)


def test_a_file_that_kills_every_worker_fails_for_good_and_a_retry_loads_it(platform: Platform) -> None:
    # A worker that dies takes its other task with it, and this module's files have three attempts each.
    assert_nothing_is_left(platform, within=SECONDS)
    before = platform.restarts["worker-etl"]
    upload = platform.upload("finance", Fault(point="etl.copying", do="kill-worker", times=3))
    assert_settled(platform, upload, failed="etl", code="worker-lost")
    assert (platform.fired(upload), platform.restarts["worker-etl"] - before) == (3, 3)
    assert_retried(platform, upload)


def test_a_child_that_hangs_at_its_birth_is_replaced_and_costs_no_attempt(platform: Platform) -> None:
    """As one does that was forked while a thread of its parent held a lock in a library."""
    injection.arm(platform.faults, Fault(point=BIRTH, do="hang"), request_id=BIRTHS)
    upload = platform.upload("supply_chain", Fault(point="ml.claimed", do="kill-child"))
    job = assert_settled(platform, upload)
    assert (platform.fired(upload), injection.fired(platform.faults, request_id=BIRTHS)) == (1, 1)
    assert [stage["attempts"] for stage in job["stages"]] == [1, 2]
    assert "Timed out waiting for UP message" in platform.logs("worker-ml")


def test_after_all_that_nothing_is_left(platform: Platform) -> None:
    assert_nothing_is_left(platform)


def assert_retried(platform: Platform, upload: Upload) -> None:
    """The owner asks for it again, and all is as if nothing had happened."""
    answer = platform.person(upload.department).post(f"/jobs/{upload.job_id}/retry")
    assert answer.status_code == 202, answer.text
    assert_settled(platform, upload, earlier_dead_letters=1)
