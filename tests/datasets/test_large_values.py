"""Values of megabytes go to PostgreSQL and come back as they are."""

import pytest
from django.db import transaction

from apps.datasets.copying import BINARY_END, carried, large_value
from apps.datasets.models import RowDigests

pytestmark = pytest.mark.django_db(databases=["default", "loader"])


@pytest.mark.parametrize(
    "value", [b"", b"\x00", BINARY_END, bytes(range(256)) * 20_000], ids=["none", "0", "end", "5 MB"]
)
def test_a_value_comes_back_as_it_went(value: bytes) -> None:
    with transaction.atomic(using="loader"):
        for _ in range(2):  # one after the other in the same transaction
            RowDigests.objects.using("loader").filter(dataset_no=-1).delete()
            RowDigests.objects.using("loader").create(dataset_no=-1, part=0, digests=b"other")
            with carried(value, using="loader") as expression:
                RowDigests.objects.using("loader").filter(dataset_no=-1).update(digests=expression)
            assert large_value("SELECT digests FROM datasets_rowdigests WHERE dataset_no = -1", using="loader") == value
            assert bytes(RowDigests.objects.using("loader").get(dataset_no=-1).digests) == value
        transaction.set_rollback(True, using="loader")


def test_no_row_is_no_value(db: None) -> None:
    with pytest.raises(LookupError):
        large_value("SELECT digests FROM datasets_rowdigests WHERE dataset_no = -1", using="loader")


def test_null_is_empty(db: None) -> None:
    assert large_value("SELECT NULL::bytea", using="loader") == b""
