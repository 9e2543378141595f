"""What must be true of an upload that was undone, whatever was under way with it."""

from typing import Any

from tests.faults.platform import Platform
from tests.faults.settled import SECONDS, assert_insights, assert_journal, assert_messages, assert_rows
from tests.faults.uploads import Upload


def undo(platform: Platform, upload: Upload) -> None:
    answer = platform.person(upload.department).delete(f"/datasets/{upload.dataset_id}")
    assert answer.status_code == 204, answer.text


def assert_undone(platform: Platform, upload: Upload, *, stage: str) -> dict[str, Any]:
    """Its job ended at `stage` with that reason, and nothing of it is left. Returns the job, as the API shows it."""
    person = platform.person(upload.department)
    job = person.watch(upload.job_id, until=lambda job: job["status"] == "failed", seconds=SECONDS)
    (ended,) = [run for run in job["stages"] if run["status"] == "failed"]
    assert (ended["stage"], ended["error"]["code"], ended["dead_lettered"]) == (stage, "upload-undone", False), job
    assert_gone(platform, upload)
    return job


def assert_gone(platform: Platform, upload: Upload) -> None:
    """No rows, no rejects, no insights, no message, and nothing to be found under its address."""
    assert_messages(platform, upload, dead_letters=0, seconds=SECONDS)
    assert_rows(platform, upload, loaded=False)
    assert not platform.query("SELECT id FROM datasets_reject WHERE dataset_id = %s", upload.dataset_id)
    assert_insights(platform, upload, computed=False)
    resting = "SELECT id FROM insights_insight WHERE basis->'datasets' ? %s"
    assert not platform.query(resting, upload.dataset_id)
    assert_journal(platform, upload)
    assert platform.person(upload.department).get(f"/datasets/{upload.dataset_id}").status_code == 404
