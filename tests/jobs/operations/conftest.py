"""An operator, and an operation of theirs on all jobs there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.jobs.models import Job, Operation, OperationKind
from apps.jobs.services.operations import start_operation
from tests.accounts.factories import AdminFactory
from tests.jobs.operations.working import WHY, WORDS


@pytest.fixture
def operator(transactional_db: None) -> User:
    return AdminFactory(full_name="Olive Operator")


@pytest.fixture
def start(operator: User) -> Callable[..., Operation]:
    def start(
        kind: OperationKind = OperationKind.RETRY, jobs: QuerySet[Job] | None = None, **options: Any
    ) -> Operation:
        asked: dict[str, Any] = {"by": operator, "at": timezone.now(), "reason": WHY, "filter_words": WORDS, "rate": 60}
        return start_operation(kind=kind, jobs=Job.objects.all() if jobs is None else jobs, **asked | options)

    return start
