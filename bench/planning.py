"""Plans among many partitions, for `bench.plans` in a process of its own; the database is DATABASE_URL's.

`python -m bench.planning DEPARTMENT DATASETS ROUNDS` prints milliseconds by query.
"""

import json
import os
import sys
from collections import defaultdict

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402  (models need the setup above)
from django.utils import timezone  # noqa: E402

from aetherflow.etl.digests import VERSION  # noqa: E402
from aetherflow.registry import department as find_department  # noqa: E402
from apps.accounts.scope import enter_all_departments  # noqa: E402  (models need the setup above)
from apps.datasets import partitions, selectors  # noqa: E402
from apps.datasets.models import Dataset, clean_table  # noqa: E402
from config.postgresql.cursor import scoped_cursor  # noqa: E402
from tests.accounts.factories import UserFactory  # noqa: E402
from tests.datasets.factories import DatasetFactory  # noqa: E402

enter_all_departments("bench")
# What is measured is written into partitions, and read in the same transaction.
connection.ensure_connection()
connection.connection.cursor_factory = scoped_cursor(settings.LOADER_ROLE)

PARTITIONS_AT_A_TIME = 100


def measure(department: str, *, datasets: int, rounds: int) -> dict[str, list[float]]:
    """Each round in a session of its own, as a request or a job has it at first, and once more in the same one."""
    have(department, datasets=datasets)
    some = Dataset.objects.filter(department=department).order_by("number")[datasets // 2]
    columns = tuple(column.name for column in find_department(department).columns)
    page = str(selectors.clean_rows(some)[:50].query)
    # The whole department's rows, as its insights are computed from: all partitions are in the plan.
    everything = selectors._current(department, columns=columns)
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for what, query in (("one dataset's rows", page), ("all of the department's", everything)):
            connection.close()
            for when in ("in a new session", "again"):
                found[f"{what}, {when}"].append(_planned(query))
    return found


def have(department: str, *, datasets: int) -> None:
    """Empty partitions: what is in them does not change how long it takes to leave them out."""
    uploader = UserFactory(department=department)
    for start in range(0, datasets, PARTITIONS_AT_A_TIME):
        with transaction.atomic():
            for _ in range(start, min(start + PARTITIONS_AT_A_TIME, datasets)):
                dataset = DatasetFactory(department=department, uploaded_by=uploader)
                dataset.refresh_from_db(fields=["number"])
                bucket = partitions.make(department, dataset_no=dataset.number, using="default")
                partitions.attach(department, bucket=bucket, using="default")
                loaded = {"rows_bucket": bucket, "loaded_at": timezone.now(), "digest_version": VERSION}
                Dataset.objects.filter(pk=dataset.pk).update(**loaded)
    with connection.cursor() as cursor:
        cursor.execute(f'ANALYZE "{clean_table(department)._meta.db_table}"')


def _planned(query: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (SUMMARY, FORMAT JSON) {query}")
        ((plan,),) = cursor.fetchone()
    return float(plan["Planning Time"])


if __name__ == "__main__":
    slug, count, times = sys.argv[1:]
    print(json.dumps(measure(slug, datasets=int(count), rounds=int(times))))
