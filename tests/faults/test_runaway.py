"""Files that take too much: memory without end, or time without end, at every attempt. The workers outlive them all."""

import json
from typing import Literal, get_args

import pytest

from tests.faults.injection import Fault
from tests.faults.platform import SETTINGS as DEFAULTS
from tests.faults.platform import Platform
from tests.faults.settled import assert_nothing_is_left, assert_settled, journal
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-runaway")]

StageName = Literal["etl", "ml"]

ATTEMPTS = int(DEFAULTS["QUEUE_MAX_RECEIVES"])
SETTINGS = {
    "WORKER_MEMORY_LIMIT_MB": "800",  # a child that works an honest file takes 300
    # In seconds; an honest file takes less, on a busy machine too.
    "ETL_SOFT_TIME_LIMIT_SECONDS": "10",
    "ETL_TIME_LIMIT_SECONDS": "12",
    "ML_SOFT_TIME_LIMIT_SECONDS": "10",
    "ML_TIME_LIMIT_SECONDS": "12",
    # The ML worker has one process: what waits behind a file without end must not be taken for lost and sent again.
    "RELAY_GRACE_SECONDS": "120",
}
AT_WORK = {"etl": "etl.reading", "ml": "ml.computing"}


@pytest.fixture(scope="module")
def workers(platform: Platform) -> dict[str, int]:
    """The main processes before any of this."""
    return {name: platform.pid(name) for name in ("worker-etl", "worker-ml")}


@pytest.fixture(scope="module")
def greedy(platform: Platform, workers: dict[str, int]) -> dict[str, Upload]:
    """For each stage a file that takes more memory than a worker may, at every attempt."""
    return {
        stage: platform.upload("finance", Fault(point=point, do="eat-memory:3072", times=ATTEMPTS))
        for stage, point in AT_WORK.items()
    }


@pytest.fixture(scope="module")
def beside(platform: Platform, greedy: dict[str, Upload]) -> Upload:
    """An honest file, in work while the process beside it is ended."""
    return platform.upload("supply_chain", Fault(point="etl.reading", do="sleep:4"))


@pytest.fixture(scope="module")
def endless(platform: Platform, beside: Upload) -> dict[str, Upload]:
    """A file that is deaf to the soft time limit, as a native call that never returns is, and one that heeds it."""
    return {
        "etl": platform.upload("sales", Fault(point="etl.reading", do="hang", times=ATTEMPTS)),
        "ml": platform.upload("sales", Fault(point="ml.computing", do="sleep:600", times=ATTEMPTS)),
    }


@pytest.fixture(autouse=True)
def everything_is_sent(endless: dict[str, Upload]) -> None:
    """Whichever test is asked for."""


@pytest.mark.parametrize("stage", get_args(StageName))
def test_a_file_that_takes_the_memory_fails_for_good_and_a_retry_loads_it(
    platform: Platform, workers: dict[str, int], greedy: dict[str, Upload], stage: StageName
) -> None:
    upload = greedy[stage]
    job = assert_settled(platform, upload, failed=stage, code="memory-limit")
    (reason,) = [run["error"] for run in job["stages"] if run["stage"] == stage]
    assert "800 MB" in reason["message"]
    assert platform.fired(upload) == ATTEMPTS
    assert notes(platform, upload, stage) == ["memory-limit"] * ATTEMPTS
    assert platform.pid(f"worker-{stage}") == workers[f"worker-{stage}"]
    assert_retried(platform, upload)


@pytest.mark.parametrize("stage", get_args(StageName))
def test_operators_are_told_whose_file_it_was_and_what_it_took(
    platform: Platform, greedy: dict[str, Upload], stage: StageName
) -> None:
    upload = greedy[stage]
    ids = {"job_id": upload.job_id, "dataset_id": upload.dataset_id, "request_id": upload.request_id}

    def told() -> list[dict[str, object]]:
        lines = [json.loads(line) for line in platform.logs(f"worker-{stage}").splitlines() if line.startswith("{")]
        return [
            line for line in lines if line.get("event") == "worker_child_over_memory" and ids.items() <= line.items()
        ]

    # By the last attempt there is one line for each; a later retry brings none.
    eventually(lambda: len(told()) >= ATTEMPTS, within=60, what=f"{ATTEMPTS} lines of worker-{stage}")
    assert [line["limit_mb"] for line in told()] == [800] * ATTEMPTS
    assert all(int(str(line["rss_mb"])) > 800 for line in told())


def test_a_file_beside_them_notices_nothing(platform: Platform, beside: Upload) -> None:
    assert_settled(platform, beside)
    assert platform.fired(beside) == 1
    for stage in AT_WORK:
        states = [event["target"] for event in journal(platform, beside, stage)]
        assert states == ["queued", "processing", "succeeded"]


@pytest.mark.parametrize(
    ("stage", "ended_by"), [("etl", "TimeLimitExceeded"), ("ml", "SoftTimeLimitExceeded")], ids=["deaf", "heeding"]
)
def test_a_file_that_does_not_end_is_ended_and_fails_for_good(
    platform: Platform, workers: dict[str, int], endless: dict[str, Upload], stage: StageName, ended_by: str
) -> None:
    upload = endless[stage]
    assert_settled(platform, upload, failed=stage, code="time-limit")
    assert platform.fired(upload) == ATTEMPTS
    assert notes(platform, upload, stage) == ["time-limit"] * ATTEMPTS
    (run,) = platform.query(
        "SELECT traceback FROM jobs_stagerun WHERE job_id = %s AND stage = %s", upload.job_id, stage
    )
    raised = run["traceback"].splitlines()[-1].partition(":")[0].rpartition(".")[2].partition("(")[0]
    assert raised == ended_by
    assert platform.pid(f"worker-{stage}") == workers[f"worker-{stage}"]
    assert_retried(platform, upload)


def test_no_worker_was_started_again_and_nothing_is_left(platform: Platform, workers: dict[str, int]) -> None:
    assert_nothing_is_left(platform)
    assert {name: platform.pid(name) for name in workers} == workers
    assert set(platform.restarts.values()) == {0}


def notes(platform: Platform, upload: Upload, stage: str) -> list[str]:
    """Why each attempt failed."""
    return [event["note"] for event in journal(platform, upload, stage) if event["target"] == "failed"]


def assert_retried(platform: Platform, upload: Upload) -> None:
    """The fault is spent: the owner asks for the file again, and it is worked as if nothing had happened."""
    answer = platform.person(upload.department).post(f"/jobs/{upload.job_id}/retry")
    assert answer.status_code == 202, answer.text
    assert_settled(platform, upload, earlier_dead_letters=1)
