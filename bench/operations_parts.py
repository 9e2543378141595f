"""What `bench.operations` times, in a process of its own: `python -m bench.operations_parts JOBS ROUNDS`.

Prints the seconds as JSON; the database is DATABASE_URL's.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import transaction  # noqa: E402  (models need the setup above)
from django.db.models import QuerySet  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.accounts.scope import enter_all_departments  # noqa: E402  (models need the setup above)
from apps.jobs import clock  # noqa: E402
from apps.jobs.models import Job, Operation, OperationItem, OperationKind, StageRun, State  # noqa: E402
from apps.jobs.selectors import selection_of  # noqa: E402
from apps.jobs.services.again import retry  # noqa: E402
from apps.jobs.services.operations import MOST_RATE, start_operation, stop_operation, work_next  # noqa: E402
from tests.jobs.many import failed_jobs  # noqa: E402

enter_all_departments("bench")

ITEMS, BATCH = 150, 5_000
RETRY = OperationKind.RETRY

measured: defaultdict[str, list[float]] = defaultdict(list)


@contextmanager
def timed(part: str, *, times: int = 1) -> Iterator[None]:
    began = time.perf_counter()
    yield
    measured[part].append((time.perf_counter() - began) / times)


def begin(jobs: QuerySet[Job], *, by: User) -> Operation:
    """A minute ago, so that ITEMS of its items are due at once."""
    at = clock.now() - timedelta(minutes=1)
    words = "failed with internal-error"
    return start_operation(kind=RETRY, jobs=jobs, filter_words=words, rate=MOST_RATE, reason="a bench", by=by, at=at)


def work(items: int) -> None:
    for _ in range(items):
        assert work_next(at=clock.now())


def by_bulk_create(jobs: QuerySet[Job], operation: Operation) -> None:
    """What one would write: read the jobs, make the rows, a batch at a time."""
    with transaction.atomic():
        rows = (OperationItem(operation=operation, kind="undo", job=job) for job in jobs.iterator(chunk_size=BATCH))
        while batch := list(islice(rows, BATCH)):
            OperationItem.objects.bulk_create(batch)


def measure(count: int) -> None:
    mine = failed_jobs(count)
    by = mine[0].dataset.uploaded_by
    failed = mine.filter(stages__error_code="internal-error", stages__state=State.FAILED)
    with timed("counted"):
        assert selection_of(RETRY, failed).count == count
    with timed("begun"):
        operation = begin(failed, by=by)
    assert operation.left == count
    with timed("bulk_create"):
        by_bulk_create(failed, operation)
    OperationItem.objects.filter(kind="undo").delete()
    with timed("item", times=ITEMS):
        work(ITEMS)
    rest = list(failed.reverse()[:ITEMS])
    with timed("alone", times=ITEMS):
        for job in rest:
            retry(job=job, by=by, at=clock.now(), reason="a bench")
    with timed("stopped"):
        stop_operation(operation=operation, by=by, at=clock.now())
    begin(failed[: 2 * ITEMS], by=by)
    last = OperationItem.objects.filter(status="waiting").values("job")
    queue = StageRun.objects.filter(job__in=failed).exclude(job__in=last)
    changes = {"state": State.QUEUED, "finished_at": None, "dispatched_at": None}
    queue.update(**changes)
    with timed("item beside the others queued", times=ITEMS):
        work(ITEMS)
    Operation.objects.filter(ended_at=None).update(ended_at=clock.now())
    OperationItem.objects.all().delete()
    StageRun.objects.filter(job__in=mine).delete()


if __name__ == "__main__":
    jobs, rounds = map(int, sys.argv[1:])
    for _ in range(rounds):
        measure(jobs)
    print(json.dumps(measured))
