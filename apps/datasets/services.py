"""Writes to datasets. What concerns the pipeline (jobs, queues) is `apps.jobs`' business."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.db.models import Q

from aetherflow.errors import InvalidError
from aetherflow.etl import Counts, Drift, Profile, Profiler, Reading, ReadOptions, compare
from aetherflow.etl.digests import VERSION
from aetherflow.etl.mapping import header_shape
from aetherflow.etl.options import NOTHING_SAID
from aetherflow.registry import department as find_department
from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.accounts.services.auditing import Target, record
from apps.datasets import digests, partitions
from apps.datasets.changes import Changes
from apps.datasets.loading import RejectSpool, remove_shared_rows
from apps.datasets.models import Dataset, HeaderMapping, OnError, Overlap, Reject
from apps.datasets.selectors import profiled_before, upload_undone
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
    options: ReadOptions = NOTHING_SAID,
    corrects: Dataset | None = None,
) -> Dataset:
    """Record a stored file, inside a transaction of the caller's. An empty name becomes the file's.

    ConflictError when the upload that it `corrects` was undone meanwhile, InvalidError when that is another
    department's.
    """
    if on_error not in OnError.values:
        raise InvalidError(
            f"on_error is {on_error!r}.",
            code="invalid-on-error",
            hint=f"Use one of: {', '.join(OnError.values)}.",
        )
    if corrects is not None:
        _require_correctable(corrects, department=department)
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
        sha256_claimed=stored.sha256_claimed,
        on_error=on_error,
        max_reject_share=_usual_share(department, corrects) if max_reject_share is None else max_reject_share,
        read_options=options.said(),
        uploaded_by=by,
        uploaded_at=at,
        corrects=corrects,
    )
    dataset.refresh_from_db(fields=["number"])
    return dataset


def _usual_share(department: str, corrects: Dataset | None) -> float:
    """A list of rejects may be mended bit by bit: what is right in it counts, however much is left to mend."""
    return find_department(department).max_reject_share if corrects is None else 1.0


def _require_correctable(root: Dataset, *, department: str) -> None:
    if root.department != department:
        raise InvalidError(
            f"{root.name} is an upload of {root.department!r}, and this one is for {department!r}.",
            code="other-department",
            hint="Upload the correction to the department of the file that it completes.",
        )
    # Held, so that an undo takes the correction along or comes first.
    if lock_dataset(root.pk, using="default").deleted_at is not None:
        raise upload_undone(root)


def target_of(dataset: Dataset) -> Target:
    """What the audit calls it."""
    return Target(type="dataset", id=str(dataset.pk), name=dataset.name, department=dataset.department)


def lock_dataset(dataset_id: UUID, *, using: str) -> Dataset:
    """The dataset's row, held until the transaction ends, so that an undo and a load never interleave.

    Of it only `deleted_at` is read.
    """
    return Dataset.objects.using(using).select_for_update(of=("self",)).only("deleted_at").get(pk=dataset_id)


def lock_department(department: str, *, using: str) -> None:
    """Held until the transaction ends: an undo, the storing of insights and the end of a load come one after the other.

    Whoever needs the lock of one of its datasets too takes this one first.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"department:{department}"])


def record_load(
    *,
    dataset: Dataset,
    counts: Counts,
    spool: RejectSpool,
    reading: Reading,
    profiler: Profiler,
    bucket: int,
    changes: Changes | None,
    at: datetime,
    using: str,
) -> None:
    """Keep what a load found, and the mapping it was given, which it has shown to be right. `bucket`: the partition its
    rows stand in from now on; their digests are stored. `changes`: None if unknown."""
    _remember(dataset, reading=reading, using=using)
    Dataset.objects.using(using).filter(pk=dataset.pk).update(
        rows_read=counts.read,
        rows_loaded=counts.loaded,
        rows_rejected=counts.rejected,
        rows_duplicate=counts.duplicate,
        reading=reading.as_dict(),
        rows_bucket=bucket,
        profile=_profile(profiler, dataset=dataset, using=using),
        rows_new=changes.new if changes else None,
        rows_changed=changes.changed if changes else None,
        rows_unchanged=changes.unchanged if changes else None,
        digest_version=VERSION,
        sha256_claimed=False,  # who loads has compared it
        loaded_at=at,
        **spool.fields(),
    )


