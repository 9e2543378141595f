"""A cancelled job ends at once, or when its worker next looks up; nothing of it stays, and it can be retried."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from aetherflow.errors import ConflictError, InvalidError
from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry, User
from apps.datasets.models import Dataset, Reject
from apps.insights.models import Insight
from apps.jobs.models import Job, JobStatus, Stage, StageRun, State
from apps.jobs.services import etl as stage
from apps.jobs.services import ml as ml_stage
from apps.jobs.services.again import retry, undo
from apps.jobs.services.cancelling import cancel
from apps.jobs.services.claims import claim
from apps.jobs.services.dispatch import recover
from apps.jobs.services.rescue import rescue
from tests.accounts.blocking import wait_for_blocked_backends
from tests.accounts.factories import AdminFactory
from tests.jobs.beside import in_another_connection
from tests.jobs.files import row, sales
from tests.jobs.line import delivery, messages_of
from tests.jobs.steps import compute, deliver, rows_of, taken, work_failing, worked

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
Upload = Callable[..., Job]
WHY = "it is last year's file"
BAD = b"no;such;columns\n1;2;3\n"


@pytest.fixture
def operator(transactional_db: None) -> User:
    return AdminFactory(full_name="Olive Operator")


@pytest.fixture
def cancelling(operator: User) -> Callable[[Job], Job]:
    def cancelling(job: Job) -> Job:
        return cancel(job=Job.objects.get(pk=job.pk), by=operator, reason=WHY, at=timezone.now())

    return cancelling


def meanwhile(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *actions: Callable[[], object]) -> None:
    """While a worker is just behind this function, other processes do these things, one after the other."""
    real = getattr(module, name)

    def followed(*args: Any, **options: Any) -> Any:
        result = real(*args, **options)
        for action in actions:
            in_another_connection(action).join(20)
        return result

    monkeypatch.setattr(module, name, followed)


def assert_cancelled(job: Job, at_stage: Stage = Stage.ETL) -> StageRun:
    run = job.stages.get(stage=at_stage)
    assert (run.state, run.error_code, run.dead_lettered) == (State.FAILED, "cancelled", False)
    assert run.error_message == f"Olive Operator cancelled the job: {WHY}"
    assert run.error_hint
    job.refresh_from_db()
    assert (job.status, job.stage) == (JobStatus.FAILED, at_stage)
    assert job.finished_at is not None
    return run


def long_after() -> Any:
    return timezone.now() + timedelta(days=1)


# --- Where it waits ---


@pytest.mark.parametrize("sent", [True, False])
def test_a_job_that_waits_is_never_worked(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], sent: bool
) -> None:
    job = upload(sales(row(1)))
    if not sent:
        messages_of(sqs, "etl")
        StageRun.objects.update(dispatched_at=None)
    cancelling(job)
    run = assert_cancelled(job)
    assert [event.note for event in run.events.all()] == ["", f"cancelled by {AuditEntry.objects.all()[0].actor.email}"]
    assert rescue(at=long_after()) == 0
    if sent:
        assert deliver(*taken(sqs)) is None
        assert_cancelled(job)
    assert not messages_of(sqs, "etl")
    assert rows_of(job).count() == 0


def test_its_place_in_the_line_is_given_on(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], settings: Any
) -> None:
    settings.DEPARTMENT_IN_FLIGHT = 1
    first, second = upload(sales(row(1))), upload(sales(row(2)))
    assert len(messages_of(sqs, "etl")) == 1
    cancelling(first)
    ((message, _),) = messages_of(sqs, "etl")
    assert message["dataset_id"] == str(second.dataset_id)


def test_a_job_between_its_stages_is_not_computed(upload: Upload, sqs: Any, cancelling: Callable[[Job], Job]) -> None:
    job = upload(sales(row(1)))
    message, headers = worked(sqs)
    cancelling(job)
    compute(message, headers)
    assert_cancelled(job, Stage.ML)
    assert not Insight.objects.exists()
    assert rows_of(job).count() == 1, "what was loaded before stays"


# --- In work ---


@pytest.mark.usefixtures("partition")
@pytest.mark.parametrize("where", ["replace_rows", "_finish"])
def test_a_load_that_is_cancelled_leaves_nothing_and_its_message_is_done_with(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    job = upload(sales(row(1), row(2), row(3, quantity="?")), max_reject_share=1.0)
    finish = stage._finish

    def before_the_end(*args: Any, **options: Any) -> Any:
        in_another_connection(lambda: cancelling(job)).join(20)
        return finish(*args, **options)

    if where == "_finish":
        monkeypatch.setattr(stage, "_finish", before_the_end)
    else:
        meanwhile(monkeypatch, stage, where, lambda: cancelling(job))
    assert deliver(*taken(sqs), receive_count=3) is None, "so it is acknowledged, at its last receive too"
    assert_cancelled(job)
    assert rows_of(job).count() == 0
    assert not Reject.objects.exists()
    assert Dataset.objects.get().loaded_at is None
    assert [run.stage for run in job.stages.all()] == [Stage.ETL]
    assert not messages_of(sqs, "ml")


def test_a_load_stops_at_its_next_sign_of_progress(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1)))
    monkeypatch.setattr(stage, "_PROGRESS_EVERY_SECONDS", 0.0)
    progress_of, reached = stage._progress_of, []

    def cancelled_before(run: StageRun) -> Any:
        in_another_connection(lambda: cancelling(job)).join(20)
        return progress_of(run)

    monkeypatch.setattr(stage, "_progress_of", cancelled_before)
    monkeypatch.setattr(stage, "compare", lambda *_, **__: reached.append("the end"))
    assert deliver(*taken(sqs)) is None
    assert not reached
    assert_cancelled(job)


def test_a_load_at_its_very_end_comes_to_it_and_what_follows_is_cancelled(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1)))
    finish, threads = stage._finish, []

    def just_before_the_commit(*args: Any, **options: Any) -> None:
        finish(*args, **options)
        threads.append(in_another_connection(lambda: cancelling(job)))
        threads[0].join(1)
        assert threads[0].is_alive(), "it waits for the commit"

    monkeypatch.setattr(stage, "_finish", just_before_the_commit)
    following = deliver(*taken(sqs))
    threads[0].join(20)
    assert_cancelled(job, Stage.ML)
    assert job.stages.get(stage=Stage.ETL).state == State.SUCCEEDED
    assert following is not None, "the chain is not the cancellation's business"
    compute(following.message, {"job_id": str(job.pk)})
    assert_cancelled(job, Stage.ML)


@pytest.mark.parametrize("where", ["hold_rows", "_computed"])
def test_insights_that_are_cancelled_are_not_stored(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    job = upload(sales(row(1)))
    message, headers = worked(sqs)
    computed = []
    if where == "hold_rows":
        # Before the first of its signs of progress, each of which comes before an insight.
        monkeypatch.setattr(ml_stage, "Answer", lambda **_: computed.append(1))
    meanwhile(monkeypatch, ml_stage, where, lambda: cancelling(job))
    compute(message, headers, receive_count=3)
    assert_cancelled(job, Stage.ML)
    assert not Insight.objects.exists()
    assert not computed


def test_a_file_that_turns_out_bad_after_it_was_cancelled_says_that_it_was_cancelled(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1), row(2, quantity="?"), row(3, quantity="?")))
    meanwhile(monkeypatch, stage, "replace_rows", lambda: cancelling(job))
    assert deliver(*taken(sqs)) is None
    assert_cancelled(job)
    assert not Reject.objects.exists()


def test_a_cancelled_job_of_a_dead_worker_stays_cancelled(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job]
) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)
    claim(job.stages.get(), delivery=delivery(headers, message_id="m"), worker="gone", at=timezone.now())
    cancelling(job)
    assert rescue(at=long_after()) == 0
    assert deliver(message, headers, message_id="m", receive_count=2) is None
    assert_cancelled(job)


# --- Between two attempts ---


def test_a_job_that_would_be_tried_again_is_not(upload: Upload, sqs: Any, cancelling: Callable[[Job], Job]) -> None:
    job = upload(BAD)
    message, headers = taken(sqs)
    with pytest.raises(Exception, match="column"):
        deliver(message, headers, message_id="m")
    cancelling(job)
    assert_cancelled(job)
    assert deliver(message, headers, message_id="m", receive_count=2) is None
    assert rescue(at=long_after()) == 0
    assert recover(at=timezone.now()) == 0
    assert_cancelled(job)


# --- Retried ---


def test_a_cancelled_job_is_retried_with_all_its_attempts(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], work: Callable[[], None], seller: User
) -> None:
    job = cancelling(upload(sales(row(1))))
    messages_of(sqs, "etl")
    retry(job=job, by=seller, at=timezone.now())
    work()
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED
    assert not job.stages.exclude(error_code="").exists()
    assert rows_of(job).count() == 1


def test_one_that_is_retried_while_its_worker_still_holds_it_is_worked_once(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upload(sales(row(1)))
    message, headers = taken(sqs)

    def again() -> None:
        retry(job=Job.objects.get(pk=job.pk), by=seller, at=timezone.now())

    with monkeypatch.context() as patched:
        meanwhile(patched, stage, "replace_rows", lambda: cancelling(job), again)
        assert deliver(message, headers, message_id="old", receive_count=3) is None
    assert job.stages.get().state == State.QUEUED
    assert rows_of(job).count() == 0
    assert deliver(message, headers, message_id="old", receive_count=3) is None, "it has had its turn"
    assert deliver(*taken(sqs)) is not None
    assert rows_of(job).count() == 1


# --- Refused ---


def done(job: Job, sqs: Any) -> None:
    message, headers = worked(sqs)
    compute(message, headers)


def dead_lettered(job: Job, sqs: Any) -> None:
    StageRun.objects.update(state=State.FAILED, dead_lettered=True, error_message="x", finished_at=timezone.now())
    Job.objects.update(status=JobStatus.FAILED, finished_at=timezone.now())


def undone(job: Job, sqs: Any) -> None:
    undo(dataset=job.dataset, by=job.dataset.uploaded_by, at=timezone.now(), request_id="request-0002")


@pytest.mark.parametrize("end", [done, dead_lettered, undone])
def test_what_has_ended_is_not_cancelled(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], end: Callable[[Job, Any], None]
) -> None:
    job = upload(sales(row(1)))
    end(job, sqs)
    before = list(StageRun.objects.values())
    with pytest.raises(ConflictError, match=r"has ended: it is (succeeded|failed)"):
        cancelling(job)
    assert list(StageRun.objects.values()) == before
    assert not AuditEntry.objects.filter(action=AuditAction.JOB_CANCELLED).exists()


def test_a_failed_attempt_that_a_newer_job_has_overtaken_is_not_cancelled(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job]
) -> None:
    job = upload(BAD)
    work_failing(job, sqs)
    stage_of_newer = {"dataset": job.dataset, "department": "sales", "stage": Stage.ETL, "request_id": "r"}
    Job.objects.create(**stage_of_newer, created_at=timezone.now())
    with pytest.raises(ConflictError, match="has ended"):
        cancelling(job)


@pytest.mark.parametrize("reason", ["", "  "])
def test_without_a_reason_nothing_is_cancelled(upload: Upload, operator: User, reason: str) -> None:
    job = upload(sales(row(1)))
    with pytest.raises(InvalidError, match="needs a reason"):
        cancel(job=job, by=operator, reason=reason, at=timezone.now())
    assert job.stages.get().state == State.QUEUED


def test_of_two_who_cancel_at_once_one_does(upload: Upload, sqs: Any, cancelling: Callable[[Job], Job]) -> None:
    job = upload(sales(row(1)))
    together, refused = threading.Barrier(2), []

    def race() -> None:
        together.wait()
        try:
            cancelling(job)
        except ConflictError as error:
            refused.append(error.code)

    threads = [in_another_connection(race) for _ in range(2)]
    for thread in threads:
        thread.join(20)
    assert refused == ["job-ended"]
    assert AuditEntry.objects.filter(action=AuditAction.JOB_CANCELLED).count() == 1
    assert job.stages.get().events.count() == 2


def test_the_audit_says_what_was_cancelled_and_where_it_was(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job], operator: User
) -> None:
    job = upload(sales(row(1)))
    cancelling(job)
    written = AuditEntry.objects.get(action=AuditAction.JOB_CANCELLED)
    assert (written.actor, written.target_type, written.target_id) == (operator, "job", str(job.pk))
    assert (written.target, written.department, written.reason) == (job.dataset.name, "sales", WHY)
    assert written.details == {"dataset": str(job.dataset_id), "stage": "etl", "was": "queued"}


def test_a_worker_that_ends_its_stage_meanwhile_waits_for_nobody_who_waits_for_it(
    upload: Upload, sqs: Any, cancelling: Callable[[Job], Job]
) -> None:
    job = upload(sales(row(1)))
    deliver(*taken(sqs))
    run = job.stages.get(stage=Stage.ML)
    with transaction.atomic():
        # As a worker does that ends it: first the stage, then its job.
        StageRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        thread = in_another_connection(lambda: cancelling(job))
        wait_for_blocked_backends(1)
        Job.objects.filter(pk=job.pk).update(status=JobStatus.PROCESSING)
    thread.join(20)
    assert_cancelled(job, Stage.ML)
