"""Deleting what is of no more use, once it is old enough. Never the audit, nor anything that a reprocess reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from axes.models import AccessAttempt
from botocore.exceptions import ClientError
from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from apps.accounts.choices import AuditAction
from apps.accounts.models import ConsoleSession, Invitation, RateLimit, Session, User
from apps.accounts.services.auditing import Target, record
from apps.datasets.direct import abort
from apps.datasets.models import Dataset, DirectUpload, UploadState, UploadTally
from apps.datasets.storage import STORE_ERRORS, raw_storage
from apps.jobs.models import IdempotentRequest, StageLog, WorkerHeartbeat

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What was deleted, or would be: rows by what they are, and raw files; and direct uploads given up. `problem`: what
    kept files from going, in a sentence, or empty."""

    rows: Mapping[str, int]
    expired_uploads: int
    raw_files: int
    raw_bytes: int
    problem: str = ""


def would_prune(*, before: datetime, at: datetime) -> Pruned:
    files = _raw_files(before=before)
    return Pruned(
        rows={name: rows.count() for name, rows in _rows(before=before).items()},
        expired_uploads=_expired_uploads(at=at).count(),
        raw_files=files.count(),
        raw_bytes=files.aggregate(bytes=Sum("size_bytes"))["bytes"] or 0,
    )


def prune(*, before: datetime, by: User | None, at: datetime, reason: str = "") -> Pruned:
    """Delete what has been of no use since `before`. What the store keeps is left to the next time.

    Each file goes by itself, so the rows are deleted last, with the entry that tells of all.
    """
    expired = _expire_uploads(at=at)
    raw_files, raw_bytes, problem = _delete_raw_files(before=before, at=at)
    with transaction.atomic():
        rows = {name: found.delete()[0] for name, found in _rows(before=before).items()}
        if raw_files or expired or any(rows.values()):
            record(
                AuditAction.PRUNED,
                Target(type="data", name=f"of no use since {before:%Y-%m-%d %H:%M}"),
                by=by,
                at=at,
                reason=reason,
                details={**rows, "expired_uploads": expired, "raw_files": raw_files, "raw_bytes": raw_bytes},
            )
    return Pruned(rows=rows, expired_uploads=expired, raw_files=raw_files, raw_bytes=raw_bytes, problem=problem)


def _expire_uploads(*, at: datetime) -> int:
    """Give up the direct uploads that nobody has completed in their time, whatever the retention is."""
    return sum(abort(upload, at=at, state=UploadState.EXPIRED) for upload in _expired_uploads(at=at).iterator())


def _delete_raw_files(*, before: datetime, at: datetime) -> tuple[int, int, str]:
    """How many went, their bytes, and what kept others from going."""
    files = size = 0
    problem = ""
    for dataset in _raw_files(before=before).only("key", "size_bytes").iterator():
        try:
            raw_storage().delete(dataset.key)
        except STORE_ERRORS as error:
            log.warning("raw_file_not_deleted", dataset_id=str(dataset.pk), error=str(error)[:300])
            if _is_away(error):
                problem = "does not answer"
                break
            problem = "refuses to delete some"  # this one, and the others' turn comes all the same
            continue
        # After the file: who dies between the two deletes what is gone once more, which is no error.
        Dataset.objects.filter(pk=dataset.pk).update(raw_deleted_at=at)
        files += 1
        size += dataset.size_bytes
    if problem:
        left = _raw_files(before=before).count()
        problem = f"The store of the raw files {problem}. Still there, for the next prune: {left}."
    return files, size, problem


def _is_away(error: Exception) -> bool:
    """Whether it is the store's trouble, and not that of one file."""
    if isinstance(error, ClientError):
        return bool(error.response["ResponseMetadata"].get("HTTPStatusCode", 500) >= HTTPStatus.INTERNAL_SERVER_ERROR)
    return not isinstance(error, OSError)


def _rows(*, before: datetime) -> dict[str, QuerySet[Any]]:
    return {
        # Their tokens are refused as ended, or as none of ours: nobody gets in either way.
        "sessions": Session.objects.filter(Q(ended_at__lt=before) | Q(expires_at__lt=before)),
        "console_sessions": ConsoleSession.objects.filter(expire_date__lt=before),
        "wrong_passwords": AccessAttempt.objects.filter(attempt_time__lt=before),
        "invitations": Invitation.objects.filter(Q(used_at__lt=before) | Q(expires_at__lt=before)),
        # From then on the same key is a new upload's.
        "upload_keys": IdempotentRequest.objects.filter(created_at__lt=before),
        "direct_uploads": DirectUpload.objects.filter(finished_at__lt=before),
        "upload_tallies": UploadTally.objects.filter(day__lt=before.date()),
        "rate_limits": RateLimit.objects.filter(due_at__lt=before),
        "workers": WorkerHeartbeat.objects.filter(beat_at__lt=before),
        "stage_logs": StageLog.objects.filter(at__lt=before),
    }


def _expired_uploads(*, at: datetime) -> QuerySet[DirectUpload]:
    return DirectUpload.objects.filter(state=UploadState.OPEN, expires_at__lte=at)


def _raw_files(*, before: datetime) -> QuerySet[Dataset]:
    """Of undone uploads alone: those that count are read again whenever somebody reprocesses them."""
    return Dataset.objects.filter(deleted_at__lt=before, raw_deleted_at=None).order_by("number")
