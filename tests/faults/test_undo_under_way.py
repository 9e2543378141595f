"""Undo of an upload at any point of its way: complete, soon, and with the numbers it had hidden back again."""

import time
from dataclasses import dataclass

import pytest

from tests.faults import files
from tests.faults.injection import Fault
from tests.faults.platform import Platform
from tests.faults.settled import SECONDS, assert_insights, assert_nothing_is_left, assert_settled, journal
from tests.faults.undone import assert_gone, assert_undone, undo
from tests.faults.uploads import Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-undo")]

ROWS = 300
# Read for half a minute and longer, if nobody undoes it.
LONG_ROWS, BATCHES = 200_000, 6
BATCH_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Undone:
    """The uploads that were undone, by where they were."""

    queued: Upload
    reading: Upload
    copying: Upload
    committing: Upload
    computing: Upload
    finished: Upload
    kept: dict[str, Upload]
    batches_read: int


@pytest.fixture(scope="module")
def undone(platform: Platform) -> Undone:
    kept = {department: platform.upload(department, rows=ROWS) for department in ("finance", "supply_chain")}
    finished = platform.upload("supply_chain")
    for upload in (*kept.values(), finished):
        assert_settled(platform, upload)
    # Both processes of the ETL worker are at work: what comes next waits.
    reading = platform.upload(
        "finance", Fault(point="etl.reading", do=f"sleep:{BATCH_SECONDS}", times=BATCHES), rows=LONG_ROWS
    )
    copying = platform.upload("finance", Fault(point="etl.copying", do="sleep:6"))
    for upload in (reading, copying):
        await_point(platform, upload)
    queued = platform.upload("finance")
    for upload in (queued, reading, copying):
        undo(platform, upload)
    batches_read = platform.fired(reading)
    committing = platform.upload("supply_chain", Fault(point="etl.committing", do="sleep:3"))
    computing = platform.upload("supply_chain", Fault(point="ml.computing", do="sleep:5"))
    for upload in (committing, computing):
        await_point(platform, upload)
        undo(platform, upload)
    undo(platform, finished)
    return Undone(
        queued=queued,
        reading=reading,
        copying=copying,
        committing=committing,
        computing=computing,
        finished=finished,
        kept=kept,
        batches_read=batches_read,
    )


def await_point(platform: Platform, upload: Upload) -> None:
    eventually(lambda: platform.fired(upload), within=60, what="the file is where it is to be undone")


def test_an_upload_undone_while_it_waits_is_never_worked(platform: Platform, undone: Undone) -> None:
    assert_undone(platform, undone.queued, stage="etl")
    assert [event["target"] for event in journal(platform, undone.queued, "etl")] == ["queued", "failed"]


def test_an_upload_undone_while_it_is_read_ends_before_its_last_batch(platform: Platform, undone: Undone) -> None:
    job = assert_undone(platform, undone.reading, stage="etl")
    # The batch that is read at the moment is the last.
    assert platform.fired(undone.reading) <= undone.batches_read + 1 < BATCHES
    assert [stage["stage"] for stage in job["stages"]] == ["etl"]


def test_an_upload_undone_while_it_is_copied_leaves_nothing(platform: Platform, undone: Undone) -> None:
    assert_undone(platform, undone.copying, stage="etl")
    assert platform.fired(undone.copying) == 1


@pytest.mark.parametrize("point", ["committing", "computing"])
def test_an_upload_undone_once_its_rows_are_loaded_leaves_nothing(
    platform: Platform, undone: Undone, point: str
) -> None:
    upload: Upload = getattr(undone, point)
    job = assert_undone(platform, upload, stage="ml")
    assert platform.fired(upload) == 1
    assert [stage["status"] for stage in job["stages"]] == ["succeeded", "failed"]


def test_an_upload_undone_after_its_end_leaves_nothing_but_its_history(platform: Platform, undone: Undone) -> None:
    assert_gone(platform, undone.finished)
    job = platform.person("supply_chain").get(f"/jobs/{undone.finished.job_id}").json()
    assert job["status"] == "succeeded"


@pytest.mark.parametrize("department", ["finance", "supply_chain"])
def test_the_insights_rest_on_what_is_left(platform: Platform, undone: Undone, department: str) -> None:
    assert_nothing_is_left(platform, within=SECONDS)
    kept = undone.kept[department]
    insights = shown(platform, department)
    assert insights
    for insight in insights:
        only = kept.dataset_id
        rests_on = {name: of for name, of in insight["basis"].items() if name != "libraries"}
        assert rests_on == {"rows": ROWS, "datasets": [only], "rows_of": {only: ROWS}}
    assert_insights(platform, kept)


def test_undo_brings_back_the_rows_and_the_numbers_of_the_older_upload(platform: Platform) -> None:
    content = files.sales("shared", rows=ROWS)
    older = platform.upload("sales", content=content)
    assert_settled(platform, older)
    # The same keys, each price half a unit higher.
    newer = platform.upload("sales", content=content.replace(b".25,", b".75,"))
    assert_settled(platform, newer)
    assert revenue_shown(platform) == pytest.approx(revenue(newer), abs=1)
    began = time.monotonic()
    undo(platform, newer)
    eventually(lambda: shown(platform, "sales"), within=SECONDS, what="the insights are computed anew")
    assert time.monotonic() - began < SECONDS
    assert_gone(platform, newer)
    assert revenue(newer) - revenue(older) > ROWS / 2
    assert revenue_shown(platform) == pytest.approx(revenue(older), abs=1)
    rows = platform.person("sales").get(f"/datasets/{older.dataset_id}/rows?limit=1000").json()["results"]
    assert [(row["line"], float(row["unit_price"])) for row in rows] == [
        (row["line"], float(str(row["unit_price"]))) for row in older.rows()
    ]
    assert [insight["basis"]["datasets"] for insight in shown(platform, "sales")] == [[older.dataset_id]]


def test_undoing_again_finds_nothing(platform: Platform, undone: Undone) -> None:
    answer = platform.person("finance").delete(f"/datasets/{undone.reading.dataset_id}")
    assert answer.status_code == 404


def test_after_all_that_nothing_is_left(platform: Platform, undone: Undone) -> None:
    assert_nothing_is_left(platform)
    assert not platform.dead_letters()
    assert platform.restarts == dict.fromkeys(platform.restarts, 0)


def shown(platform: Platform, department: str) -> list[dict[str, object]]:
    insights: list[dict[str, object]] = platform.person(department).get(f"/dashboards/{department}").json()["insights"]
    return insights


def revenue(upload: Upload) -> float:
    return sum(
        float(str(row["quantity"])) * float(str(row["unit_price"])) * (1 - float(str(row["discount_pct"])) / 100)
        for row in upload.rows()
    )


def revenue_shown(platform: Platform) -> float:
    """All of it: the files' first day is a Monday, their last a Sunday."""
    (insight,) = platform.person("sales").get("/dashboards/sales").json()["insights"]
    return sum(week["revenue"] for category in insight["data"]["categories"] for week in category["history"])
