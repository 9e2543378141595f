"""Writes to datasets. What concerns the pipeline (jobs, queues) is `apps.jobs`' business."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from aetherflow.errors import InvalidError
from aetherflow.etl import Counts, Reading
from aetherflow.registry import department as find_department
from apps.accounts.models import User
from apps.datasets import partitions
from apps.datasets.loading import RejectSpool, remove_shared_rows
from apps.datasets.models import Dataset, OnError, Reject
from apps.datasets.uploads import StoredFile


def record_dataset(
    *,
    stored: StoredFile,
    department: str,
    name: str,
    description: str,
    on_error: str,
    max_reject_share: float | None,
    by: User,
    at: datetime,
) -> Dataset:
    """Record a stored file. An empty name becomes the file's."""
    if on_error not in OnError.values:
        raise InvalidError(
            f"on_error is {on_error!r}.",
            code="invalid-on-error",
            hint=f"Use one of: {', '.join(OnError.values)}.",
        )
    dataset = Dataset.objects.create(
        id=stored.dataset_id,
        department=department,
        name=(name or stored.filename)[:200],
        description=description,
        original_filename=stored.filename,
        bucket=settings.RAW_BUCKET,
        key=stored.key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        on_error=on_error,
        max_reject_share=find_department(department).max_reject_share if max_reject_share is None else max_reject_share,
        uploaded_by=by,
        uploaded_at=at,
    )
    dataset.refresh_from_db(fields=["number"])
    return dataset


def lock_dataset(dataset_id: UUID, *, using: str) -> Dataset:
    """The dataset's row, held until the transaction ends, so that an undo and a load never interleave."""
    return Dataset.objects.using(using).select_for_update(of=("self",)).get(pk=dataset_id)


def lock_department(department: str) -> None:
    """Held until the transaction ends: an undo and the storing of insights come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"department:{department}"])


def record_load(
    *,
    dataset: Dataset,
    counts: Counts,
    by_code: Mapping[str, int],
    reading: Reading,
    bucket: int,
    at: datetime,
    using: str,
) -> None:
    """`bucket`: the partition its rows stand in from now on."""
    Dataset.objects.using(using).filter(pk=dataset.pk).update(
        rows_read=counts.read,
        rows_loaded=counts.loaded,
        rows_rejected=counts.rejected,
        rows_duplicate=counts.duplicate,
        rejects_by_code=dict(by_code),
        reading=reading.as_dict(),
        rows_bucket=bucket,
        loaded_at=at,
    )


def record_refusal(*, dataset: Dataset, spool: RejectSpool, reading: Reading | None) -> None:
    """Keep what was wrong with a refused file, so that its owner can mend it; nothing of an undone one."""
    with transaction.atomic():
        if lock_dataset(dataset.pk, using="default").deleted_at is not None:
            return
        spool.replace_stored(using="default")
        Dataset.objects.filter(pk=dataset.pk).update(
            rejects_by_code=dict(spool.by_code), **({"reading": reading.as_dict()} if reading else {})
        )


def mark_undone(*, dataset: Dataset, by: User, at: datetime) -> bool:
    """From the end of this transaction on the upload counts no more; what it had superseded counts again by itself,
    since what is current is decided when rows are read. False when somebody already did it.

    Its rows are taken out afterwards by `clear`: a load that is under way holds some of them, and waits for this row.
    """
    lock_dataset(dataset.pk, using="default")
    marked = Dataset.objects.filter(pk=dataset.pk, deleted_at=None).update(deleted_at=at, deleted_by=by)
    return bool(marked)


@transaction.atomic
def clear(dataset: Dataset) -> bool:
    """Take an undone upload's rows and rejects out; its raw file stays until retention ends. False where its rows are
    being read: they count for nobody any more, and go with `clear_undone`."""
    # Rows first, as a load does it, which may be at work on them: it ends without a trace, for it finds the mark.
    remove_shared_rows(dataset=dataset, using="default")
    Reject.objects.filter(dataset=dataset).delete()
    bucket = Dataset.objects.values_list("rows_bucket", flat=True).get(pk=dataset.pk)
    if bucket != partitions.SHARED and not partitions.drop(dataset.department, bucket=bucket):
        return False
    Dataset.objects.filter(pk=dataset.pk).update(loaded_at=None, rows_bucket=partitions.SHARED)
    return True


def clear_undone() -> int:
    """Clear what a process that died after marking, or a reader, has left; returns how many uploads."""
    left = Dataset.objects.exclude(deleted_at=None).exclude(loaded_at=None)
    return sum(clear(dataset) for dataset in left)
