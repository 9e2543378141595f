"""What the tests of operations share: working one off, and what came of it."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from apps.jobs.models import Job, Operation
from apps.jobs.services.operations import work_next
from tests.jobs.files import row, sales

WHY = "the release of Monday wrote wrong rows"
WORDS = "failed with internal-error"


def work_off(*, at: datetime | None = None) -> int:
    """As many items as there are, whatever the rate."""
    at, items = at or timezone.now(), 0
    while Operation.objects.update(next_at=at) and work_next(at=at):
        items += 1
    return items


def outcomes(operation: Operation) -> Counter[str]:
    return Counter(operation.items.values_list("status", flat=True))


def loaded(upload: Callable[..., Job], work: Callable[[], None], count: int) -> list[Job]:
    jobs = [upload(sales(row(number))) for number in range(count)]
    work()
    return jobs
