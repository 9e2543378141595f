"""Acting on one job from its page, and on what was left behind: at once, for a reason, and refused in words."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.choices import AuditAction, ConsoleRole
from apps.accounts.models import AuditEntry, User
from apps.datasets.models import Dataset
from apps.jobs.admin.effects import ACTS
from apps.jobs.models import Job, JobStatus, OperationKind, Stage, StageRun, State
from tests.accounts.factories import AdminFactory, OperatorFactory
from tests.jobs.console import WHY, AskedPage, job_of, logged_in
from tests.jobs.files import row, sales
from tests.jobs.many import failed_jobs

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]
LIST = reverse("admin:jobs_job_changelist")


@pytest.fixture
def operator(transactional_db: None) -> User:
    operator: User = OperatorFactory(full_name="Olive Operator")
    return operator


@pytest.fixture
def console(operator: User) -> Client:
    return logged_in(operator)


# --- On a job's page ---


def step(console: Client, job: Job, kind: OperationKind) -> AskedPage:
    address = reverse(f"admin:jobs_job_{kind.value.replace('-', '_')}", args=[job.pk])
    return AskedPage(console, address, console.get(address))


def undone(job: Job) -> None:
    Dataset.objects.filter(pk=job.dataset_id).update(deleted_at=timezone.now(), deleted_by=AdminFactory())


def buttons(console: Client, job: Job) -> list[str]:
    answer = console.get(reverse("admin:jobs_job_change", args=[job.pk]))
    assert answer.status_code == 200
    return [each["label"] for each in answer.context["steps"]]


@pytest.fixture
def worked(upload: Callable[..., Job], work: Callable[[], None]) -> Job:
    job = upload(sales(row(1)))
    work()
    job.refresh_from_db()
    return job


def test_a_page_has_the_buttons_that_apply(console: Client, worked: Job) -> None:
    assert buttons(console, worked) == ["Reprocess from etl", "Reprocess from ml", "Undo"]
    running = job_of(status=JobStatus.PROCESSING)
    assert buttons(console, running) == ["Cancel", "Undo"]
    back_off = job_of(status=JobStatus.FAILED, stage=Stage.ETL, error="x")
    assert buttons(console, back_off) == ["Retry", "Reprocess from etl", "Cancel", "Undo"]
    dead = job_of(status=JobStatus.FAILED, stage=Stage.ETL, error="x", dead=True)
    assert buttons(console, dead) == ["Retry", "Reprocess from etl", "Undo"]
    undone(dead)
    assert buttons(console, dead) == []
    viewer = logged_in(OperatorFactory(console_role=ConsoleRole.VIEWER))
    assert buttons(viewer, worked) == []


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        (OperationKind.REPROCESS_ETL, AuditAction.REPROCESSED),
        (OperationKind.REPROCESS_ML, AuditAction.REPROCESSED),
        (OperationKind.UNDO, AuditAction.UNDONE),
    ],
)
def test_an_upload_is_acted_on_from_its_jobs_page(
    console: Client, operator: User, worked: Job, kind: OperationKind, action: AuditAction
) -> None:
    page = step(console, worked, kind)
    for told in ACTS[kind].effects:
        assert told in page.words.replace("&#x27;", "'")
    assert "Say in a few words why." in page.again(reason="").words
    page.send()
    entry = AuditEntry.objects.get(action=action)
    assert (entry.actor, entry.reason, entry.target_id) == (operator, WHY, str(worked.dataset_id))
    worked.dataset.refresh_from_db()
    assert (worked.dataset.deleted_at is not None) == (kind == OperationKind.UNDO)


def test_a_failed_job_is_retried_and_a_waiting_one_cancelled(
    console: Client, operator: User, upload: Callable[..., Job], sqs: Any
) -> None:
    waiting, failed = upload(sales(row(1))), next(iter(failed_jobs(1)))
    assert "Queued again" in step(console, failed, OperationKind.RETRY).send().content.decode()
    page = step(console, waiting, OperationKind.CANCEL)
    assert "Cancelled" in page.send().content.decode()
    run = waiting.stages.get()
    assert run.error_message == f"Olive Operator cancelled the job: {WHY}"
    actions = set(AuditEntry.objects.filter(actor=operator).values_list("action", "reason"))
    assert actions == {(AuditAction.JOB_RETRIED, WHY), (AuditAction.JOB_CANCELLED, WHY)}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (OperationKind.RETRY, "The job is processing; only the newest job of an upload, and only a failed one"),
        (OperationKind.REPROCESS_ETL, "under way"),
    ],
)
def test_a_running_job_is_neither_retried_nor_reprocessed(console: Client, kind: OperationKind, said: str) -> None:
    job = job_of(status=JobStatus.PROCESSING, stage=Stage.ETL)
    assert said in step(console, job, kind).again().words
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("kind", [OperationKind.RETRY, OperationKind.REPROCESS_ETL, OperationKind.UNDO])
def test_an_upload_that_is_gone_is_refused_in_words(console: Client, kind: OperationKind) -> None:
    job = next(iter(failed_jobs(1)))
    undone(job)
    assert "The upload was undone" in step(console, job, kind).again().words
    assert not AuditEntry.objects.exists()


def test_a_job_with_a_newer_one_and_one_that_has_ended_say_so(console: Client, worked: Job) -> None:
    assert "The job has ended: it is succeeded." in step(console, worked, OperationKind.CANCEL).again().words
    Job.objects.filter(pk=worked.pk).update(status=JobStatus.FAILED)
    StageRun.objects.filter(job=worked, stage="ml").update(state=State.FAILED, error_message="x")
    job_of(dataset=worked.dataset, at=timezone.now())
    assert buttons(console, worked) == ["Reprocess from etl", "Reprocess from ml", "Undo"]
    assert "only the newest job of an upload" in step(console, worked, OperationKind.RETRY).again().words


def test_of_two_operators_at_one_job_the_second_reads_what_has_changed(console: Client, sqs: Any) -> None:
    job = next(iter(failed_jobs(1)))
    first, second = (step(console, job, OperationKind.RETRY) for _ in range(2))
    first.send()
    assert "Nothing was done: it has changed since you looked." in second.send().content.decode()
    assert AuditEntry.objects.filter(action=AuditAction.JOB_RETRIED).count() == 1


# --- Orphans ---


def test_orphans_are_rescued_for_a_reason(console: Client, operator: User) -> None:
    address = reverse("admin:jobs_job_rescue")
    assert "Nothing is left behind now." in AskedPage(console, address, console.get(address)).words
    orphan = job_of(status=JobStatus.PROCESSING, stage=Stage.ETL)
    StageRun.objects.filter(job=orphan).update(attempts=3)
    page = AskedPage(console, address, console.get(address))
    assert "1 orphan would be settled now." in page.words
    assert StageRun.objects.get(job=orphan).state == State.PROCESSING, "to look settles nothing"
    assert "Say in a few words why." in page.again(reason="").words
    assert "1 orphan settled." in page.send().content.decode()
    assert StageRun.objects.get(job=orphan).state == State.FAILED
    entry = AuditEntry.objects.get(action=AuditAction.RESCUED)
    assert (entry.actor, entry.reason, entry.details) == (operator, WHY, {"rescued": 1})
    assert "Nothing was left." in page.send().content.decode()


def test_who_may_not_rescue_has_no_button(console: Client) -> None:
    address = reverse("admin:jobs_job_rescue")
    viewer = logged_in(OperatorFactory(console_role=ConsoleRole.VIEWER))
    assert address in console.get(LIST).content.decode()
    assert address not in viewer.get(LIST).content.decode()
    assert viewer.post(address, {"reason": WHY}).status_code == 403
