"""A large dataset's rows in a partition of their own: loaded, read, loaded anew, dropped."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets import partitions
from apps.datasets.current import current_rows
from apps.datasets.models import Dataset, RetiredPartition, clean_table
from apps.datasets.partitions import drop_retired, partition_name
from apps.datasets.selectors import hold_rows
from apps.datasets.services import clear_undone
from apps.jobs.models import Job, Stage
from apps.jobs.services.again import reprocess, undo
from tests.jobs.files import row, sales
from tests.jobs.steps import rows_of
from tests.jobs.told import tables_of
from tests.support.roles import as_owner

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

Upload = Callable[..., Job]
Work = Callable[[], None]


@pytest.fixture(autouse=True)
def two_rows_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "LARGE", 2)


def bucket_of(job: Job) -> int:
    return Dataset.objects.values_list("rows_bucket", flat=True).get(pk=job.dataset_id)


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'clean_sales'::regclass")
        return {name.strip('"') for (name,) in cursor.fetchall()}


def read_in_one_transaction() -> Any:
    """As the ML stage reads: the snapshot is taken once nothing can be dropped any more."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        hold_rows("sales")
        yield len(current_rows("sales", columns=("sku",)))
        yield len(current_rows("sales", columns=("sku",)))


def test_small_and_large_datasets_are_read_together(upload: Upload, work: Work) -> None:
    small, large = upload(sales(row(1))), upload(sales(row(2), row(3)))
    work()
    assert bucket_of(small) == partitions.SHARED
    assert partition_name("sales", bucket=bucket_of(large)) in tables()
    assert rows_of(small).count() == 1
    assert [each["line"] for each in rows_of(large)] == [2, 3]
    assert len(current_rows("sales", columns=("sku",))) == 3


def test_a_partition_that_is_full_does_not_say_any_more_whose_rows_it_takes(upload: Upload, work: Work) -> None:
    job = upload(sales(row(1), row(2)))
    work()
    assert set(rows_of(job).values_list("bucket", "dataset_no")) == {(bucket_of(job), job.dataset.number)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_attrdef WHERE adrelid = to_regclass(%s)",
            [f'"{partition_name("sales", bucket=bucket_of(job))}"'],
        )
        assert cursor.fetchone() == (0,)


def test_a_load_that_fails_leaves_no_table(upload: Upload, sqs: Any, work: Work) -> None:
    before = tables_of("sales")
    upload(sales(row(1), row(2, quantity="x"), row(3, quantity="y")))
    with pytest.raises(Exception, match="cannot be loaded"):
        work()
    assert tables_of("sales") <= before


def test_a_dataset_loaded_anew_moves_and_its_old_partition_goes_a_little_later(upload: Upload, work: Work) -> None:
    job = upload(sales(row(1), row(2)))
    work()
    first = bucket_of(job)
    reprocess(dataset=job.dataset, first=Stage.ETL, by=None, at=timezone.now())
    work()
    assert bucket_of(job) != first
    assert rows_of(job).count() == len(current_rows("sales", columns=("sku",))) == 2
    assert RetiredPartition.objects.values_list("bucket", flat=True).get() == first

    assert drop_retired(at=timezone.now()) == 0, "somebody may have looked up just now where the rows are"
    assert drop_retired(at=timezone.now() + timedelta(minutes=2)) == 1
    assert partition_name("sales", bucket=first) not in tables()
    assert not RetiredPartition.objects.exists()
    assert rows_of(job).count() == 2


def test_who_began_to_read_before_a_reload_reads_the_old_rows_to_the_end(upload: Upload, work: Work) -> None:
    job = upload(sales(row(1), row(2)))
    work()
    old = bucket_of(job)
    reading = read_in_one_transaction()
    assert next(reading) == 2

    def elsewhere() -> bool:
        """In a transaction of its own, as the relay's sweep is."""
        connections["loader"].cursor().execute("SELECT set_config('lock_timeout', '200ms', false)")
        try:
            connections["loader"].cursor().execute("SELECT clean_partition_drop('clean_sales', %s)", [old])
        except DatabaseError as error:
            return "lock timeout" not in str(error)
        finally:
            connections["loader"].close()
        return True

    assert not elsewhere(), "the partition went under a reader's eyes"
    assert next(reading) == 2
    assert not list(reading)
    assert elsewhere()


def test_an_undo_that_meets_a_reader_counts_at_once_and_is_cleared_after(
    upload: Upload, work: Work, seller: User
) -> None:
    job = upload(sales(row(1), row(2)))
    work()
    name = partition_name("sales", bucket=bucket_of(job))
    reader = connections["loader"]
    with transaction.atomic(using="loader"):
        reader.cursor().execute("SELECT count(*) FROM clean_sales")
        undo(dataset=job.dataset, by=seller, at=timezone.now(), request_id="request-0002")
        assert len(current_rows("sales", columns=("sku",))) == 0
        assert clear_undone() == 0
        assert name in tables()
    assert clear_undone() == 1
    assert name not in tables()
    assert clean_table("sales")._default_manager.count() == 0


@pytest.mark.parametrize(
    "table", ["accounts_user", "clean_sales_shared", "clean_nothing", 'x"; DROP TABLE accounts_user']
)
@pytest.mark.parametrize(
    "call", ["clean_partition_make(%s, 1)", "clean_partition_attach(%s, 1)", "clean_partition_drop(%s, 1)"]
)
def test_the_owners_functions_work_on_clean_tables_only(table: str, call: str) -> None:
    with as_owner() as cursor, pytest.raises(DatabaseError, match="is no clean table"), transaction.atomic():
        cursor.execute(f"SELECT {call}", [table])


def test_the_shared_partition_cannot_be_dropped() -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="no bucket of its own"):
        cursor.execute("SELECT clean_partition_drop('clean_sales', 0)")
