"""The workers' signs of life."""

from datetime import datetime

from apps.jobs.models import WorkerHeartbeat


def beat(*, name: str, queues: list[str], pid: int, at: datetime) -> None:
    WorkerHeartbeat.objects.update_or_create(
        name=name,
        defaults={"queues": queues, "pid": pid, "beat_at": at},
        create_defaults={"queues": queues, "pid": pid, "beat_at": at, "started_at": at},
    )


def farewell(*, name: str) -> None:
    WorkerHeartbeat.objects.filter(name=name).delete()
