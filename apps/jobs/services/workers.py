"""The workers' signs of life."""

from datetime import datetime

from apps.jobs.models import WorkerHeartbeat


def beat(
    *, name: str, queues: list[str], slots: int, pid: int, started_at: datetime, at: datetime, sharers: int = 0
) -> None:
    WorkerHeartbeat.objects.update_or_create(
        name=name,
        defaults={
            "queues": queues,
            "slots": slots,
            "sharers": sharers,
            "pid": pid,
            "started_at": started_at,
            "beat_at": at,
        },
    )


def farewell(*, name: str) -> None:
    WorkerHeartbeat.objects.filter(name=name).delete()
