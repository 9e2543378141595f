"""Digests in PostgreSQL: what is asked for is found, in few reads where little is asked for."""

from unittest import mock

import numpy as np
import pytest
from django.db import connection

from aetherflow.etl import SeenKeys
from aetherflow.etl.digests import Digests
from aetherflow.etl.duplicates import RECORD
from apps.datasets import digests
from apps.datasets.digests import look_up, part_bits, replace_stored
from apps.datasets.models import RowDigests

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_loader")]


def stored(number: int, *, rows: int) -> np.ndarray:
    """The records of a new dataset, by rising key."""
    seen, random = SeenKeys(), np.random.default_rng(number)
    found = Digests(
        keys=random.integers(0, 2**64, rows, np.uint64),
        checks=random.integers(0, 2**32, rows, np.uint32),
        rows=random.integers(0, 2**32, rows, np.uint32),
    )
    seen.repeats(found, np.arange(2, rows + 2))
    replace_stored(seen, dataset_no=number, using="default")
    (records,) = seen.ranges(bits=0)
    return records


def found(keys: np.ndarray, among: dict[int, int]) -> dict[int, np.ndarray]:
    pieces: dict[int, list[np.ndarray]] = {number: [] for number in among}
    look_up(keys, among=among, take=lambda number, records: pieces[number].append(records), using="default")
    return {
        number: np.sort(np.concatenate(each or [np.empty(0, RECORD)]), order="key") for number, each in pieces.items()
    }


@pytest.mark.parametrize("rows", [0, 1, 128, 129, 5_000])
def test_all_of_a_dataset_comes_back_as_it_was_put_in(rows: int) -> None:
    records = stored(1, rows=rows)
    assert RowDigests.objects.count() <= 1 << part_bits(rows)
    if rows:
        assert (found(records["key"], {1: rows})[1] == records).all()


@pytest.mark.parametrize("piece", [1, 3_000, 1 << 20])
def test_a_few_keys_are_looked_up_among_many(piece: int) -> None:
    datasets = {number: stored(number, rows=rows) for number, rows in ((1, 20_000), (2, 3_000), (3, 1))}
    among = {number: len(records) for number, records in datasets.items()}
    asked = np.sort(np.concatenate([records["key"][::1_500] for records in datasets.values()]))
    with mock.patch.object(digests, "_PIECE", piece), mock.patch.object(digests, "_WANTED_AT_A_TIME", 7):
        answer = found(asked, among)
    for number, records in datasets.items():
        wanted = records[np.isin(records["key"], asked)]
        assert (answer[number][np.isin(answer[number]["key"], asked)] == wanted).all()
    assert len(answer[1]) < 20_000 / 4, "read whole for a few keys"


def test_parts_stand_in_the_table_itself() -> None:
    """By PostgreSQL's default what is longer than 2 KB, as every third part is, would be stored apart."""
    stored(1, rows=30_000)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(octet_length(digests)), pg_relation_size(max(reltoastrelid)) "
            "FROM datasets_rowdigests, pg_class WHERE relname = 'datasets_rowdigests'"
        )
        longest, apart = cursor.fetchone()
    assert (longest > 2_048, apart) == (True, 0)
