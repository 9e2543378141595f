"""What people do to uploads and jobs is in the audit; what the platform does by itself is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from aetherflow.etl import ReadOptions
from apps.accounts.choices import AuditAction
from apps.accounts.console import audit_address
from apps.accounts.models import AuditEntry, User
from apps.accounts.origin import command_line
from apps.datasets.models import Dataset, HeaderMapping
from apps.datasets.services import forget_mapping
from apps.datasets.storage import raw_storage
from apps.insights import selectors
from apps.insights.models import ChosenSetting
from apps.insights.services import choosing
from apps.jobs.models import Job, Stage, StageEvent, StageRun, State
from apps.jobs.services import ml as ml_stage
from apps.jobs.services.again import change_settings, reprocess, retry, undo
from apps.jobs.services.cancelling import cancel
from apps.jobs.services.etl import work_etl
from apps.jobs.services.rescue import rescue
from tests.accounts.factories import AdminFactory, bearer
from tests.insights.stored import SALES
from tests.jobs.files import row, sales
from tests.jobs.line import delivery
from tests.jobs.steps import foreign

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
REASON = "the release of Monday wrote wrong rows"
SAID = ReadOptions(mapping={"quantity": "quantity"})


@pytest.fixture
def job(upload: Callable[..., Job], work: Callable[[], None]) -> Job:
    """A worked upload, whose labels were said to mean what they mean."""
    job = upload(sales(row(1), row(2)), options=SAID)
    work()
    job.refresh_from_db()
    return job


@pytest.fixture(autouse=True)
def sales_has_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ml_stage, selectors, choosing):
        monkeypatch.setattr(module, "find_department", lambda _: SALES)


def failed(job: Job) -> Job:
    StageRun.objects.filter(job=job, stage=Stage.ML).update(state=State.FAILED, error_code="x", error_message="because")
    Job.objects.filter(pk=job.pk).update(status="failed")
    job.refresh_from_db()
    return job


def waiting(job: Job) -> Job:
    StageRun.objects.filter(job=job, stage=Stage.ML).update(state=State.QUEUED, finished_at=None)
    Job.objects.filter(pk=job.pk).update(status="processing", finished_at=None)
    job.refresh_from_db()
    return job


def now() -> dict[str, Any]:
    return {"at": timezone.now()}


# What is done to the worked upload → its entry: action, target, and what else it tells.
ACTS: dict[str, tuple[Callable[[Job, User], object], AuditAction, str, dict[str, Any]]] = {
    "retries": (
        lambda job, by: retry(job=failed(job), by=by, reason=REASON, **now()),
        AuditAction.JOB_RETRIED, "job", {"reason": REASON},
    ),
    "cancels": (
        lambda job, by: cancel(job=waiting(job), by=by, reason=REASON, **now()),
        AuditAction.JOB_CANCELLED, "job", {"reason": REASON},
    ),
    "reprocesses": (
        lambda job, by: reprocess(dataset=job.dataset, first=Stage.ML, by=by, reason=REASON, **now()),
        AuditAction.REPROCESSED, "dataset", {"reason": REASON},
    ),
    "undoes": (
        lambda job, by: undo(dataset=job.dataset, by=by, request_id="request-0002", reason=REASON, **now()),
        AuditAction.UNDONE, "dataset", {"reason": REASON},
    ),
    "sets a number": (
        lambda job, by: change_settings(
            department="sales", values={("listing", "level"): 5.0}, by=by, request_id="request-0002", **now()
        ),
        AuditAction.SETTINGS_CHANGED, "settings", {"details": {"listing level": 5.0}, "target_id": "sales"},
    ),
    "has a mapping forgotten": (
        lambda job, by: forget_mapping(HeaderMapping.objects.get(), by=by, **now()),
        AuditAction.MAPPING_FORGOTTEN, "mapping", {"target": "quantity: quantity"},
    ),
}  # fmt: skip
# What it is before that is done to it.
BEFORE = {"retries": failed, "cancels": waiting}


def stored() -> list[list[dict[str, Any]]]:
    models = (Dataset, Job, StageRun, StageEvent, HeaderMapping, ChosenSetting)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("act", ACTS)
def test_a_service_says_who_did_what(job: Job, seller: User, act: str) -> None:
    do, action, target, told = ACTS[act]
    before = AuditEntry.objects.count()
    do(job, seller)
    (written,) = AuditEntry.objects.order_by("pk")[before:]
    assert (written.action, written.actor, written.department) == (action, seller, "sales")
    assert written.target_type == target
    if target in {"dataset", "job"}:
        assert written.target_id == str(job.dataset_id if target == "dataset" else job.pk)
        assert written.target == job.dataset.name
    assert {name: getattr(written, name) for name in told} == told


@pytest.mark.parametrize("act", ACTS)
def test_what_cannot_be_written_down_is_not_done(
    job: Job, seller: User, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise OSError("the disk is full")

    BEFORE.get(act, lambda job: job)(job)
    before = stored()
    monkeypatch.setattr(AuditEntry.objects, "create", fail)
    with pytest.raises(OSError, match="disk is full"):
        ACTS[act][0](job, seller)
    assert stored() == before


@pytest.mark.parametrize("act", ACTS)
def test_what_is_taken_back_leaves_no_entry(job: Job, seller: User, act: str) -> None:
    before = AuditEntry.objects.count()
    with transaction.atomic():
        ACTS[act][0](job, seller)
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == before


def test_an_upload_that_cannot_be_written_down_is_none(
    upload: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(AuditEntry.objects, "create", fail)
    with pytest.raises(OSError, match="disk is full"):
        upload(sales(row(1)), idempotency_key="monday")
    assert not Dataset.objects.exists()
    monkeypatch.undo()
    assert upload(sales(row(1)), idempotency_key="monday"), "the key is free again"


def test_an_upload_and_its_undo_are_told_of_with_the_request(client: Client, seller: User, sqs: Any) -> None:
    asked = bearer(seller)
    asked["headers"] |= {"X-Request-ID": "request-of-sam"}
    file = SimpleUploadedFile("march.csv", sales(row(1)))
    body = client.post("/api/v1/datasets/upload", {"file": file}, REMOTE_ADDR="192.0.2.7", **asked).json()
    client.delete(f"/api/v1/datasets/{body['dataset']['id']}", REMOTE_ADDR="192.0.2.8", **asked)
    undone, uploaded = AuditEntry.objects.all()
    assert (uploaded.action, undone.action) == (AuditAction.UPLOADED, AuditAction.UNDONE)
    assert (uploaded.target, uploaded.details) == ("march.csv", {"job": body["job"]["id"]})
    assert (uploaded.address, undone.address) == ("192.0.2.7", "192.0.2.8")
    assert {each.request_id for each in (uploaded, undone)} == {"request-of-sam"}
    client.delete(f"/api/v1/datasets/{body['dataset']['id']}", **asked)
    assert AuditEntry.objects.count() == 2, "what is undone already is not undone again"


def test_a_correction_is_told_of_with_the_upload_it_goes_with(upload: Callable[..., Job], seller: User) -> None:
    root = upload(sales(row(1))).dataset
    correction = upload(sales(row(2)), corrects=root).dataset
    uploaded = AuditEntry.objects.get(target_id=str(correction.pk))
    assert uploaded.details["corrects"] == str(root.pk)
    undo(dataset=root, by=seller, request_id="request-0002", **now())
    undone = {each.target_id: each.details for each in AuditEntry.objects.filter(action=AuditAction.UNDONE)}
    assert undone == {str(root.pk): {}, str(correction.pk): {"with": str(root.pk)}}


def test_a_refused_retry_leaves_no_entry(client: Client, job: Job, seller: User) -> None:
    before = AuditEntry.objects.count()
    assert client.post(f"/api/v1/jobs/{job.pk}/retry", **bearer(seller)).status_code == 409
    assert AuditEntry.objects.count() == before


def test_a_settings_value_that_changes_nothing_leaves_no_entry(job: Job, seller: User) -> None:
    before = AuditEntry.objects.count()
    change_settings(department="sales", values={("listing", "level"): 1.0}, by=seller, request_id="r", **now())
    assert AuditEntry.objects.count() == before


def test_a_file_that_came_by_the_queue_is_told_of_as_such(sqs: Any, seller: User) -> None:
    shape = Dataset(department="sales", bucket=settings.RAW_BUCKET, uploaded_by_id=seller.pk)
    shape.key = f"raw/sales/{shape.pk}/nightly.csv"
    raw_storage().save(shape.key, ContentFile(sales(row(1))))
    work_etl(message=foreign(shape), delivery=delivery(), worker="w", at=timezone.now())
    written = AuditEntry.objects.get()
    assert (written.action, written.actor, written.target) == (AuditAction.UPLOADED, seller, "nightly.csv")
    assert written.details == {"by": "a message in the queue"}
    assert written.address is None


# --- Commands ---


def test_reprocessing_by_command_says_who_ran_it_and_why(job: Job) -> None:
    call_command("reprocess", "--dry-run", "--reason", REASON)
    call_command("reprocess", "--reason", REASON)
    written = AuditEntry.objects.get(action=AuditAction.REPROCESSED)
    assert (written.actor, written.actor_name, written.reason) == (None, command_line(), REASON)


def test_an_upload_by_command_is_not_laid_at_the_users_door(sqs: Any, seller: User, tmp_path: Any) -> None:
    path = tmp_path / "march.csv"
    path.write_bytes(sales(row(1)))
    call_command("ingest", str(path), "--department", "sales", "--by", seller.email)
    written = AuditEntry.objects.get()
    assert written.actor == seller
    assert written.actor_name.startswith(f"{command_line()}, as {seller.full_name}")


def orphan(upload: Callable[..., Job]) -> StageRun:
    """A run that no living worker can hold."""
    StageRun.objects.filter(job=upload(sales(row(1)))).update(
        state=State.PROCESSING, started_at=datetime(2026, 1, 1, tzinfo=UTC), token=1, worker="gone"
    )
    return StageRun.objects.get()


def test_a_rescue_somebody_asks_for_is_told_of_what_the_relay_does_by_itself_is_not(upload: Callable[..., Job]) -> None:
    run = orphan(upload)
    assert rescue(at=timezone.now()) == 1
    StageRun.objects.filter(pk=run.pk).update(state=State.PROCESSING, token=2)
    assert not AuditEntry.objects.filter(action=AuditAction.RESCUED).exists()
    call_command("relay", "--reason", "the machine of the workers burnt down")
    written = AuditEntry.objects.get(action=AuditAction.RESCUED)
    assert (written.actor_name, written.details) == (command_line(), {"rescued": 1})
    assert written.reason == "the machine of the workers burnt down"
    call_command("relay")
    assert AuditEntry.objects.filter(action=AuditAction.RESCUED).count() == 1, "there was nothing left"


def test_a_recovery_is_told_of_and_neither_is_there_without_the_other(
    upload: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = orphan(upload)
    with monkeypatch.context() as broken:
        broken.setattr(AuditEntry.objects, "create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            call_command("relay", "--recover")
    run.refresh_from_db()
    assert run.state == State.PROCESSING
    call_command("relay", "--recover", "--reason", "SQS was purged")
    written = AuditEntry.objects.get(action=AuditAction.RESCUED)
    assert (written.details, written.reason) == ({"recovered": 1}, "SQS was purged")


# --- Found from what it is about ---


def test_a_job_and_a_dataset_lead_to_their_audit(job: Job, seller: User, settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    retry(job=failed(job), by=seller, at=timezone.now() + timedelta(seconds=1))
    console = Client()
    console.force_login(AdminFactory())
    upload_too = audit_address(target_id__in=f"{job.pk},{job.dataset_id}")
    for page, address, found in (
        ("jobs_job", audit_address(target_id=str(job.pk)), [AuditAction.JOB_RETRIED]),
        ("jobs_job", upload_too, [AuditAction.JOB_RETRIED, AuditAction.UPLOADED]),
        ("datasets_dataset", audit_address(target_id=str(job.dataset_id)), [AuditAction.UPLOADED]),
    ):
        about = job.pk if page == "jobs_job" else job.dataset_id
        assert address in console.get(reverse(f"admin:{page}_change", args=[about])).content.decode()
        assert [each.action for each in console.get(address).context["cl"].result_list] == found
