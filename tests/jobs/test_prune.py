"""What is of no more use goes once it is old enough; the audit, and what a reprocess reads, never do."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from axes.models import AccessAttempt
from botocore.exceptions import ClientError, EndpointConnectionError
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.choices import AuditAction
from apps.accounts.models import AuditEntry, ConsoleSession, Invitation, RateLimit, Session, User
from apps.datasets.models import Dataset, UploadTally
from apps.datasets.storage import DiskRawStorage, raw_storage
from apps.jobs.models import IdempotentRequest, Job, StageLog, WorkerHeartbeat
from apps.jobs.services.again import undo
from tests.jobs.console import job_of
from tests.jobs.files import row, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
NOTHING = dict.fromkeys(
    (
        "sessions",
        "console_sessions",
        "wrong_passwords",
        "invitations",
        "upload_keys",
        "direct_uploads",
        "upload_tallies",
        "rate_limits",
        "workers",
        "stage_logs",
        "expired_uploads",
        "raw_files",
        "raw_bytes",
    ),
    0,
)


def prune(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("prune", "--json", *arguments, stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    told.pop("before")
    return told


@pytest.fixture
def old(settings: Any) -> datetime:
    settings.RETENTION_DAYS = 10
    return timezone.now() - timedelta(days=11)


def session(user: User, *, created: datetime, **columns: Any) -> Session:
    return Session.objects.create(
        user=user, created_at=created, last_used_at=created, **{"expires_at": created + timedelta(days=1), **columns}
    )


def invitation(*, created: datetime, **columns: Any) -> Invitation:
    expires = {"expires_at": created + timedelta(days=1)}
    return Invitation.objects.create(
        department="sales", token_sha256=str(uuid4()), created_at=created, **expires | columns
    )


def test_rows_that_are_of_no_use_go_when_they_are_old_enough_and_not_before(seller: User, old: datetime) -> None:
    now = timezone.now()
    run = job_of().stages.get(stage="etl")
    long_ago, far = old - timedelta(days=30), now + timedelta(days=60)
    kept: list[Any] = [
        session(seller, created=long_ago, expires_at=far),
        session(seller, created=long_ago, expires_at=far, ended_at=now, ended_reason="logout"),
        session(seller, created=long_ago, expires_at=now),
        ConsoleSession.objects.create(session_key="kept", session_data="", expire_date=now),
        attempt(now),
        invitation(created=long_ago, expires_at=far),
        invitation(created=long_ago, expires_at=far, used_at=now),
        IdempotentRequest.objects.create(user=seller, key="new", fingerprint="", created_at=now),
        UploadTally.objects.create(day=(old + timedelta(days=1)).date(), whose="user:1", files=1, size_bytes=1),
        RateLimit.objects.create(key="new", due_at=now),
        WorkerHeartbeat.objects.create(name="new", queues=["etl"], pid=1, started_at=long_ago, beat_at=now),
        StageLog.objects.create(run=run, token=2, at=now, lines=[]),
    ]
    gone: list[Any] = [
        session(seller, created=long_ago),
        session(seller, created=long_ago, expires_at=far, ended_at=old, ended_reason="logout"),
        ConsoleSession.objects.create(session_key="gone", session_data="", expire_date=old),
        attempt(old),
        invitation(created=long_ago),
        invitation(created=long_ago, expires_at=far, used_at=old),
        IdempotentRequest.objects.create(user=seller, key="old", fingerprint="", created_at=old),
        UploadTally.objects.create(day=old.date(), whose="user:1", files=1, size_bytes=1),
        RateLimit.objects.create(key="old", due_at=old),
        WorkerHeartbeat.objects.create(name="old", queues=["etl"], pid=1, started_at=long_ago, beat_at=old),
        StageLog.objects.create(run=run, token=1, at=old, lines=[]),
    ]
    expected = (
        NOTHING
        | {"sessions": 2, "console_sessions": 1, "wrong_passwords": 1, "invitations": 2}
        | dict.fromkeys(("upload_keys", "upload_tallies", "rate_limits", "workers", "stage_logs"), 1)
    )
    assert prune("--dry-run") == expected
    assert all(type(each)._default_manager.filter(pk=each.pk).exists() for each in kept + gone)
    assert prune() == expected
    assert all(type(each)._default_manager.filter(pk=each.pk).exists() for each in kept)
    assert not any(type(each)._default_manager.filter(pk=each.pk).exists() for each in gone)
    assert prune() == NOTHING


def attempt(at: datetime) -> AccessAttempt:
    made = AccessAttempt.objects.create(user_agent=str(at), failures_since_start=1)
    AccessAttempt.objects.filter(pk=made.pk).update(attempt_time=at)
    return made


def undone(job: Job, *, at: datetime) -> Dataset:
    undo(dataset=job.dataset, by=job.dataset.uploaded_by, at=at, request_id="request-0002")
    return Dataset.objects.get(pk=job.dataset_id)


def test_raw_files_go_of_uploads_that_were_undone_long_ago_and_of_no_other(
    upload: Callable[..., Job], old: datetime
) -> None:
    counts, fresh, long_gone = (upload(sales(row(number))) for number in range(3))
    recent, dataset = undone(fresh, at=timezone.now()), undone(long_gone, at=old)
    expected = NOTHING | {"raw_files": 1, "raw_bytes": dataset.size_bytes}
    assert prune("--dry-run") == expected
    assert raw_storage().exists(dataset.key)
    audit = list(AuditEntry.objects.exclude(action=AuditAction.PRUNED).values())
    assert prune() == expected
    assert not raw_storage().exists(dataset.key)
    assert all(raw_storage().exists(each.key) for each in (counts.dataset, recent))
    dataset.refresh_from_db()
    assert dataset.raw_deleted_at is not None
    assert prune() == NOTHING
    assert prune("--days", "1000") == NOTHING
    assert list(AuditEntry.objects.exclude(action=AuditAction.PRUNED).values()) == audit


def test_what_was_deleted_is_in_the_audit_and_nothing_where_nothing_was(
    upload: Callable[..., Job], seller: User, old: datetime
) -> None:
    session(seller, created=old - timedelta(days=30))
    dataset = undone(upload(sales(row(1))), at=old)
    pruned = AuditEntry.objects.filter(action=AuditAction.PRUNED)
    prune("--dry-run", "--reason", "to see")
    assert not pruned.exists()
    for _ in range(2):
        prune("--reason", "the nightly one")
        entry = pruned.get()
    assert (entry.actor, entry.reason, entry.target_type) == (None, "the nightly one", "data")
    assert entry.actor_name.endswith(" on the command line")
    assert entry.details == NOTHING | {"sessions": 1, "raw_files": 1, "raw_bytes": dataset.size_bytes}


def test_a_file_that_is_gone_already_is_no_error(upload: Callable[..., Job], old: datetime) -> None:
    dataset = undone(upload(sales(row(1))), at=old)
    raw_storage().delete(dataset.key)
    assert prune()["raw_files"] == 1
    assert prune()["raw_files"] == 0


def test_files_that_a_store_keeps_are_said_and_go_the_next_time(
    upload: Callable[..., Job], old: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = [undone(upload(sales(row(number))), at=old) for number in range(3)]
    delete = raw_storage().delete

    def away(name: str) -> None:
        if name != datasets[0].key:
            raise EndpointConnectionError(endpoint_url="http://s3")
        delete(name)

    with monkeypatch.context() as patched:
        patched.setattr(raw_storage(), "delete", away)
        with pytest.raises(CommandError, match=r"does not answer\. Still there, for the next prune: 2\.") as failed:
            prune()
    assert failed.value.returncode == 1
    assert [raw_storage().exists(each.key) for each in datasets] == [False, True, True]
    assert AuditEntry.objects.get(action=AuditAction.PRUNED).details["raw_files"] == 1
    assert prune()["raw_files"] == 2


@pytest.mark.parametrize(
    "held",
    [PermissionError("held"), ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "DeleteObject")],
)
def test_a_file_that_the_store_does_not_let_go_of_keeps_no_other(
    upload: Callable[..., Job], old: datetime, monkeypatch: pytest.MonkeyPatch, held: Exception
) -> None:
    datasets = [undone(upload(sales(row(number))), at=old) for number in range(2)]
    delete = raw_storage().delete

    def refusing(name: str) -> None:
        if name == datasets[0].key:
            raise held
        delete(name)

    monkeypatch.setattr(raw_storage(), "delete", refusing)
    with pytest.raises(CommandError, match=r"refuses to delete some\. Still there, for the next prune: 1\."):
        prune()
    assert [raw_storage().exists(each.key) for each in datasets] == [True, False]


def test_on_a_disk_the_files_folder_goes_with_it(tmp_path: Path) -> None:
    storage = DiskRawStorage(location=str(tmp_path))
    for key in ("raw/sales/1/a.csv", "raw/sales/2/a.csv"):
        storage.save(key, ContentFile(b"x"))
    for _ in range(2):
        storage.delete("raw/sales/1/a.csv")
    assert [path.name for path in (tmp_path / "raw/sales").iterdir()] == ["2"]


def test_what_it_did_is_said_in_words(upload: Callable[..., Job], old: datetime) -> None:
    undone(upload(sales(row(1))), at=old)
    out = StringIO()
    call_command("prune", stdout=out)
    assert "0  sessions that have ended or run out" in out.getvalue()
    assert "1 raw file of undone uploads (" in out.getvalue().splitlines()[-1]
    assert out.getvalue().splitlines()[-1].endswith(", deleted")


def test_what_was_of_use_a_moment_ago_cannot_be_pruned() -> None:
    with pytest.raises(CommandError, match="at least 1") as refused:
        prune("--days", "0")
    assert refused.value.returncode == 2