def _remember(dataset: Dataset, *, reading: Reading, using: str) -> None:
    """The upload's own mapping, for the department's next file of this shape.

    At its first load only: a run of an old upload again must not bring back what was forgotten since, nor take the
    place of what a newer upload was given.
    """
    if reading.mapping_from != "upload" or dataset.loaded_at is not None:
        return
    given = {
        "header": reading.header,
        "mapping": dataset.read_options["mapping"],
        "given_by_id": dataset.uploaded_by_id,
        "given_at": dataset.uploaded_at,
    }
    remembered, created = HeaderMapping.objects.using(using).get_or_create(
        department=dataset.department, shape=header_shape(reading.header), defaults=given
    )
    if not created:
        older = HeaderMapping.objects.using(using).filter(pk=remembered.pk, given_at__lte=dataset.uploaded_at)
        older.update(**given)


@transaction.atomic
def forget_mapping(mapping: HeaderMapping, *, by: User, at: datetime) -> None:
    """Files of its shape are read by names and aliases again; what was loaded with it stays as it is."""
    deleted, _ = HeaderMapping.objects.filter(pk=mapping.pk).delete()
    if deleted:
        said = ", ".join(f"{label}: {column or 'left out'}" for label, column in mapping.mapping.items())
        forgotten = Target(type="mapping", id=str(mapping.pk), name=said, department=mapping.department)
        record(AuditAction.MAPPING_FORGOTTEN, forgotten, by=by, at=at)


def _profile(profiler: Profiler, *, dataset: Dataset, using: str) -> dict[str, Any]:
    """The profile as it is kept: with what has changed since the department's upload before, and which that was."""
    before = profiled_before(dataset, using=using)
    earlier = Profile.from_dict(before.profile or {}) if before else None
    if before is None:
        drift = Drift(reason="There is no earlier upload to compare it with.")
    elif earlier is None:
        drift = Drift(reason="The upload before was profiled by another version: reprocess both to compare them.")
    else:
        drift = compare(profiler, earlier)
    compared_with = str(before.pk) if before else None
    return {**profiler.result().as_dict(), "drift": {**drift.as_dict(), "compared_with": compared_with}}


def record_refusal(*, dataset: Dataset, spool: RejectSpool, reading: Reading | None) -> None:
    """Keep what was wrong with a refused file, so that its owner can mend it; nothing of an undone one."""
    with transaction.atomic():
        if lock_dataset(dataset.pk, using="default").deleted_at is not None:
            return
        spool.replace_stored(using="default")
        Dataset.objects.filter(pk=dataset.pk).update(
            **spool.fields(), **({"reading": reading.as_dict()} if reading else {})
        )


def mark_undone(*, dataset: Dataset, by: User, at: datetime) -> bool:
    """From the end of this transaction on the upload counts no more; what it had superseded counts again by itself,
    since what is current is decided when rows are read. False when somebody already did it.

    Its rows are taken out afterwards by `clear`: a load that is under way holds some of them, and waits for this row.
    """
    lock_dataset(dataset.pk, using="default")
    marked = Dataset.objects.filter(pk=dataset.pk, deleted_at=None).update(deleted_at=at, deleted_by=by)
    Overlap.objects.filter(Q(older=dataset) | Q(newer=dataset)).delete()
    return bool(marked)


@transaction.atomic
def clear(dataset: Dataset) -> bool:
    """Take an undone upload's rows, rejects and profile out; its raw file stays until retention ends.

    False where its rows are being read: they count for nobody any more, and go with `clear_undone`.
    """
    # Rows first, as a load does it, which may be at work on them: it ends without a trace, for it finds the mark.
    remove_shared_rows(dataset=dataset, using="default")
    digests.remove(dataset_no=dataset.number, using="default")
    Reject.objects.filter(dataset=dataset).delete()
    bucket = Dataset.objects.values_list("rows_bucket", flat=True).get(pk=dataset.pk)
    if bucket != partitions.SHARED and not partitions.drop(dataset.department, bucket=bucket):
        return False
    Dataset.objects.filter(pk=dataset.pk).update(loaded_at=None, profile=None, rows_bucket=partitions.SHARED)
    return True


def clear_undone() -> int:
    """Clear what a process that died after marking, or a reader, has left; returns how many uploads."""
    left = Dataset.objects.exclude(deleted_at=None).exclude(loaded_at=None)
    return sum(clear(dataset) for dataset in left)
