"""Messages that come twice, out of order, late, or not at all: each file has its effect exactly once."""

import json
import signal
from dataclasses import replace
from typing import Any

import pytest

from tests.faults import files
from tests.faults.injection import Fault
from tests.faults.mailbox import Mailbox
from tests.faults.platform import Platform
from tests.faults.settled import (
    SECONDS,
    assert_insights,
    assert_journal,
    assert_nothing_is_left,
    assert_reason,
    assert_rows,
    assert_settled,
    await_end,
    journal,
)
from tests.faults.undone import assert_undone, undo
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-messages")]

# All files of a department are to be in the queue at once.
SETTINGS = {"DEPARTMENT_IN_FLIGHT": "50"}
DEPARTMENTS = ("sales", "supply_chain", "finance")
ROWS = 300
SEED = 20260331


@pytest.fixture(scope="module")
def mailboxes(platform: Platform) -> dict[str, Mailbox]:
    return {stage: Mailbox(platform, stage) for stage in ("etl", "ml")}


@pytest.fixture(scope="module")
def undone(platform: Platform) -> Upload:
    """Undone while its message is in the queue."""
    for stage in ("etl", "ml"):
        platform.stop(f"worker-{stage}")
    upload = platform.upload("finance")
    undo(platform, upload)
    return upload


@pytest.fixture(scope="module")
def uploads(platform: Platform, mailboxes: dict[str, Mailbox], undone: Upload) -> dict[str, list[Upload]]:
    """Four files of each department, the last with keys of the first, all delivered twice and out of order."""
    sent = {department: four_files(platform, department) for department in DEPARTMENTS}
    marks = [upload.dataset_id for of_department in sent.values() for upload in of_department]
    mailboxes["etl"].twice_and_shuffled([*marks, undone.dataset_id], seed=SEED)
    platform.start("worker-etl")
    mailboxes["ml"].twice_and_shuffled(marks, seed=SEED)
    # The last insights are computed once all files are loaded: they rest on all of them.
    loaded = "SELECT id FROM jobs_stagerun WHERE stage = 'etl' AND state = 'succeeded'"
    eventually(lambda: len(platform.query(loaded)) == len(marks), within=SECONDS, what="every file is loaded")
    platform.start("worker-ml")
    return sent


def four_files(platform: Platform, department: str) -> list[Upload]:
    make = files.MAKERS[department]
    older, newer = make("shared", rows=ROWS), make("shared", rows=ROWS - 50)
    return [
        platform.upload(department, content=older),
        platform.upload(department, rows=ROWS),
        platform.upload(department, rows=ROWS),
        platform.upload(department, content=newer),
    ]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("department", DEPARTMENTS)
def test_every_message_twice_and_out_of_order_is_one_effect(
    platform: Platform, uploads: dict[str, list[Upload]], department: str, number: int
) -> None:
    upload = uploads[department][number]
    job = assert_settled(platform, upload)
    assert [stage["attempts"] for stage in job["stages"]] == [1, 1]
    for stage in ("etl", "ml"):
        assert [event["target"] for event in journal(platform, upload, stage)] == ["queued", "processing", "succeeded"]
        delivered = [letter for letter in letters(platform, upload, stage) if letter.receives]
        assert len(delivered) >= 2, "the first message and its doubles"
    assert len(platform.query("SELECT id FROM jobs_job WHERE dataset_id = %s", upload.dataset_id)) == 1


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_the_newest_upload_of_a_row_counts_whatever_was_worked_first(
    platform: Platform, uploads: dict[str, list[Upload]], department: str
) -> None:
    for upload in uploads[department]:
        assert_settled(platform, upload)
    dashboard = platform.person(department).get(f"/dashboards/{department}").json()
    for insight in dashboard["insights"]:
        # Two files of their own, and one whose rows are there twice.
        assert insight["basis"]["rows"] == 3 * ROWS
        assert sorted(insight["basis"]["datasets"]) == sorted(upload.dataset_id for upload in uploads[department])


def test_the_message_of_an_undone_upload_is_dropped_each_time(
    platform: Platform, uploads: dict[str, list[Upload]], undone: Upload
) -> None:
    assert uploads
    job = assert_undone(platform, undone, stage="etl")
    assert [event["target"] for event in journal(platform, undone, "etl")] == ["queued", "failed"]
    assert [stage["stage"] for stage in job["stages"]] == ["etl"]
    assert not letters(platform, undone, "ml")


def test_a_message_that_comes_again_long_after_its_job_changes_nothing(
    platform: Platform, uploads: dict[str, list[Upload]], mailboxes: dict[str, Mailbox]
) -> None:
    upload = uploads["sales"][1]
    assert_settled(platform, upload)
    before = everything(platform, upload)
    again(platform, upload, mailboxes)
    assert_settled(platform, upload)
    assert everything(platform, upload) == before


def test_a_message_of_a_job_that_was_reprocessed_meanwhile_changes_nothing(
    platform: Platform, uploads: dict[str, list[Upload]], mailboxes: dict[str, Mailbox]
) -> None:
    upload = uploads["supply_chain"][2]
    assert_settled(platform, upload)
    newer = reprocessed(platform, upload)
    assert_settled(platform, newer)
    before = everything(platform, upload)
    again(platform, upload, mailboxes)
    for settled in (upload, newer):
        assert_settled(platform, settled)
    assert everything(platform, upload) == before


