"""Which stage run a message is for. The gateway's messages name their job in a header; a plain JSON message of another
producer is matched to its dataset's job, or gets one of its own."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction

from aetherflow.errors import ConflictError, InvalidError
from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.accounts.selectors import departments_of
from apps.accounts.services.auditing import record
from apps.datasets.models import Dataset, DirectUpload, OnError
from apps.datasets.names import clean_filename
from apps.datasets.services import record_dataset, target_of
from apps.datasets.storage import is_put_by_platform, local_copy
from apps.datasets.uploads import StoredFile, digest
from apps.jobs.models import ACTIVE, Cause, Job, Stage, StageRun
from apps.jobs.services.submission import enqueue
from apps.jobs.sqs.delivery import Delivery, foreign_job_id
from apps.jobs.sqs.messages import EtlMessage, MlMessage
from apps.jobs.sqs.s3_events import LANDED


def etl_run_of(message: EtlMessage, *, delivery: Delivery, at: datetime) -> StageRun:
    """InvalidError where the message does not fit what is recorded."""
    if delivery.job_id is not None:
        run = _named(message, job_id=delivery.job_id, stage=Stage.ETL)
        _require_same_file(message, run.job.dataset)
        return run
    if message.s3_bucket != settings.RAW_BUCKET:
        raise InvalidError(f"The bucket {message.s3_bucket} is not the platform's.", code="unknown-bucket")
    dataset = Dataset.objects.filter(pk=message.dataset_id).first() or _adopt(message, at=at)
    _require_same_file(message, dataset)
    return _matched(dataset, stage=Stage.ETL, by=message.requested_by, delivery=delivery, at=at)


def is_of_our_making(message: EtlMessage, *, delivery: Delivery) -> bool:
    """Whether an event tells of a file that is taken in already, or is being taken in by whoever put it there.

    The job of a file that was not known is named after the event's SQS message: its redelivery goes on with it.
    """
    if message.requested_by != LANDED or delivery.job_id is not None or message.s3_bucket != settings.RAW_BUCKET:
        return False
    jobs = Job.objects.filter(dataset_id=message.dataset_id)
    if jobs.filter(pk=foreign_job_id(delivery.message_id or "")).exists():
        return False
    known = jobs.exists() or DirectUpload.objects.filter(key=message.s3_key).exists()
    return known or is_put_by_platform(message.s3_key)


def ml_run_of(message: MlMessage, *, delivery: Delivery, at: datetime) -> StageRun:
    """InvalidError where the message does not fit what is recorded."""
    if delivery.job_id is not None:
        return _named(message, job_id=delivery.job_id, stage=Stage.ML)
    dataset = Dataset.objects.filter(pk=message.dataset_id, department=message.department).first()
    if dataset is None:
        raise InvalidError("The message names a dataset that does not exist.", code="unknown-dataset")
    return _matched(dataset, stage=Stage.ML, by=message.requested_by, delivery=delivery, at=at)


def _named(message: EtlMessage | MlMessage, *, job_id: str, stage: Stage) -> StageRun:
    if not _is_uuid(job_id):
        raise InvalidError("The message's job id is no id.", code="unknown-job")
    run = (
        StageRun.objects.select_related("job__dataset")
        .filter(
            stage=stage,
            job_id=job_id,
            job__dataset_id=message.dataset_id,
            job__department=message.department,
        )
        .first()
    )
    if run is None:
        raise InvalidError("The message names a job that does not exist.", code="unknown-job")
    return run


def _require_same_file(message: EtlMessage, dataset: Dataset) -> None:
    """A message may not send one dataset's run to the file of another."""
    if (message.department, message.s3_bucket, message.s3_key) != (
        dataset.department,
        dataset.bucket,
        dataset.key,
    ):
        raise InvalidError("The message does not fit its dataset's department and file.", code="message-mismatch")


def _matched(dataset: Dataset, *, stage: Stage, by: str, delivery: Delivery, at: datetime) -> StageRun:
    """The run this message made before, or the one under way for the dataset, or a new job's."""
    runs = StageRun.objects.select_related("job__dataset").filter(stage=stage, job__dataset=dataset)
    job_id = foreign_job_id(delivery.message_id or "")
    run = runs.filter(job_id=job_id).first() or runs.filter(state__in=ACTIVE).first()
    if run is not None:
        return run
    try:
        enqueue(
            dataset=dataset,
            cause=Cause.MESSAGE,
            by=_user(by),
            at=at,
            request_id=(delivery.request_id or str(job_id))[:64],
            first=stage,
            job_id=job_id,
            announce=False,
        )
    except ConflictError:
        if made := runs.filter(state__in=ACTIVE).first():
            return made  # in the same moment, by a redrive or another message
        # Its other stage is under way: that job gets to this stage by itself, and this message waits its turn.
        active = Job.objects.filter(dataset=dataset).order_by("-created_at").first()
        raise ConflictError(f"Job {active} is working the dataset.", code="job-active") from None
    return runs.get(job_id=job_id)


def _adopt(message: EtlMessage, *, at: datetime) -> Dataset:
    """Record a file that came into the bucket without the gateway. Its sender must be a user of the department."""
    filename = message.s3_key.rsplit("/", 1)[-1]
    if len(filename) > 255:
        raise InvalidError("The file's name is longer than 255 characters.", code="name-too-long")
    by = _user(message.requested_by)
    if by is None and message.requested_by == LANDED:
        raise InvalidError(
            "S3_EVENTS_USER names no active account in whose name files that came into the bucket may be taken in.",
            code="unknown-requester",
        )
    if by is None or message.department not in departments_of(by):
        raise InvalidError("requested_by is no user of the department.", code="unknown-requester")
    with local_copy(message.s3_key) as path, path.open("rb") as raw:
        file = File(raw)
        stored = StoredFile(
            dataset_id=message.dataset_id,
            filename=clean_filename(filename),
            key=message.s3_key,
            size_bytes=path.stat().st_size,
            sha256=digest(file),
        )
    try:
        with transaction.atomic():
            dataset = record_dataset(
                stored=stored,
                department=message.department,
                name="",
                description="",
                on_error=OnError.QUARANTINE,
                max_reject_share=None,
                by=by,
                at=at,
            )
            # The message says who it is from; nobody has logged in.
            record(AuditAction.UPLOADED, target_of(dataset), by=by, at=at, details={"by": _told_by(message)})
            return dataset
    except IntegrityError:
        return Dataset.objects.get(pk=message.dataset_id)


def _told_by(message: EtlMessage) -> str:
    return "an event of the bucket" if message.requested_by == LANDED else "a message in the queue"


def _user(text: str) -> User | None:
    """Of an event the account that the settings name."""
    if text == LANDED:
        named = User.objects.filter(email__iexact=settings.S3_EVENTS_USER, is_active=True)
        return named.first() if settings.S3_EVENTS_USER else None
    return User.objects.filter(pk=text, is_active=True).first() if _is_uuid(text) else None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
