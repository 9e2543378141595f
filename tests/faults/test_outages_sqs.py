"""SQS away: while files come in, between a file's stages, and for longer than a message stays hidden."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from tests.endpoints.faulty_proxy import UNAVAILABLE
from tests.faults.injection import Fault
from tests.faults.platform import Platform
from tests.faults.settled import assert_nothing_is_left, assert_settled, journal, told_of
from tests.faults.uploads import Row, Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-outages-sqs")]

DEPARTMENTS = ("sales", "supply_chain", "finance")
OUTAGE_SECONDS = 20
# A person waits for the answer. The platform may try SQS, but not for long.
ANSWER_SECONDS = 15
PROCESSES = ("web", "worker-etl", "worker-ml", "relay")


@dataclass(kw_only=True)
class Outage:
    """Files by where they were when SQS went away, and what was seen before it came back."""

    loading: Upload
    computing: Upload
    between: Upload
    meanwhile: list[Upload]
    answered_within: float
    outbox: list[Row]
    pids: dict[str, int]
    pids_afterwards: dict[str, int]


@pytest.fixture(scope="module")
def outage(platform: Platform) -> Outage:
    """Nobody listens at SQS' address: the one outage that the tests look at from all sides."""
    for department in DEPARTMENTS:
        platform.person(department)
    # Both sleep for longer than a message stays hidden: what keeps it hidden cannot be said while SQS is away.
    computing = platform.upload("supply_chain", Fault(point="ml.computing", do="sleep:8"))
    eventually(lambda: platform.fired(computing), within=30, what="a file is at ML")
    loading = platform.upload("sales", Fault(point="etl.copying", do="sleep:8"))
    between = platform.upload("finance", Fault(point="etl.committed", do="sleep:3"))
    eventually(lambda: platform.fired(loading) and platform.fired(between), within=30, what="two files are at ETL")
    pids = {name: platform.pid(name) for name in PROCESSES}
    with platform.sqs_proxy.refusing():
        began = time.monotonic()
        meanwhile, slowest = timed_uploads(platform)
        waiting = outbox(platform, meanwhile)
        eventually(lambda: not_published(platform, between), within=30, what="the chain's message failed")
        time.sleep(max(0, began + OUTAGE_SECONDS - time.monotonic()))
    return Outage(
        loading=loading,
        computing=computing,
        between=between,
        meanwhile=meanwhile,
        answered_within=slowest,
        outbox=waiting,
        pids=pids,
        pids_afterwards={name: platform.pid(name) for name in PROCESSES},
    )


def timed_uploads(platform: Platform) -> tuple[list[Upload], float]:
    """Two files of each department, and how long the slowest answer took."""
    uploads, slowest = [], 0.0
    for department in DEPARTMENTS * 2:
        began = time.monotonic()
        uploads.append(platform.upload(department))
        slowest = max(slowest, time.monotonic() - began)
    return uploads, slowest


def outbox(platform: Platform, uploads: Iterable[Upload]) -> list[Row]:
    return platform.query(
        "SELECT stage, state, dispatched_at, attempts FROM jobs_stagerun WHERE job_id = ANY(%s::uuid[])",
        [upload.job_id for upload in uploads],
    )


def not_published(platform: Platform, upload: Upload) -> bool:
    return any(line["level"] == "error" for line in told_of(platform, upload, by="worker-etl"))


WAITING = {"stage": "etl", "state": "queued", "dispatched_at": None, "attempts": 0}


def test_uploads_are_answered_in_bounded_time_and_wait_in_the_outbox(outage: Outage) -> None:
    assert outage.answered_within < ANSWER_SECONDS
    assert outage.outbox == [WAITING] * len(outage.meanwhile)


def test_what_waited_is_sent_by_itself_and_worked_once(platform: Platform, outage: Outage) -> None:
    for upload in outage.meanwhile:
        job = assert_settled(platform, upload)
        assert [stage["attempts"] for stage in job["stages"]] == [1, 1]
        lines = [line for name in PROCESSES for line in told_of(platform, upload, by=name)]
        assert any(line["event"] == "stage_sent" for line in lines)


def test_the_log_says_what_was_not_sent(platform: Platform, outage: Outage) -> None:
    for upload in outage.meanwhile[: len(DEPARTMENTS)]:
        lines = told_of(platform, upload, by="web") + told_of(platform, upload, by="relay")
        assert any((line["level"], line["event"]) == ("warning", "stage_not_sent") for line in lines)


def test_a_file_between_its_stages_goes_on_to_ml_once_and_is_not_loaded_twice(
    platform: Platform, outage: Outage
) -> None:
    upload = outage.between
    job = assert_settled(platform, upload)
    assert [stage["attempts"] for stage in job["stages"]] == [1, 1]
    for stage in ("etl", "ml"):
        assert [event["target"] for event in journal(platform, upload, stage)] == ["queued", "processing", "succeeded"]


@pytest.mark.parametrize("stage", ["loading", "computing"])
def test_work_in_hand_goes_on_and_counts_once(platform: Platform, outage: Outage, stage: str) -> None:
    upload: Upload = getattr(outage, stage)
    job = assert_settled(platform, upload)
    assert [each["attempts"] for each in job["stages"]] == [1, 1]


def test_every_process_outlives_the_outage(platform: Platform, outage: Outage) -> None:
    platform.await_ready()
    assert outage.pids_afterwards == outage.pids
    assert not any(platform.restarts.values())


def test_uploads_that_sqs_answers_with_503_wait_and_are_sent_too(platform: Platform, outage: Outage) -> None:
    assert_settled(platform, outage.between)
    with platform.sqs_proxy.during(UNAVAILABLE, "SendMessage"):
        uploads, slowest = timed_uploads(platform)
        assert platform.sqs_proxy.answered, "it was asked"
        assert slowest < ANSWER_SECONDS
        assert outbox(platform, uploads) == [WAITING] * len(uploads)
    for upload in uploads:
        job = assert_settled(platform, upload)
        assert [stage["attempts"] for stage in job["stages"]] == [1, 1]


def test_after_all_that_nothing_is_left(platform: Platform, outage: Outage) -> None:
    assert outage.meanwhile
    assert_nothing_is_left(platform)
