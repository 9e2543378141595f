"""The Celery app of the memory tests: a task that takes as much memory as its message asks for, under a limit."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import task_failure

from apps.jobs.memory import MemoryWatchStep, why_ended
from apps.jobs.sqs import names
from apps.jobs.sqs.celery_config import celery_settings, install
from apps.jobs.sqs.messages import EtlMessage
from tests.jobs.sqs.line import worker_settings

MB = 1024 * 1024

app = Celery("memory_app")
app.conf.update(
    celery_settings(worker_settings(endpoint_url=os.environ["SQS_ENDPOINT"], queue_prefix=os.environ["QUEUE_PREFIX"])),
    worker_memory_limit_mb=int(os.environ["LIMIT_MB"]),
)
install(app)
app.steps["consumer"].add(MemoryWatchStep)


def note(event: str, **fields: object) -> None:
    with Path(os.environ["EVENTS"]).open("a") as events:
        events.write(json.dumps({"event": event, "pid": os.getpid()} | fields) + "\n")


@app.task(name=names.ETL_TASK)
def etl(payload: dict[str, str]) -> None:
    """The file's name says what to do: take-600 megabytes, take them late-600, sleep-3 seconds, or die."""
    message = EtlMessage.parse(payload)
    behaviour, _, argument = message.s3_key.rpartition("/")[2].removesuffix(".csv").partition("-")
    dataset = str(message.dataset_id)
    note("etl", dataset=dataset)
    if behaviour == "late":
        time.sleep(2)
    if behaviour in {"take", "late"}:
        # Written to, since memory that was only asked for takes none; slowly enough to be seen growing.
        taken = []
        for _ in range(int(argument) // 20):
            taken.append(b"x" * (20 * MB))
            time.sleep(0.05)
    if behaviour == "sleep":
        time.sleep(float(argument))
    if behaviour == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    note("etl-done", dataset=dataset)


@task_failure.connect
def failed(task_id: str = "", args: Any = None, exception: BaseException | None = None, **_: object) -> None:
    reason = why_ended(task_id)
    note(
        "failed",
        dataset=args[0]["dataset_id"],
        error=type(exception).__name__,
        reason=reason and [reason.code, reason.message, why_ended(task_id)],
    )
