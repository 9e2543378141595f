"""Dead letters put back into their queues with real workers behind: each file has its effect once."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import pytest

from tests.endpoints.faulty_proxy import UNAVAILABLE
from tests.faults.injection import Fault
from tests.faults.platform import SETTINGS as DEFAULTS
from tests.faults.platform import Platform
from tests.faults.settled import SECONDS, assert_nothing_is_left, assert_settled, await_end, journal
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-dead-letters")]

ATTEMPTS = int(DEFAULTS["QUEUE_MAX_RECEIVES"])
AT_WORK = {"etl": "etl.reading", "ml": "ml.computing"}


def failing(platform: Platform, stage: Literal["etl", "ml"], department: str = "sales") -> Upload:
    """A file that fails at every attempt, for a reason that is gone afterwards."""
    return platform.upload(department, Fault(point=AT_WORK[stage], do="raise", times=ATTEMPTS))


def letter_of(platform: Platform, stage: Literal["etl", "ml"], upload: Upload) -> dict[str, Any]:
    """Its letter, once it lies in the DLQ."""
    await_end(platform, upload, failed=stage, seconds=SECONDS)
    found: dict[str, Any] = eventually(
        lambda: listed(platform, stage).get(upload.job_id), within=60, what="its letter lies in the DLQ"
    )
    return found


def listed(platform: Platform, stage: str) -> dict[str, dict[str, Any]]:
    """job → its letter."""
    done = platform.manage("dlq", "list", stage, "--json", check=False)
    (look,) = told(done) if done.returncode == 0 else ({"letters": []},)
    return {each["job"]["id"]: each for each in look["letters"] if each["job"]}


def told(done: "subprocess.CompletedProcess[str]") -> Any:
    """The report, which is the last line; those before are the log's."""
    return json.loads(done.stdout.splitlines()[-1])


def redriving(platform: Platform, *arguments: str) -> dict[str, str]:
    """message id → result."""
    report = told(platform.manage("dlq", "redrive", *arguments, "--json", check=False))
    return {each["id"]: each["result"] for each in report["letters"]}


@pytest.mark.parametrize("stage", ["etl", "ml"])
def test_a_redriven_letter_leads_to_work(platform: Platform, stage: Literal["etl", "ml"]) -> None:
    upload = failing(platform, stage)
    letter = letter_of(platform, stage, upload)
    assert letter["reason"].startswith("internal-error: ")
    assert redriving(platform, stage, letter["id"]) == {letter["id"]: "done"}
    job = assert_settled(platform, upload)
    assert [each["attempts"] for each in job["stages"]] == [1, 1]
    targets = [event["target"] for event in journal(platform, upload, stage)]
    assert targets == ["queued", *["processing", "failed"] * ATTEMPTS, "queued", "processing", "succeeded"]


def test_two_operators_at_once_do_nothing_twice(platform: Platform) -> None:
    uploads = [failing(platform, "etl", department) for department in ("sales", "finance", "supply_chain")]
    letters = {letter_of(platform, "etl", upload)["id"] for upload in uploads}
    with ThreadPoolExecutor(2) as operators:
        reports = list(operators.map(lambda _: redriving(platform, "etl", "--all"), range(2)))
    done = [each for report in reports for each, result in report.items() if result == "done"]
    assert sorted(done) == sorted(letters)
    for upload in uploads:
        assert_settled(platform, upload)
        assert [event["target"] for event in journal(platform, upload, "etl")].count("succeeded") == 1


def test_a_letter_that_could_not_be_deleted_is_worked_once(platform: Platform) -> None:
    upload = failing(platform, "etl")
    letter = letter_of(platform, "etl", upload)
    # The workers cannot acknowledge meanwhile: what they have done comes again, and finds itself done.
    with platform.sqs_proxy.during(UNAVAILABLE, "DeleteMessage"):
        assert redriving(platform, "etl", letter["id"]) == {letter["id"]: "done"}
    await_end(platform, upload, seconds=SECONDS)
    left = eventually(lambda: listed(platform, "etl").get(upload.job_id), within=60, what="the letter is there still")
    assert "The stage is done since" in left["obstacle"]
    assert redriving(platform, "etl", letter["id"]) == {letter["id"]: "refused"}
    platform.manage("dlq", "discard", "etl", letter["id"], "--reason", "its copy was worked")
    assert_settled(platform, upload)
    assert [event["target"] for event in journal(platform, upload, "etl")].count("succeeded") == 1


def test_nothing_is_left_and_no_worker_ended(platform: Platform) -> None:
    assert_nothing_is_left(platform)
    assert platform.restarts == dict.fromkeys(platform.restarts, 0)
    for stage in AT_WORK:
        assert listed(platform, stage) == {}
