"""What must be true of an upload once the dust has settled, whatever happened on the way."""

import json
from itertools import pairwise
from typing import Any, Literal

from aetherflow.registry import department as find_department
from tests.faults.platform import Platform
from tests.faults.uploads import Row, Sent, Upload
from tests.jobs.sqs.line import eventually

SECONDS = 120


def assert_settled(
    platform: Platform,
    upload: Upload,
    *,
    failed: Literal["etl", "ml"] | None = None,
    code: str = "",
    earlier_dead_letters: int | None = 0,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """The job has succeeded, or has failed for good at the stage `failed` with `code`; rows, insights, journal and
    messages are exactly what that means. Returns the job, as the API shows it.

    A job that was retried has left the dead letters of its earlier failures behind; None: however many.
    """
    job = await_end(platform, upload, failed=failed, seconds=seconds)
    assert_reason(job, failed=failed, code=code)
    assert_rows(platform, upload, loaded=failed != "etl")
    assert_insights(platform, upload, computed=failed is None)
    assert_journal(platform, upload)
    dead_letters = None if earlier_dead_letters is None else earlier_dead_letters + (failed is not None)
    assert_messages(platform, upload, dead_letters=dead_letters, seconds=seconds)
    return job


def await_end(platform: Platform, upload: Upload, *, failed: str | None = None, seconds: float) -> dict[str, Any]:
    """The job in its last state: a failed attempt that SQS will repeat is none."""

    def ended(job: dict[str, Any]) -> bool:
        if failed is None:
            return bool(job["status"] == "succeeded")
        # Job and stages are read one after the other: for a moment one may be newer than the other.
        dead = any(stage["stage"] == failed and stage["dead_lettered"] for stage in job["stages"])
        return dead and bool(job["status"] == "failed")

    return platform.person(upload.department).watch(upload.job_id, until=ended, seconds=seconds)


def assert_reason(job: dict[str, Any], *, failed: str | None, code: str) -> None:
    """A person can see what went wrong and what to do; where all went well, nothing is left of earlier failures."""
    if failed is None:
        assert [stage["status"] for stage in job["stages"]] == ["succeeded", "succeeded"], job
        assert not any(stage["error"] or stage["dead_lettered"] for stage in job["stages"]), job
        return
    (stage,) = [stage for stage in job["stages"] if stage["stage"] == failed]
    assert (job["status"], stage["status"]) == ("failed", "failed"), job
    assert stage["attempts"] == stage["max_attempts"], stage
    assert stage["error"]["code"] == code, stage
    assert stage["error"]["message"], stage
    assert stage["error"]["hint"], stage


def clean_rows(platform: Platform, upload: Upload) -> list[Row]:
    """What the department's clean table holds of the upload."""
    names = ["line", *(column.name for column in find_department(upload.department).columns)]
    columns = ", ".join(f'"{name}"' for name in names)
    number = "(SELECT number FROM datasets_dataset WHERE id = %s)"
    statement = f'SELECT {columns} FROM "clean_{upload.department}" WHERE dataset_no = {number} ORDER BY line'  # noqa: S608  (no name is from outside)
    return platform.query(statement, upload.dataset_id)


def assert_rows(platform: Platform, upload: Upload, *, loaded: bool = True) -> None:
    expected = upload.rows() if loaded else []
    found = clean_rows(platform, upload)
    assert len(found) == len(expected)
    assert found == expected


def assert_insights(platform: Platform, upload: Upload, *, computed: bool = True) -> None:
    """Each kind once, none twice."""
    statement = "SELECT kind FROM insights_insight WHERE dataset_id = %s ORDER BY kind"
    kinds = [row["kind"] for row in platform.query(statement, upload.dataset_id)]
    expected = sorted(insight.kind for insight in find_department(upload.department).insights)
    assert kinds == (expected if computed else [])


def journal(platform: Platform, upload: Upload, stage: str) -> list[dict[str, Any]]:
    """Every change of the stage's state, oldest first."""
    return platform.query(
        "SELECT e.source, e.target, e.token, e.attempts, e.note FROM jobs_stageevent e"
        " JOIN jobs_stagerun r ON r.id = e.run_id WHERE r.job_id = %s AND r.stage = %s ORDER BY e.id",
        upload.job_id,
        stage,
    )


def assert_journal(platform: Platform, upload: Upload) -> None:
    """Each change begins where the one before ended, no older claim wrote after a newer, and the last is the state."""
    runs = platform.query("SELECT stage, state, token FROM jobs_stagerun WHERE job_id = %s", upload.job_id)
    for run in runs:
        events = journal(platform, upload, run["stage"])
        assert events[0]["source"] == "", events
        for before, event in pairwise(events):
            assert event["source"] == before["target"], events
            assert event["token"] >= before["token"], events
        assert (events[-1]["target"], events[-1]["token"]) == (run["state"], run["token"]), events
        assert sum(event["target"] == "succeeded" for event in events) == (run["state"] == "succeeded"), events


def assert_messages(platform: Platform, upload: Upload, *, dead_letters: int | None, seconds: float) -> None:
    """Every message of the upload was deleted, but for those that failed for good: dead letters, as they were sent."""

    def settled() -> bool:
        dead = platform.dead_letters()
        return all(letter.deleted or letter.id in dead for letter in platform.sqs_proxy.letters(upload.dataset_id))

    eventually(settled, within=seconds, what=f"no message of the dataset {upload.dataset_id} is left")
    dead = platform.dead_letters()
    letters = platform.sqs_proxy.letters(upload.dataset_id)
    assert letters, "the proxy has seen no message at all"
    given_up = [letter for letter in letters if letter.id in dead]
    assert dead_letters in {None, len(given_up)}, letters
    assert [dead[letter.id] for letter in given_up] == [letter.body for letter in given_up]
    assert not any(letter.deleted for letter in given_up), letters


def assert_told(platform: Platform, upload: Upload, *, stage: str) -> None:
    """Some line of the stage's worker tells the operators of the failure, with the ids to look it up by."""
    told = told_of(platform, upload, by=f"worker-{stage}")
    assert any(line.get("level") in {"warning", "error", "critical"} for line in told), (
        f"no line of worker-{stage} at warning or above has the ids of {upload}"
    )


def told_of(platform: Platform, upload: Upload, *, by: str) -> list[dict[str, Any]]:
    """What a process has logged of the upload, with all the ids to look it up by."""
    ids = {"job_id": upload.job_id, "dataset_id": upload.dataset_id, "request_id": upload.request_id}
    lines = [json.loads(line) for line in platform.logs(by).splitlines() if line.startswith("{") and line.endswith("}")]
    return [line for line in lines if ids.items() <= line.items()]


def assert_refused(platform: Platform, sent: Sent, *, code: str) -> None:
    """The sender is told what is wrong and what to do, as a 503 of the API; nothing of the file was recorded."""
    answer = sent.answer
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json"), answer.text
    problem = answer.json()
    assert (problem["code"], problem["request_id"]) == (code, sent.request_id), problem
    assert problem["detail"], problem
    assert problem["hint"], problem
    assert not platform.query("SELECT id FROM jobs_job WHERE request_id = %s", sent.request_id)
    assert not platform.query("SELECT id FROM datasets_dataset WHERE original_filename = %s", sent.filename)


def assert_nothing_is_left(platform: Platform, *, within: float = 60) -> None:
    """No stage under way, and no message in a source queue, be it in flight or in its back-off."""
    client = platform.sqs()
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    unfinished = "SELECT id FROM jobs_stagerun WHERE state IN ('queued', 'processing')"

    def is_idle() -> bool:
        for name in ("aetherflow-etl", "aetherflow-ml"):
            url = client.get_queue_url(QueueName=name)["QueueUrl"]
            found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            if any(int(found[count]) for count in counts):
                return False
        return not platform.query(unfinished)

    eventually(is_idle, within=within, what="empty queues and no stage under way")
