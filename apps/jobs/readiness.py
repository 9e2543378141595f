"""Whether the platform can do its work now: each thing it needs, by name, and what is wrong with it."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import connection

from apps.datasets.storage import raw_storage
from apps.jobs.broker import sqs_settings
from apps.jobs.selectors import live_workers
from apps.jobs.sqs import names
from apps.jobs.sqs.queues import queue_stats

log = structlog.get_logger(__name__)


def readiness(*, at: datetime) -> dict[str, dict[str, str]]:
    """name → {status: ok|down, detail}. One that is down does not keep the others from being looked at."""
    checks: dict[str, Callable[[], str]] = {
        "database": _database,
        "storage": lambda: raw_storage().ping(),
        "queues": _queues,
        **{f"worker-{queue}": lambda queue=queue: _worker(queue, at=at) for queue in (names.ETL, names.ML)},  # type: ignore[misc]
    }
    return {name: _run(name, check) for name, check in checks.items()}


class _Down(Exception):  # noqa: N818
    """Down, with a sentence that may be shown to anybody."""


def _run(name: str, check: Callable[[], str]) -> dict[str, str]:
    try:
        return {"status": "ok", "detail": check()}
    except _Down as down:
        return {"status": "down", "detail": str(down)}
    except Exception as error:  # noqa: BLE001  (whatever it is, the answer is that this one is down)
        # Anybody may ask: addresses and credentials in the error's text stay in the log.
        log.warning("not_ready", check=name, error=str(error)[:300])
        return {"status": "down", "detail": f"No answer ({type(error).__name__})."}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "answers"


def _queues() -> str:
    settings = sqs_settings()
    client = settings.client(connect_timeout=2, read_timeout=3, attempts=1)
    return f"{len(queue_stats(client, queues=settings.queues))} queues answer"


def _worker(queue: str, *, at: datetime) -> str:
    beating = live_workers(at=at).filter(queues__contains=[queue]).count()
    if not beating:
        raise _Down(f"No worker for the {queue} queue gives a sign of life.")
    return f"{beating} at work"