def test_a_message_of_a_failed_job_changes_nothing_once_a_newer_job_has_loaded_the_file(
    platform: Platform, uploads: dict[str, list[Upload]], mailboxes: dict[str, Mailbox]
) -> None:
    assert uploads
    upload = platform.upload("finance", Fault(point="etl.reading", do="raise", times=3))
    assert_settled(platform, upload, failed="etl", code="internal-error")
    newer = reprocessed(platform, upload)
    assert_settled(platform, newer, earlier_dead_letters=1)
    before = everything(platform, upload)
    late = mailboxes["etl"].put(letters(platform, upload, "etl")[0].body)
    eventually(lambda: mailboxes["etl"].letter(late).deleted, within=60, what="the late message is acknowledged")
    assert_settled(platform, newer, earlier_dead_letters=1)
    assert everything(platform, upload) == before


def test_after_a_purge_everything_is_sent_again(
    platform: Platform, uploads: dict[str, list[Upload]], mailboxes: dict[str, Mailbox]
) -> None:
    assert uploads
    assert_nothing_is_left(platform, within=SECONDS)
    # The ML worker has one process, the ETL worker two: what comes after waits in the queue.
    in_work = [platform.upload("sales", Fault(point="ml.computing", do="sleep:120"))]
    eventually(lambda: platform.fired(in_work[0]), within=60, what="a file is at ML")
    lying = [platform.upload("finance") for _ in range(3)]
    for upload in lying:
        eventually(lambda upload=upload: letters(platform, upload, "ml"), within=60, what="files wait for ML")
    in_work += [platform.upload("supply_chain", Fault(point="etl.reading", do="sleep:120")) for _ in range(2)]
    eventually(lambda: all(map(platform.fired, in_work)), within=60, what="two files are at ETL")
    lying += [platform.upload("finance") for _ in range(4)]
    eventually(lambda: letters(platform, lying[-1], "etl"), within=60, what="files wait for ETL")
    for stage, mailbox in mailboxes.items():
        assert mailbox.purge() > 0, f"messages lay in the queue {stage}"
        platform.kill(f"worker-{stage}", signal.SIGKILL, children=True)
    purged = {letter.id for upload in in_work + lying for letter in platform.sqs_proxy.letters(upload.dataset_id)}
    for upload in in_work + lying:
        job = await_end(platform, upload, seconds=SECONDS)
        assert_reason(job, failed=None, code="")
        assert_rows(platform, upload)
        assert_insights(platform, upload)
        assert_journal(platform, upload)
        sent = [letter for letter in platform.sqs_proxy.letters(upload.dataset_id) if letter.id not in purged]
        assert sent, "a message was sent again"
    assert_nothing_is_left(platform)
    assert not purged & platform.dead_letters().keys()


def test_no_worker_ended_unasked_but_the_two_that_were_killed(platform: Platform) -> None:
    assert_nothing_is_left(platform)
    assert platform.restarts == {"web": 0, "worker-etl": 1, "worker-ml": 1, "relay": 0}


def letters(platform: Platform, upload: Upload, stage: str) -> list[Any]:
    found = platform.sqs_proxy.letters(upload.dataset_id)
    return [letter for letter in found if letter.queue == f"aetherflow-{stage}"]


def again(platform: Platform, upload: Upload, mailboxes: dict[str, Mailbox]) -> None:
    """Send the messages of the upload's first job once more; returns when they, and what they led to, are done with."""
    late = {stage: mailbox.put(letters(platform, upload, stage)[0].body) for stage, mailbox in mailboxes.items()}
    for stage, mailbox in mailboxes.items():
        eventually(lambda: mailbox.letter(late[stage]).deleted, within=60, what="it is acknowledged")  # noqa: B023
    assert_nothing_is_left(platform)


def reprocessed(platform: Platform, upload: Upload) -> Upload:
    """The same upload with a newer job."""
    said = platform.manage("reprocess", "--dataset", upload.dataset_id, "--json").stdout
    (entry,) = json.loads(said.splitlines()[-1])
    return replace(upload, job_id=entry["job"])


def everything(platform: Platform, upload: Upload) -> list[object]:
    """All that the upload's messages could change. `xmin` tells a row that was written anew with the same values."""
    number = "(SELECT number FROM datasets_dataset WHERE id = %s)"
    rows = f"SELECT xmin::text, line FROM clean_{upload.department} WHERE dataset_no = {number} ORDER BY line"  # noqa: S608
    runs = "SELECT r.* FROM jobs_stagerun r JOIN jobs_job j ON j.id = r.job_id WHERE j.dataset_id = %s ORDER BY r.id"
    return [
        platform.query(statement, upload.dataset_id)
        for statement in (
            rows,
            runs,
            "SELECT * FROM jobs_job WHERE dataset_id = %s ORDER BY id",
            "SELECT xmin::text, id, computed_at FROM insights_insight WHERE dataset_id = %s ORDER BY id",
        )
    ]
