"""Taking an upload in: keep the bytes, record them, queue the first stage. Also: a run of a dataset again."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction

from aetherflow.errors import ConflictError, InvalidError
from aetherflow.etl import ReadOptions
from aetherflow.etl.options import NOTHING_SAID
from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.accounts.services.auditing import record
from apps.datasets.models import Dataset, OnError
from apps.datasets.services import record_dataset, target_of
from apps.datasets.uploads import StoredFile, digest, keep
from apps.jobs.models import Cause, IdempotentRequest, Job, Stage, StageRun, State
from apps.jobs.services.dispatch import dispatch_after_commit, in_other_hands_until
from apps.jobs.services.transitions import start

# An upload that has been under way this long died with its process; its key may be used again.
_UNDER_WAY_AT_MOST = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Submission:
    job: Job
    replayed: bool = False


def submit(
    *,
    file: File,
    department: str,
    by: User,
    at: datetime,
    request_id: str,
    name: str = "",
    description: str = "",
    on_error: str = OnError.QUARANTINE,
    max_reject_share: float | None = None,
    options: ReadOptions = NOTHING_SAID,
    corrects: Dataset | None = None,
    idempotency_key: str = "",
) -> Submission:
    """Take a file in: keep the bytes, then record it and queue its first stage.

    `corrects` is the upload that it completes, itself no correction; see `record_dataset` for what is refused then.
    With an idempotency key the same request is answered by the same job; ConflictError while the first is under way,
    InvalidError when the key comes with other content.
    """
    sha256 = digest(file)
    reservation: IdempotentRequest | None = None
    if idempotency_key:
        parts = [sha256, file.name or "", department, name, description, on_error, str(max_reject_share)]
        if said := options.said():
            parts.append(json.dumps(said, sort_keys=True))
        if corrects:
            parts.append(f"corrects {corrects.pk}")
        fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        reservation, done = _reserve(key=idempotency_key, fingerprint=fingerprint, by=by, at=at)
        if done:
            return Submission(job=done, replayed=True)
    try:
        # An orphan object costs less than a lock held while a file is stored.
        stored = keep(file, department=department, sha256=sha256)
        with transaction.atomic():
            job = record_upload(
                stored=stored,
                department=department,
                name=name,
                description=description,
                on_error=on_error,
                max_reject_share=max_reject_share,
                options=options,
                by=by,
                at=at,
                corrects=corrects,
                request_id=request_id,
            )
            if reservation:
                IdempotentRequest.objects.filter(pk=reservation.pk).update(job=job)
    except BaseException:
        if reservation:
            # Only while it stands for nothing: the commit may have come through, and only its answer been lost.
            IdempotentRequest.objects.filter(pk=reservation.pk, job=None).delete()
        raise
    return Submission(job=job)


def record_upload(
    *, stored: StoredFile, by: User, at: datetime, request_id: str, corrects: Dataset | None, **said: Any
) -> Job:
    """Of a stored file the dataset, its first job and the audit's entry, inside a transaction of the caller's.

    `said`, and what is refused, as of `record_dataset`.
    """
    dataset = record_dataset(stored=stored, by=by, at=at, corrects=corrects, **said)
    job = enqueue(dataset=dataset, cause=Cause.UPLOAD, by=by, at=at, request_id=request_id)
    details = {"job": str(job.pk), "corrects": str(corrects.pk)} if corrects else {"job": str(job.pk)}
    record(AuditAction.UPLOADED, target_of(dataset), by=by, at=at, details=details)
    return job


def enqueue(
    *,
    dataset: Dataset,
    cause: Cause,
    by: User | None,
    at: datetime,
    request_id: str,
    first: Stage = Stage.ETL,
    job_id: UUID | None = None,
    announce: bool = True,
) -> Job:
    """A new job of the dataset, from stage `first`. ConflictError while another one is under way.

    `announce=False` where a message is there already.
    """
    identity = {"id": job_id} if job_id else {}
    with one_active_job_of(dataset):
        job = Job.objects.create(
            **identity,
            dataset=dataset,
            department=dataset.department,
            cause=cause,
            stage=first,
            requested_by=by,
            request_id=request_id,
            created_at=at,
        )
        start(
            job,
            first,
            at=at,
            max_attempts=settings.QUEUE_MAX_RECEIVES,
            send_after=at if announce else in_other_hands_until(at),
        )
        _tell_the_overtaken(job)
        if announce:
            dispatch_after_commit(dataset.department)
    job.refresh_from_db()
    return job


@contextmanager
def one_active_job_of(dataset: Dataset) -> Iterator[None]:
    """A transaction that would begin a job: ConflictError where the database refuses a second one beside it."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "job_one_active_per_dataset" not in str(error):
            raise
        raise ConflictError(
            f"The dataset {dataset.name} is being worked on already.",
            code="job-active",
            hint="Wait until its job has ended.",
        ) from None


def _tell_the_overtaken(job: Job) -> None:
    """An attempt of an older job that failed is not repeated any more: its owner is to look at the new one."""
    others = StageRun.objects.filter(job__dataset_id=job.dataset_id, state=State.FAILED, dead_lettered=False)
    others.exclude(job=job).update(error_hint="A newer job of the upload has taken over: look at that one.")


def _reserve(*, key: str, fingerprint: str, by: User, at: datetime) -> tuple[IdempotentRequest, Job | None]:
    """The key's row, ours to fill; or the job it already stands for."""
    row, created = IdempotentRequest.objects.get_or_create(
        user=by, key=key, defaults={"fingerprint": fingerprint, "created_at": at}
    )
    if created:
        return row, None
    if row.fingerprint != fingerprint:
        raise InvalidError(
            "This Idempotency-Key was used for another upload.",
            code="idempotency-key-reused",
            hint="Use a new key for a new upload.",
        )
    if row.job is not None:
        return row, row.job
    dead = at - _UNDER_WAY_AT_MOST
    if IdempotentRequest.objects.filter(pk=row.pk, job=None, created_at__lt=dead).update(created_at=at):
        return row, None
    raise ConflictError(
        "The first upload with this Idempotency-Key is still under way.",
        code="idempotency-key-in-use",
        hint="Wait for its answer, then ask again.",
    )
