"""Polls, acknowledgements and heartbeats that SQS does not take, and tasks longer than a message stays hidden."""

import json

import pytest

from tests.endpoints.faulty_proxy import NOT_JSON, STALE_HANDLE, THROTTLED, UNAVAILABLE
from tests.endpoints.faulty_proxy import Fault as Answer
from tests.faults.injection import Fault
from tests.faults.platform import SETTINGS as DEFAULTS
from tests.faults.platform import Platform
from tests.faults.settled import assert_nothing_is_left, assert_settled, journal
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-polls")]

STAGES = ("etl", "ml")
VISIBILITY = int(DEFAULTS["QUEUE_VISIBILITY_SECONDS"])
EXPIRED: Answer = (400, b'{"__type":"com.amazonaws.sqs#ExpiredToken","message":"the security token has expired"}')
# As SQS words it: the call is taken, and each handle in it refused.
LOST_HANDLES: Answer = (
    200,
    json.dumps(
        {
            "Successful": [],
            "Failed": [{"Id": str(n), "SenderFault": True, "Code": "ReceiptHandleIsInvalid"} for n in range(10)],
        }
    ).encode(),
)
WORKED_ONCE = ["queued", "processing", "succeeded"]


@pytest.fixture(scope="module")
def pids(platform: Platform) -> dict[str, int]:
    return {stage: platform.pid(f"worker-{stage}") for stage in STAGES}


@pytest.fixture(autouse=True)
def nobody_ends(platform: Platform, pids: dict[str, int]) -> None:
    """Each test begins with the workers that the module began with."""
    assert {stage: platform.pid(f"worker-{stage}") for stage in STAGES} == pids


@pytest.mark.parametrize(
    "answer", [UNAVAILABLE, THROTTLED, EXPIRED, NOT_JSON], ids=["503", "throttled", "expired", "not JSON"]
)
def test_files_go_their_way_when_polls_fail_for_a_while(platform: Platform, answer: Answer) -> None:
    in_work = platform.upload("sales", Fault(point="etl.reading", do="sleep:2"))
    eventually(lambda: platform.fired(in_work), within=30, what="a file is at ETL")
    before = {stage: failed_polls(platform, stage) for stage in STAGES}
    with platform.sqs_proxy.during(answer, "ReceiveMessage"):
        meanwhile = platform.upload("finance")
        eventually(
            lambda: all(failed_polls(platform, stage) > before[stage] for stage in STAGES),
            within=30,
            what="a failed poll of each worker",
        )
    for upload in (in_work, meanwhile):
        assert_once(platform, upload)


def test_files_go_their_way_when_polls_are_refused_for_a_while(platform: Platform) -> None:
    in_work = platform.upload("sales", Fault(point="etl.reading", do="sleep:2"))
    eventually(lambda: platform.fired(in_work), within=30, what="a file is at ETL")
    before = {stage: failed_polls(platform, stage) for stage in STAGES}
    with platform.sqs_proxy.refusing():
        meanwhile = platform.upload("finance")
        eventually(
            lambda: all(failed_polls(platform, stage) > before[stage] for stage in STAGES),
            within=30,
            what="a refused poll of each worker",
        )
    for upload in (in_work, meanwhile):
        assert_once(platform, upload)


def test_a_message_that_cannot_be_deleted_comes_again_and_changes_nothing(platform: Platform) -> None:
    with platform.sqs_proxy.during(STALE_HANDLE, "DeleteMessage"):
        upload = platform.upload("supply_chain")
        # Its ETL message and its ML message.
        eventually(lambda: platform.sqs_proxy.answered >= 2, within=30, what="two refused deletions")
    assert_once(platform, upload)
    assert_nothing_is_left(platform)
    for stage in STAGES:
        assert max(receives(platform, upload, stage)) > 1, "it came again"


def test_a_back_off_that_is_refused_leaves_the_retry_to_the_visibility_timeout(platform: Platform) -> None:
    with platform.sqs_proxy.during(STALE_HANDLE, "ChangeMessageVisibility"):
        upload = platform.upload("supply_chain", Fault(point="etl.reading", do="raise"))
        eventually(lambda: platform.sqs_proxy.answered, within=30, what="a refused back-off")
    assert_settled(platform, upload)
    assert platform.fired(upload) == 1
    assert receives(platform, upload, "etl") == [2]


@pytest.mark.parametrize("answer", [UNAVAILABLE, STALE_HANDLE], ids=["503", "400"])
def test_a_heartbeat_that_fails_is_made_up_for_by_the_next(platform: Platform, answer: Answer) -> None:
    with platform.sqs_proxy.during(answer, "ChangeMessageVisibilityBatch"):
        upload = platform.upload("sales", Fault(point="etl.copying", do=f"sleep:{2 * VISIBILITY}"))
        eventually(lambda: platform.sqs_proxy.answered, within=30, what="a failed beat")
    assert_once(platform, upload)
    assert receives(platform, upload, "etl") == [1]


def test_a_message_that_was_lost_while_it_was_worked_has_one_effect(platform: Platform) -> None:
    """Its handle is stale, so it comes again: the second delivery takes the file over from the first."""
    upload = platform.upload("sales", Fault(point="etl.copying", do=f"sleep:{2 * VISIBILITY}"))
    with platform.sqs_proxy.during(LOST_HANDLES, "ChangeMessageVisibilityBatch"):
        eventually(lambda: platform.sqs_proxy.answered, within=30, what="a refused extension")
    assert_settled(platform, upload)
    assert platform.fired(upload) == 1
    assert max(receives(platform, upload, "etl")) > 1


def test_a_task_longer_than_the_visibility_timeout_is_one_attempt(platform: Platform) -> None:
    computing = platform.upload("sales", Fault(point="ml.computing", do=f"sleep:{3 * VISIBILITY}"))
    copying = platform.upload("finance", Fault(point="etl.copying", do=f"sleep:{3 * VISIBILITY}"))
    for upload in (computing, copying):
        assert_once(platform, upload)
        assert platform.fired(upload) == 1
        for stage in STAGES:
            assert set(receives(platform, upload, stage)) == {1}


def test_after_all_that_nothing_is_left(platform: Platform, pids: dict[str, int]) -> None:
    assert pids
    assert_nothing_is_left(platform)
    assert platform.restarts == dict.fromkeys(platform.restarts, 0)


def failed_polls(platform: Platform, stage: str) -> int:
    return platform.logs(f"worker-{stage}").count(f"of the queue {stage} failed, the next is in")


def receives(platform: Platform, upload: Upload, stage: str) -> list[int]:
    found = platform.sqs_proxy.letters(upload.dataset_id)
    return [letter.receives for letter in found if letter.queue == f"aetherflow-{stage}"]


def assert_once(platform: Platform, upload: Upload) -> None:
    """Settled, and by one attempt at each stage."""
    job = assert_settled(platform, upload)
    assert [stage["attempts"] for stage in job["stages"]] == [1, 1]
    for stage in STAGES:
        assert [event["target"] for event in journal(platform, upload, stage)] == WORKED_ONCE
