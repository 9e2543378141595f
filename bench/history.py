"""One file loaded beside a long history, in a process of its own: timed for `bench.changes`.

`python -m bench.history FILE DEPARTMENT DATASETS` prints JSON; the database is DATABASE_URL's. The history's digests
are there, its clean rows are not: a load never reads them.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import numpy as np  # noqa: E402  (models need the setup above)
from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from aetherflow.etl import SeenKeys, open_file  # noqa: E402
from aetherflow.etl.digests import VERSION, Digests, digests  # noqa: E402
from aetherflow.registry import department as find_department  # noqa: E402
from apps.accounts.models import User  # noqa: E402
from apps.accounts.scope import enter_all_departments  # noqa: E402  (models need the setup above)
from apps.datasets.changes import compare  # noqa: E402
from apps.datasets.digests import remove, replace_stored  # noqa: E402
from apps.datasets.loading import RejectSpool, replace_rows  # noqa: E402
from apps.datasets.models import Dataset, RowDigests  # noqa: E402
from config.postgresql.cursor import scoped_cursor  # noqa: E402
from tests.accounts.factories import UserFactory  # noqa: E402
from tests.datasets.factories import DatasetFactory  # noqa: E402

enter_all_departments("bench")
# What is measured is written into partitions, and read in the same transaction.
connection.ensure_connection()
connection.connection.cursor_factory = scoped_cursor(settings.LOADER_ROLE)

ROWS = 1_000_000


def measure(path: Path, *, department: str, datasets: int) -> dict[str, float]:
    """Seconds of the parts of one load; nothing of it stays. There are `datasets` uploads of ROWS rows before it."""
    have_history(department, datasets=datasets)
    seconds: dict[str, float] = {}
    contract = find_department(department)
    with open_file(path, filename=path.name, department=contract) as source:
        seconds["hashed"] = 0.0
        for batch in source.batches():
            began = time.perf_counter()
            digests(batch.rows.drop("line"), key=contract.natural_key, decimals=contract.decimals)
            seconds["hashed"] += time.perf_counter() - began
        dataset = _recorded(department)
        with RejectSpool(dataset=dataset, limit=1_000) as spool, SeenKeys() as seen, transaction.atomic():
            with timed(seconds, "loaded"):
                loaded = replace_rows(
                    dataset=dataset,
                    source=source,
                    spool=spool,
                    seen=seen,
                    progress=lambda _done, _total: None,
                    at=timezone.now(),
                    using="default",
                )
            remove(dataset_no=dataset.number, using="default")
            with timed(seconds, "stored"):
                replace_stored(seen, dataset_no=dataset.number, using="default")
            with timed(seconds, "compared"):
                changes = compare(seen, dataset=dataset, using="default")
            assert changes is not None
            assert (changes.new, changes.unchanged) == (loaded.counts.loaded, 0)
            transaction.set_rollback(True)
    return seconds


def have_history(department: str, *, datasets: int) -> None:
    """As many uploads of random digests, no fewer and no more."""
    there = list(Dataset.objects.filter(department=department, rows_loaded=ROWS).order_by("number"))
    for surplus in there[datasets:]:
        RowDigests.objects.filter(dataset_no=surplus.number).delete()
        surplus.delete()
    for at in range(len(there), datasets):
        random = np.random.default_rng(at)
        dataset = _recorded(department)
        with SeenKeys() as seen:
            for start in range(0, ROWS, 100_000):
                found = Digests(
                    keys=random.integers(0, 2**64, 100_000, np.uint64),
                    checks=random.integers(0, 2**32, 100_000, np.uint32),
                    rows=random.integers(0, 2**32, 100_000, np.uint32),
                )
                seen.repeats(found, np.arange(start + 2, start + 100_002))
            replace_stored(seen, dataset_no=dataset.number, using="default")
        counts = {"rows_read": ROWS, "rows_loaded": ROWS, "digest_version": VERSION, "loaded_at": timezone.now()}
        Dataset.objects.filter(pk=dataset.pk).update(**counts)
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {RowDigests._meta.db_table}")


@contextmanager
def timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[what] = time.perf_counter() - began


def _recorded(department: str) -> Dataset:
    somebody = User.objects.filter(department=department).first() or UserFactory(department=department)
    dataset: Dataset = DatasetFactory(department=department, uploaded_by=somebody)
    dataset.refresh_from_db(fields=["number"])
    return dataset


if __name__ == "__main__":
    file, slug, count = sys.argv[1:]
    print(json.dumps(measure(Path(file), department=slug, datasets=int(count))))
