"""Where a dataset's clean rows stand. Small datasets share a partition of their department's table; a large one is
loaded into a table of its own, which becomes a partition when it is full: its key is built once instead of row by row,
and it goes in one piece.

Making, attaching and dropping are functions of the table's owner in the database (migration 0002), because they need
rights on the parent that a role which only loads rows has not.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import OperationalError, connections, transaction

from apps.datasets.clean import ListPartitioned, clean_table
from apps.datasets.models import Dataset, RetiredPartition

log = structlog.get_logger(__name__)

SHARED = ListPartitioned.shared_partition_key
# Rows from which a partition of its own is worth its place in the catalog: below, it saves a tenth of a second.
LARGE = 100_000
# Readers look up where the rows are, and read them a moment later.
_GRACE = timedelta(minutes=1)


def partition_name(department: str, *, bucket: int) -> str:
    """`$` is in no slug: the name cannot be another department's table."""
    table = clean_table(department)._meta.db_table
    return f"{table}{ListPartitioned.shared_partition_suffix}" if bucket == SHARED else f"{table}${bucket}"


def make(department: str, *, dataset_no: int, using: str) -> int:
    """A new table for one dataset, not yet seen by readers; its bucket. Until it is attached, rows need not say which
    bucket and dataset they are of. They may be frozen when they are copied into it, as long as this is still the same
    (sub)transaction."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT clean_partition_make(%s, %s)", [clean_table(department)._meta.db_table, dataset_no])
        bucket: int = cursor.fetchone()[0]
    return bucket


def attach(department: str, *, bucket: int, using: str) -> None:
    """Build its key and make it a partition; readers see it when the transaction is committed."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT clean_partition_attach(%s, %s)", [clean_table(department)._meta.db_table, bucket])


def reserve(dataset: Dataset, *, until: datetime, using: str) -> int:
    """The bucket of a partition that is to be made of pieces. What has not become one until then is dropped."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT nextval('datasets_clean_bucket')")
        bucket: int = cursor.fetchone()[0]
    RetiredPartition.objects.using(using).create(department=dataset.department, bucket=bucket, retired_at=until)
    return bucket


def release(bucket: int, *, at: datetime) -> None:
    """No partition is to be made of what was reserved."""
    RetiredPartition.objects.filter(bucket=bucket).update(retired_at=at)


def piece_name(department: str, *, bucket: int, piece: int) -> str:
    return f"{partition_name(department, bucket=bucket)}${piece}"


def make_piece(department: str, *, bucket: int, dataset_no: int, lines: range, using: str) -> int:
    """A new table for the rows of these lines, as `make` makes one for all of them; its number."""
    table = clean_table(department)._meta.db_table
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT clean_piece_make(%s, %s, %s, %s, %s)", [table, bucket, dataset_no, lines.start, lines.stop]
        )
        piece: int = cursor.fetchone()[0]
    return piece


def close_piece(department: str, *, bucket: int, piece: int, using: str) -> None:
    """Build the piece's key: it has all its rows. By one process: others build those of other pieces."""
    with connections[using].cursor() as cursor:
        cursor.execute("SET LOCAL max_parallel_maintenance_workers = 0")
        cursor.execute("SELECT clean_piece_close(%s, %s, %s)", [clean_table(department)._meta.db_table, bucket, piece])


def attach_pieces(department: str, *, bucket: int, pieces: Sequence[tuple[int, range]], using: str) -> None:
    """Make the closed pieces a partition, whose rows readers see when the transaction is committed. Each comes with the
    lines it was made for, and they follow each other."""
    bounds = [*(lines.start for _, lines in pieces), pieces[-1][1].stop]
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT clean_pieces_attach(%s, %s, %s, %s::bigint[])",
            [clean_table(department)._meta.db_table, bucket, [piece for piece, _ in pieces], bounds],
        )
    RetiredPartition.objects.using(using).filter(bucket=bucket).delete()


def retire(dataset: Dataset, *, at: datetime, using: str) -> None:
    """The dataset's rows are about to stand elsewhere: its old partition is to go once nobody can look for it."""
    bucket = Dataset.objects.using(using).values_list("rows_bucket", flat=True).get(pk=dataset.pk)
    if bucket != SHARED:
        RetiredPartition.objects.using(using).create(department=dataset.department, bucket=bucket, retired_at=at)


def drop_retired(*, at: datetime) -> int:
    """Drop what was retired a while ago; returns how many partitions. What is being read is left to the next time."""
    retired = RetiredPartition.objects.filter(retired_at__lt=at - _GRACE)
    return sum(_drop_retired(partition) for partition in retired)


def _drop_retired(partition: RetiredPartition) -> bool:
    with transaction.atomic():
        dropped = drop(partition.department, bucket=partition.bucket)
        if dropped:
            partition.delete()
    return dropped


def drop(department: str, *, bucket: int) -> bool:
    """Drop a partition with all its rows; False where somebody reads them. Dropping what is gone is no error."""
    try:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute("SELECT clean_partition_drop(%s, %s)", [clean_table(department)._meta.db_table, bucket])
    except OperationalError as error:
        if "lock timeout" not in str(error):
            raise
        log.info("partition_in_use", department=department, bucket=bucket)
        return False
    return True
