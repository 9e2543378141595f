"""The log lines of real workers: kept of an attempt that ended, lost with one that was killed."""

import pytest

from tests.faults.injection import Fault
from tests.faults.platform import Platform
from tests.faults.settled import assert_settled

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-stage-logs")]


def test_each_attempt_leaves_its_lines_but_for_the_one_that_was_killed(platform: Platform) -> None:
    upload = platform.upload("sales", Fault(point="etl.claimed", do="kill-child"))
    assert_settled(platform, upload)
    assert platform.fired(upload) == 1
    logs = platform.query(
        "SELECT stage, log.token, lines FROM jobs_stagelog log JOIN jobs_stagerun run ON run.id = run_id "
        "WHERE job_id = %s ORDER BY log.id",
        upload.job_id,
    )
    assert [(log["stage"], log["token"]) for log in logs] == [("etl", 2), ("ml", 1)]
    for log in logs:
        events = [line["event"] for line in log["lines"]]
        assert (events[0], events[-1]) == ("stage_started", "stage_ended")
        assert log["lines"][-1]["rest"]["status"] == "succeeded"
