"""kill -9 of a whole worker, main process and children, at every point of a file's way."""

import pytest

from tests.faults.injection import ETL_POINTS, ML_POINTS, POINTS, Fault
from tests.faults.platform import Platform
from tests.faults.settled import assert_nothing_is_left, assert_settled
from tests.faults.uploads import Upload

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-worker-kills")]

# A worker that dies takes its other task with it: each file sees the ends of several others.
SETTINGS = {"QUEUE_MAX_RECEIVES": "10"}
DEPARTMENTS = ("sales", "supply_chain", "finance")


@pytest.fixture(scope="module")
def killed(platform: Platform) -> dict[str, Upload]:
    """One file for each point, all on their way at once."""
    return {
        point: platform.upload(DEPARTMENTS[number % 3], Fault(point=point, do="kill-worker"))
        for number, point in enumerate(POINTS)
    }


@pytest.fixture(autouse=True)
def everything_is_sent(killed: dict[str, Upload]) -> None:
    """Whichever test is asked for."""


@pytest.mark.parametrize("point", POINTS)
def test_the_file_of_a_killed_worker_is_worked_by_the_next(
    platform: Platform, killed: dict[str, Upload], point: str
) -> None:
    upload = killed[point]
    assert_settled(platform, upload)
    assert platform.fired(upload) == 1
    stage = point.partition(".")[0]
    letters = [letter for letter in platform.sqs_proxy.letters(upload.dataset_id) if letter.queue.endswith(stage)]
    assert any(letter.receives > 1 for letter in letters), "its message came again"


def test_each_worker_was_started_again_and_nothing_is_left(platform: Platform, killed: dict[str, Upload]) -> None:
    for upload in killed.values():
        assert_settled(platform, upload)
    # Two children may come to their points at the same moment, and end the worker together.
    assert 1 <= platform.restarts["worker-etl"] <= len(ETL_POINTS)
    assert 1 <= platform.restarts["worker-ml"] <= len(ML_POINTS)
    assert platform.restarts["web"] == platform.restarts["relay"] == 0
    assert_nothing_is_left(platform)
