from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from apps.jobs.models import Job, WorkerHeartbeat
from apps.jobs.sqs.messages import EtlMessage
from tests.jobs.large_files import FILES
from tests.jobs.steps import taken


@pytest.fixture(autouse=True)
def large(settings: Any) -> None:
    settings.SPLIT_FROM_BYTES, settings.SPLIT_BYTES, settings.MAX_REJECTS_KEPT = 100_000, 100_000, 1_500


@pytest.fixture
def two_workers(transactional_db: None) -> None:
    now = timezone.now()
    for name in ("etl-1@test", "etl-2@test"):
        WorkerHeartbeat.objects.create(
            name=name, queues=["etl"], slots=1, sharers=1, pid=1, started_at=now, beat_at=now
        )


@pytest.fixture
def plain(upload: Callable[..., Job], sqs: Any, two_workers: None) -> tuple[Job, EtlMessage, dict[str, Any]]:
    job = upload(FILES["plain"])
    message, headers = taken(sqs)
    return job, message, headers
