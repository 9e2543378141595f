"""PostgreSQL restarted under load: as in a maintenance window, and by a crash."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle

import pytest

from tests.faults.injection import Fault
from tests.faults.platform import Platform
from tests.faults.settled import assert_nothing_is_left, assert_refused, assert_settled, told_of
from tests.faults.uploads import Sent, Upload
from tests.jobs.sqs.line import eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-outages-postgres")]

DEPARTMENTS = ("sales", "supply_chain", "finance")
SECONDS_AWAY = 2.5
# All of a dozen held-up files, and what the outage has cost.
SECONDS = 60
# The stages of a file's way at which one of a dozen is held up, so that the outage meets all of them.
POINTS = ("etl.claimed", "etl.copying", "etl.committing", "etl.committed", "ml.claimed", "ml.computing")


@dataclass(kw_only=True)
class Outage:
    """The files that were under way, and what was sent to the platform while its database went and came."""

    files: list[Upload]
    sent: list[Sent] = field(default_factory=list)

    @property
    def taken(self) -> list[Upload]:
        return [*self.files, *(each.taken() for each in self.sent if each.answer.status_code == 202)]

    @property
    def refused(self) -> list[Sent]:
        return [each for each in self.sent if each.answer.status_code != 202]


@pytest.fixture(scope="module", params=[False, True], ids=["fast shutdown", "crash"])
def outage(platform: Platform, request: pytest.FixtureRequest) -> Outage:
    files = [
        platform.upload(department, Fault(point=point, do="sleep:2"))
        for point, department in zip(POINTS * 2, cycle(DEPARTMENTS), strict=False)
    ]
    eventually(lambda: any_at(platform, files, "ml"), within=60, what="a file is at ML, others before it")
    outage = Outage(files=files)
    restart = threading.Thread(
        target=platform.cluster.restart, kwargs={"crash": request.param, "seconds_away": SECONDS_AWAY}
    )
    restart.start()
    senders = cycle(DEPARTMENTS)
    while restart.is_alive():
        outage.sent.append(platform.send(next(senders)))
    restart.join()
    assert platform.cluster.is_running()
    return outage


def any_at(platform: Platform, files: list[Upload], stage: str) -> bool:
    return any(platform.fired(upload) for upload in files if upload.faults[0].point.startswith(stage))


def test_the_outage_met_files_in_both_stages(platform: Platform, outage: Outage) -> None:
    events = platform.query(
        "SELECT r.stage, e.target FROM jobs_stageevent e JOIN jobs_stagerun r ON r.id = e.run_id"
        " WHERE r.job_id = ANY(%s::uuid[]) AND e.target = 'processing'",
        [upload.job_id for upload in outage.files],
    )
    assert set(Counter(event["stage"] for event in events)) == {"etl", "ml"}
    assert outage.refused, "nothing was sent while it was away"


def test_an_upload_while_the_database_is_away_is_refused_with_what_to_do_and_leaves_nothing(
    platform: Platform, outage: Outage
) -> None:
    for sent in outage.refused:
        assert_refused(platform, sent, code="database-unavailable")


def test_every_upload_that_was_taken_is_worked_and_none_twice(platform: Platform, outage: Outage) -> None:
    for upload in outage.taken:
        assert_settled(platform, upload, earlier_dead_letters=None, seconds=SECONDS)


def test_the_log_follows_every_file_to_its_end(platform: Platform, outage: Outage) -> None:
    for upload in outage.taken:
        assert_settled(platform, upload, earlier_dead_letters=None, seconds=SECONDS)
        for stage in ("etl", "ml"):
            ends = [line for line in told_of(platform, upload, by=f"worker-{stage}") if line["event"] == "stage_ended"]
            # One that was taken over while it hung on the database may say so after its successor is done.
            assert "succeeded" in {line["status"] for line in ends}


def test_the_platform_is_ready_again_and_nothing_is_left(platform: Platform, outage: Outage) -> None:
    assert outage.taken
    platform.await_ready()
    assert_nothing_is_left(platform)
