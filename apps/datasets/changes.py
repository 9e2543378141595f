"""What an upload changes of what its department has: which rows are new, which supersede older ones, and which of them
say something else.

Nothing is rewritten. Which of the rows with one natural key counts is decided when rows are read
(`current.current_rows`); what is found here tells how much there is to decide, and people what happened.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from django.db.models import Q

from aetherflow.etl import SeenKeys
from aetherflow.etl.digests import VERSION
from apps.datasets import digests
from apps.datasets.models import Dataset, Overlap
from apps.datasets.selectors import live_datasets


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Of an upload's rows: those whose key no older upload has, and those whose newest older row says something else,
    or the very same."""

    new: int
    changed: int
    unchanged: int


def compare(seen: SeenKeys, *, dataset: Dataset, using: str) -> Changes | None:
    """Compare an upload's rows with those of the department's other uploads that count, and store the overlaps.

    None where an older one has no digests to compare with: it was loaded before there were any. Inside a transaction
    that holds the department's lock.
    """
    Overlap.objects.using(using).filter(Q(older=dataset) | Q(newer=dataset)).delete()
    live = live_datasets(dataset.department).using(using).exclude(pk=dataset.pk)
    # Of a department of many small uploads to make a Dataset of each would take longer than to compare with them.
    columns = ("pk", "number", "rows_loaded", "digest_version")
    others = {each.number: each for each in live.values_list(*columns, named=True)}
    among = {
        number: each.rows_loaded
        for number, each in others.items()
        if each.digest_version == VERSION and each.rows_loaded
    }
    new, changed, unchanged = 0, 0, 0
    shared: Counter[int] = Counter()
    for records in seen.ranges(bits=digests.range_bits(len(seen))):
        found = _Compared(records, older_than=dataset.number)
        if among and len(records):
            digests.look_up(found.keys, among=among, take=found.with_rows, using=using)
        shared += found.shared
        new += int((found.newest == 0).sum())
        unchanged += int(found.same.sum())
        changed += int(((found.newest > 0) & ~found.same).sum())
    Overlap.objects.using(using).bulk_create(
        Overlap(older_id=others[number].pk, newer_id=dataset.pk, rows=rows)
        if number < dataset.number
        else Overlap(older_id=dataset.pk, newer_id=others[number].pk, rows=rows)
        for number, rows in shared.items()
    )
    if any(number < dataset.number and each.digest_version != VERSION for number, each in others.items()):
        return None
    return Changes(new=new, changed=changed, unchanged=unchanged)


class _Compared:
    """A range of an upload's rows: for each the number of the newest older dataset with its key (0: none has it) and
    whether that one's row is the same; and how many keys each dataset shares."""

    def __init__(self, records: np.ndarray, *, older_than: int) -> None:
        self.keys = np.ascontiguousarray(records["key"])
        self.newest = np.zeros(len(records), np.int64)
        self.same = np.zeros(len(records), bool)
        self.shared: Counter[int] = Counter()
        self._checks = np.ascontiguousarray(records["check"])
        self._rows = np.ascontiguousarray(records["row"])
        self._number = older_than

    def with_rows(self, number: int, records: np.ndarray) -> None:
        keys = np.ascontiguousarray(records["key"])
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        shared = np.flatnonzero((self.keys[at] == keys) & (self._checks[at] == records["check"]))
        self.shared[number] += len(shared)
        at = at[shared]
        if number < self._number:
            nearer = self.newest[at] < number
            at, shared = at[nearer], shared[nearer]
            self.newest[at] = number
            self.same[at] = self._rows[at] == records["row"][shared]
