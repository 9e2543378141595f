"""Who works, by their signs of life: SQS carries no Celery events that could tell of it."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.management.reporting import ReportingCommand, Told, add_json, ago, counted, table
from apps.jobs import clock
from apps.jobs.selectors import WorkerSeen, workers_seen


class Command(ReportingCommand):
    help = "Show the workers and the relay, what each has in hand, and whose signs of life have stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:  # noqa: ARG002
        at = clock.now()
        seen = workers_seen(at=at)
        head = ["worker", "host", "queues", "slots", "since", "last seen", "", "in hand"]
        rows = [row for worker in seen for row in _rows(worker, at=at)]
        stale = sum(not worker.alive for worker in seen)
        return Told(
            data=[_data(worker) for worker in seen],
            lines=table([head, *rows]) if rows else [],
            summary=f"{len(seen) - stale} alive, {stale} stale, "
            f"{counted(sum(len(worker.runs) for worker in seen), 'stage')} in hand",
        )


def _host(worker: WorkerSeen) -> str:
    return worker.name.rpartition("@")[2]


def _since(moment: datetime | None, *, at: datetime) -> str | None:
    return ago(max(0.0, (at - moment).total_seconds())) if moment else None


def _rows(worker: WorkerSeen, *, at: datetime) -> list[list[object]]:
    """A line for each stage in hand, the worker itself in the first."""
    beat = worker.heartbeat
    own: list[object] = [
        worker.name,
        _host(worker),
        ",".join(beat.queues) if beat else None,
        beat.slots if beat else None,
        _since(beat.started_at if beat else None, at=at),
        _since(beat.beat_at if beat else None, at=at),
        "" if worker.alive else "stale",
    ]
    tasks = [
        f"{run.department} {run.stage} {run.job.dataset.name} (job {run.job_id}), for {_since(run.started_at, at=at)}"
        for run in worker.runs
    ] or [""]
    return [[*(own if number == 0 else [""] * len(own)), task] for number, task in enumerate(tasks)]


def _data(worker: WorkerSeen) -> dict[str, object]:
    beat = worker.heartbeat
    return {
        "name": worker.name,
        "host": _host(worker),
        "queues": beat.queues if beat else [],
        "slots": beat.slots if beat else None,
        "pid": beat.pid if beat else None,
        "started_at": beat.started_at if beat else None,
        "beat_at": beat.beat_at if beat else None,
        "stale": not worker.alive,
        "tasks": [
            {
                "job": str(run.job_id),
                "stage": run.stage,
                "department": run.department,
                "dataset": str(run.job.dataset_id),
                "dataset_name": run.job.dataset.name,
                "since": run.started_at,
            }
            for run in worker.runs
        ],
    }
