"""A job that is cancelled at any point of its way: its worker stops soon and goes on with other files, nothing of what
it was at is left, and a retry works the file after all."""

import time
from dataclasses import dataclass

import pytest

from tests.faults.injection import Fault
from tests.faults.platform import Platform
from tests.faults.settled import (
    SECONDS,
    assert_insights,
    assert_journal,
    assert_messages,
    assert_nothing_is_left,
    assert_rows,
    assert_settled,
    journal,
)
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-cancel")]

# Read for half a minute and longer, if nobody cancels it.
LONG_ROWS, BATCHES, BATCH_SECONDS = 200_000, 6, 5
# Longer than it takes to cancel it, on a machine that has other things to do.
AT_WORK = "sleep:40"
POINTS = ("queued", "reading", "copying", "committing", "computing")
WHY = "it is last year's file"


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """The uploads whose job was cancelled, by where they were; seconds until both workers of the two were free."""

    uploads: dict[str, Upload]
    batches_read: int
    free_after: float


@pytest.fixture(scope="module")
def cancelled(platform: Platform) -> Cancelled:
    # Both processes of the ETL worker are at work: what comes next waits.
    reading = platform.upload(
        "finance", Fault(point="etl.reading", do=f"sleep:{BATCH_SECONDS}", times=BATCHES), rows=LONG_ROWS
    )
    copying = platform.upload("finance", Fault(point="etl.copying", do=AT_WORK))
    for upload in (reading, copying):
        await_point(platform, upload)
    queued = platform.upload("finance")
    cancel(platform, reading, copying, queued)
    batches_read, began = platform.fired(reading), time.monotonic()
    # As long as the two were in hand it would not be begun.
    committing = platform.upload("supply_chain", Fault(point="etl.committing", do=AT_WORK))
    await_point(platform, committing)
    free_after = time.monotonic() - began
    computing = platform.upload("sales", Fault(point="ml.computing", do=AT_WORK))
    cancel(platform, committing)
    await_point(platform, computing)
    cancel(platform, computing)
    uploads = {
        "queued": queued,
        "reading": reading,
        "copying": copying,
        "committing": committing,
        "computing": computing,
    }
    return Cancelled(uploads=uploads, batches_read=batches_read, free_after=free_after)


def await_point(platform: Platform, upload: Upload) -> None:
    eventually(lambda: platform.fired(upload), within=60, what="the file is where its job is to be cancelled")


def cancel(platform: Platform, *uploads: Upload) -> None:
    platform.run("-m", "tests.faults.operator", "cancel", WHY, *(upload.job_id for upload in uploads))


@pytest.mark.parametrize("point", POINTS)
def test_a_job_cancelled_anywhere_says_by_whom_and_leaves_nothing_of_what_it_was_at(
    platform: Platform, cancelled: Cancelled, point: str
) -> None:
    upload = cancelled.uploads[point]
    person = platform.person(upload.department)
    job = person.watch(upload.job_id, until=lambda job: job["status"] == "failed", seconds=SECONDS)
    (ended,) = [run for run in job["stages"] if run["status"] == "failed"]
    at_ml = point in {"committing", "computing"}
    assert ended["stage"] == ("ml" if at_ml else "etl")
    assert (ended["error"]["code"], ended["dead_lettered"]) == ("cancelled", False)
    assert ended["error"]["message"] == f"Olive Operator cancelled the job: {WHY}"
    assert_messages(platform, upload, dead_letters=0, seconds=SECONDS)
    assert_rows(platform, upload, loaded=at_ml)
    assert_insights(platform, upload, computed=False)
    assert_journal(platform, upload)
    assert [event["target"] for event in journal(platform, upload, ended["stage"])][-1] == "failed"


def test_a_long_file_is_stopped_in_its_midst_and_its_worker_goes_on_with_another(
    platform: Platform, cancelled: Cancelled
) -> None:
    # The batch that is read at the moment is the last.
    assert platform.fired(cancelled.uploads["reading"]) <= cancelled.batches_read + 1 < BATCHES
    assert cancelled.free_after < (BATCHES - 1) * BATCH_SECONDS
    assert_nothing_is_left(platform, within=SECONDS)
    assert not platform.dead_letters()
    assert platform.restarts == dict.fromkeys(platform.restarts, 0)


@pytest.mark.parametrize("point", ["queued", "copying", "committing", "computing"])
def test_a_cancelled_job_that_is_retried_is_worked_as_if_nothing_had_been(
    platform: Platform, cancelled: Cancelled, point: str
) -> None:
    assert_nothing_is_left(platform, within=SECONDS)
    upload = cancelled.uploads[point]
    answer = platform.person(upload.department).post(f"/jobs/{upload.job_id}/retry")
    assert answer.status_code == 202, answer.text
    assert_settled(platform, upload)
