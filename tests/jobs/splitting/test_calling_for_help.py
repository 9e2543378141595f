"""Who is called to help with a large file, and when nobody is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.scope import all_departments
from apps.jobs.models import Job, JobStatus, SplitState, Stage, StageRun, StageSplit, State, WorkerHeartbeat
from apps.jobs.services import splitting
from apps.jobs.sqs import names
from apps.jobs.sqs.messages import EtlMessage
from tests.jobs.console import job_of
from tests.jobs.files import row, sales
from tests.jobs.large_files import FILES
from tests.jobs.line import messages_of
from tests.jobs.splitting.sharing import is_whole, when_called
from tests.jobs.steps import deliver, taken
from tests.jobs.told import told_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

Upload = Callable[..., Job]


def called(sqs: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(message, headers) for message, headers in messages_of(sqs, "etl") if names.HELP_HEADER in headers]


def test_help_is_called_by_the_same_message_with_a_header(plain: Any, sqs: Any) -> None:
    job, message, headers = plain
    assert deliver(message, headers)
    ((calling, with_headers),) = called(sqs)
    asked = EtlMessage.parse(calling)
    assert (asked.dataset_id, asked.s3_key) == (message.dataset_id, message.s3_key)
    assert with_headers[names.JOB_ID_HEADER] == str(job.pk)
    told = told_of(job)
    assert deliver(asked, with_headers, worker="etl-2@test") is None, "there is nothing to help with any more"
    assert told_of(job) == told


def test_a_worker_that_knows_no_help_leaves_the_message_to_who_works_it(
    plain: Any, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, message, headers = plain
    answers: list[Any] = []

    def older(run: StageRun) -> None:
        known = {key: value for key, value in headers.items() if key != names.HELP_HEADER}
        answers.append(deliver(message, known, worker="etl-2@test"))

    when_called(monkeypatch, older)
    assert deliver(message, headers)
    assert answers == [None]
    assert is_whole(job)


@pytest.mark.parametrize("why", ["nobody else", "a small file", "somebody waits", "all are busy"])
def test_nobody_is_called_and_the_file_is_not_split(
    why: str, upload: Upload, sqs: Any, two_workers: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splitting, "split", lambda *_, **__: pytest.fail("it was split"))
    job = upload(FILES["plain"])
    message, headers = taken(sqs)
    match why:
        case "nobody else":
            WorkerHeartbeat.objects.filter(name="etl-2@test").delete()
        case "a small file":
            settings.SPLIT_FROM_BYTES = len(FILES["plain"]) + 1
        case "somebody waits":
            upload(sales(row(1)))
        case "all are busy":
            others_at_work(worker="etl-2@test")
    assert deliver(message, headers)
    assert is_whole(job)
    assert not called(sqs)


def others_at_work(*, worker: str) -> StageRun:
    """A stage of another department in hand."""
    with all_departments():
        run = job_of(department="finance", status=JobStatus.PROCESSING, stage=Stage.ETL).stages.get()
        StageRun.objects.filter(pk=run.pk).update(state=State.PROCESSING, worker=worker, token=1)
    return run


def test_who_helps_with_another_file_is_not_counted_on(upload: Upload, sqs: Any, two_workers: None) -> None:
    job = upload(FILES["plain"])
    message, headers = taken(sqs)
    now = timezone.now()
    WorkerHeartbeat.objects.create(
        name="etl-3@test", queues=["etl"], slots=1, sharers=1, pid=1, started_at=now, beat_at=now
    )
    helped = others_at_work(worker="etl-3@test")
    held = {"state": SplitState.TAKEN, "worker": "etl-2@test", "held_until": now + timedelta(minutes=1)}
    of_file = {"number": 0, "token": 1, "plan": {}, "bucket": 1, "start": 0, "end": 1, "first_line": 1, "after_line": 2}
    with all_departments():
        theirs = StageSplit.objects.create(run=helped, **held, **of_file)
    assert deliver(message, headers)
    assert not called(sqs)
    with all_departments():
        theirs.delete()
    assert is_whole(job)


def test_somebody_who_becomes_busy_is_called_no_more(plain: Any, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job, message, headers = plain
    calls, idle = splitting._Caller.where_it_helps, ["etl-2@test"]

    def busy(caller: splitting._Caller) -> None:
        if idle:
            others_at_work(worker=idle.pop())
        calls(caller)

    monkeypatch.setattr(splitting._Caller, "where_it_helps", busy)
    assert deliver(message, headers)
    assert is_whole(job)
    assert not called(sqs)


def test_without_sqs_the_caller_goes_on_alone(plain: Any, settings: Any) -> None:
    job, message, headers = plain
    settings.AWS_ENDPOINT_URL_SQS = "http://127.0.0.1:9"
    assert deliver(message, headers)
    assert is_whole(job)
