"""Which rows count and what an upload changed, against the plain definition, whatever was loaded and undone before."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aetherflow.etl import SeenKeys, open_file
from aetherflow.etl.duplicates import RECORD
from aetherflow.registry import department
from apps.accounts.models import User
from apps.datasets import current, digests, partitions
from apps.datasets.changes import Changes, _Compared, compare
from apps.datasets.current import current_rows
from apps.datasets.loading import RejectSpool, replace_rows
from apps.datasets.models import Dataset, Overlap, RowDigests
from apps.datasets.selectors import live_datasets, superseding
from apps.datasets.services import clear, mark_undone, record_load
from tests.accounts.factories import UserFactory
from tests.datasets.factories import DatasetFactory
from tests.jobs.files import row, sales

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_loader")]

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
Prices = dict[int, int]
PRICES = st.dictionaries(st.integers(1, 8), st.integers(1, 2), min_size=1, max_size=6)
PICKS = st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("upload"), PRICES),
    st.tuples(st.just("reload"), PICKS, PRICES),
    st.tuples(st.just("undo"), PICKS),
    st.tuples(st.just("loaded long ago"), PICKS),
)


@dataclass
class History:
    """The uploads of a department as the platform has them and, beside it, as they should be seen."""

    folder: Path
    by: User
    datasets: list[Dataset] = field(default_factory=list)
    prices: dict[int, Prices] = field(default_factory=dict)
    without_digests: set[int] = field(default_factory=set)

    def upload(self, prices: Prices) -> Dataset:
        dataset: Dataset = DatasetFactory(uploaded_by=self.by)
        dataset.refresh_from_db(fields=["number"])
        self.datasets.append(dataset)
        self.load(dataset, prices)
        return dataset

    def load(self, dataset: Dataset, prices: Prices) -> None:
        path = self.folder / "upload.csv"
        path.write_bytes(sales(*(row(key, price=f"{price}.00") for key, price in prices.items())))
        with (
            open_file(path, filename=path.name, department=department("sales"), batch_rows=3) as source,
            RejectSpool(dataset=dataset, limit=10) as spool,
            SeenKeys() as seen,
            transaction.atomic(),
        ):
            loaded = replace_rows(
                dataset=dataset,
                source=source,
                spool=spool,
                seen=seen,
                progress=lambda *_: None,
                at=NOW,
                using="default",
            )
            changes = compare(seen, dataset=dataset, using="default")
            record_load(
                dataset=dataset,
                counts=loaded.counts,
                spool=spool,
                reading=source.reading,
                profiler=loaded.profiler,
                bucket=loaded.bucket,
                changes=changes,
                at=NOW,
                using="default",
            )
        self.without_digests.discard(dataset.number)
        self.prices[dataset.number] = prices
        assert changes == self.expected_changes(dataset.number)

    def undo(self, dataset: Dataset) -> None:
        mark_undone(dataset=dataset, by=self.by, at=NOW)
        self.prices.pop(dataset.number, None)
        self.without_digests.discard(dataset.number)

    def forget_digests(self, dataset: Dataset) -> None:
        """As if it had been loaded by a release that made none."""
        RowDigests.objects.filter(dataset_no=dataset.number).delete()
        Overlap.objects.filter(older=dataset).delete()
        Overlap.objects.filter(newer=dataset).delete()
        Dataset.objects.filter(pk=dataset.pk).update(digest_version=0)
        if dataset.number in self.prices:
            self.without_digests.add(dataset.number)

    def expected_changes(self, number: int) -> Changes | None:
        older = [each for each in sorted(self.prices) if each < number]
        if self.without_digests.intersection(older):
            return None
        before: Prices = {}
        for each in older:
            before |= self.prices[each]
        mine = self.prices[number]
        return Changes(
            new=sum(key not in before for key in mine),
            changed=sum(key in before and before[key] != price for key, price in mine.items()),
            unchanged=sum(before.get(key) == price for key, price in mine.items()),
        )

    def check(self) -> None:
        expected: Prices = {}
        for number in sorted(self.prices):
            expected |= self.prices[number]
        assert self.current() == sorted((f"T-{key}", price) for key, price in expected.items())
        known = sorted(self.prices.keys() - self.without_digests)
        shared = {
            (older, newer): len(self.prices[older].keys() & self.prices[newer].keys())
            for older in known
            for newer in known
            if older < newer
        }
        stored = Overlap.objects.values_list("older__number", "newer__number", "rows")
        assert {(older, newer): rows for older, newer, rows in stored} == {
            pair: rows for pair, rows in shared.items() if rows
        }

    def current(self) -> list[tuple[str, int]]:
        rows = current_rows("sales", columns=("transaction_id", "unit_price"))
        return sorted((key, int(price)) for key, price in rows.itertuples(index=False))


@contextmanager
def small_parts(*, large: int) -> Iterator[None]:
    """Few rows are many parts, ranges and answers, and from `large` rows on a partition of their own."""
    sizes = {"PART_ROWS": 2, "RANGE_ROWS": 3, "_WANTED_AT_A_TIME": 2, "_PIECE": 40}
    with mock.patch.multiple(digests, **sizes), mock.patch.object(partitions, "LARGE", large):
        yield


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(folder=tmp_path, by=UserFactory(department="sales"))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    uploads=st.lists(PRICES, min_size=2, max_size=4),
    steps=st.lists(STEPS, min_size=1, max_size=5),
    large=st.sampled_from([1, 4, 1_000]),
)
@example(uploads=[{1: 1, 2: 1}, {1: 2, 2: 1, 3: 1}], steps=[("undo", 1)], large=1_000)
@example(uploads=[{1: 1}, {1: 2, 2: 2}], steps=[("reload", 0, {1: 1, 2: 1})], large=1)
@example(
    uploads=[{1: 1}, {2: 2}], steps=[("loaded long ago", 0), ("upload", {1: 2}), ("upload", {1: 2, 2: 2})], large=4
)
def test_agrees_with_the_plain_definition(
    tmp_path: Path, uploads: list[Prices], steps: list[tuple[Any, ...]], large: int
) -> None:
    with transaction.atomic(), small_parts(large=large):
        history = History(folder=tmp_path, by=UserFactory(department="sales"))
        for prices in uploads:
            history.upload(prices)
        history.check()
        for what, *arguments in steps:
            if what == "upload":
                history.upload(*arguments)
            elif live := [each for each in history.datasets if each.number in history.prices]:
                pick, *prices = arguments
                dataset = live[pick % len(live)]
                if what == "reload":
                    history.load(dataset, *prices)
                elif what == "undo":
                    history.undo(dataset)
                else:
                    history.forget_digests(dataset)
            history.check()
        transaction.set_rollback(True)


def test_rows_are_sorted_only_where_uploads_share_keys(history: History) -> None:
    alone, first, second = history.upload({1: 1}), history.upload({2: 1, 3: 1}), history.upload({3: 2, 4: 2})
    covered = history.upload({5: 1, 6: 1})
    covering = history.upload({5: 2, 6: 1, 7: 1})
    left = current._apart(list(live_datasets("sales")))
    assert [{each.pk for each in part} for part in left] == [{alone.pk, covering.pk}, {first.pk, second.pk}]
    history.check()
    history.undo(covering)
    left = current._apart(list(live_datasets("sales")))
    assert [{each.pk for each in part} for part in left] == [{alone.pk, covered.pk}, {first.pk, second.pk}]
    history.check()


def test_an_upload_loaded_before_there_were_digests_is_compared_in_every_read(history: History) -> None:
    old = history.upload({1: 1, 2: 1})
    history.forget_digests(old)
    newer = history.upload({1: 2})
    history.check()
    assert newer.changes() is None
    alone, mixed = current._apart(list(live_datasets("sales")))
    assert (alone, {each.pk for each in mixed}) == ([], {old.pk, newer.pk})
    # Loaded anew it is like any other.
    history.load(old, {1: 1, 2: 1})
    history.check()
    assert [(each.newer_id, each.rows) for each in superseding(old)] == [(newer.pk, 1)]


@pytest.mark.parametrize("order", [(7, 8, 11), (11, 8, 7)])
def test_the_newest_older_row_decides_in_whatever_order_rows_are_found(order: tuple[int, ...]) -> None:
    """PostgreSQL answers in the order that suits it."""
    found = _Compared(np.array([(5, 1, 100), (6, 1, 100)], RECORD), older_than=10)
    rows = {7: [(5, 1, 100), (6, 1, 200)], 8: [(5, 1, 200), (6, 2, 100)], 11: [(5, 1, 100)]}
    for number in order:
        found.with_rows(number, np.array(rows[number], RECORD))
    assert found.newest.tolist() == [8, 7]
    assert not found.same.any()
    assert found.shared == {7: 2, 8: 1, 11: 1}


def test_counts_and_overlaps_are_kept_by_the_database(history: History) -> None:
    one, other = history.upload({1: 1}), history.upload({1: 1})
    for wrong in ({"rows_new": 5}, {"rows_new": None}):
        with pytest.raises(IntegrityError, match="dataset_changes_add_up"), transaction.atomic():
            Dataset.objects.filter(pk=other.pk).update(**wrong)
    with pytest.raises(IntegrityError, match="overlap_of_two_once"), transaction.atomic():
        Overlap.objects.create(older=one, newer=other, rows=1)
    with pytest.raises(IntegrityError, match="overlap_of_some_rows"), transaction.atomic():
        Overlap.objects.filter(older=one).update(rows=0)


def test_what_is_undone_leaves_no_digests(history: History) -> None:
    dataset = history.upload({1: 1, 2: 1})
    assert RowDigests.objects.filter(dataset_no=dataset.number).exists()
    history.undo(dataset)
    clear(dataset)
    assert not RowDigests.objects.filter(dataset_no=dataset.number).exists()
