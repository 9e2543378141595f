"""The platform's own Celery application, with points in it at which a fault can happen (see `injection`).

Real functions are wrapped where they are looked up; one that was renamed stops the worker's start.
"""

from celery_app import app

# It sets Django up, without which no model can be imported.
# isort: split

import functools
import os
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import structlog
from celery.signals import task_success, worker_process_init

from aetherflow.department import Department
from aetherflow.etl import SourceFile
from apps.jobs import tasks
from apps.jobs.services import etl, ml
from apps.jobs.services.claims import Verdict
from apps.jobs.sqs import names
from apps.jobs.sqs.delivery import delivery_of
from apps.jobs.sqs.transport import Channel
from tests.faults.injection import BIRTH, BIRTHS, fire

__all__ = ["app"]

if "FAKETIME" in os.environ:
    # Python sleeps by clock_nanosleep until a moment, which libfaketime takes for one of the shifted clock: EINVAL.
    time.sleep = lambda seconds: select.select([], [], [], seconds)  # type: ignore[assignment,return-value]


def reach(point: str) -> None:
    """The task at work came to this point; its request is the one its log lines name."""
    fire(point, request_id=structlog.contextvars.get_contextvars().get("request_id"))


def wrap(owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
    real = getattr(owner, name)
    setattr(owner, name, functools.wraps(real)(wrapper(real)))


def after(point: str) -> Callable[[Any], Any]:
    def wrapper(real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **options: Any) -> Any:
            answer = real(*args, **options)
            reach(point)
            return answer

        return called

    return wrapper


def around_claim(stage: str) -> Callable[[Any], Any]:
    def wrapper(real: Callable[..., Any]) -> Callable[..., Any]:
        def claim(*args: Any, **options: Any) -> Any:
            reach(f"{stage}.before-claim")
            claimed = real(*args, **options)
            if claimed.verdict is Verdict.WORK:
                reach(f"{stage}.claimed")
            return claimed

        return claim

    return wrapper


def reading(real: Callable[..., Any]) -> Callable[..., Any]:
    def batches(self: SourceFile, **options: Any) -> Iterator[Any]:
        for batch in real(self, **options):
            reach("etl.reading")
            yield batch

    return batches


def copying(real: Callable[..., Any]) -> Callable[..., Any]:
    """Progress is told when COPY asks for the next batch: it has the one before."""

    def progress_of(*args: Any, **options: Any) -> Callable[[int, int], None]:
        progress = real(*args, **options)

        def told(done: int, total: int) -> None:
            reach("etl.copying")
            progress(done, total)

        return told

    return progress_of


def computing(real: Callable[..., Department]) -> Callable[..., Department]:
    """Before the department's last insight: its rows are read, those before are computed."""

    def find_department(slug: str) -> Department:
        department = real(slug)
        *others, last = department.insights

        def compute(rows: Any, given: Any) -> Any:
            reach("ml.computing")
            return last.compute(rows, given)

        return replace(department, insights=(*others, replace(last, compute=compute)))

    return find_department


def before_ack(real: Callable[..., None]) -> Callable[..., None]:
    def basic_ack(self: Channel, delivery_tag: str, multiple: bool = False) -> None:
        if message := self.qos._delivered.get(delivery_tag):
            stage = message.delivery_info["routing_key"]
            fire(f"{stage}.acking", request_id=message.headers.get(names.REQUEST_ID_HEADER))
        real(self, delivery_tag, multiple)

    return basic_ack


wrap(etl, "claim", around_claim("etl"))
wrap(SourceFile, "batches", reading)
wrap(etl, "_progress_of", copying)
wrap(etl, "_finish", after("etl.committing"))
wrap(tasks, "work_etl", after("etl.committed"))
wrap(ml, "claim", around_claim("ml"))
wrap(ml, "find_department", computing)
wrap(ml, "move", after("ml.committing"))
wrap(tasks, "work_ml", after("ml.committed"))
wrap(Channel, "basic_ack", before_ack)


@task_success.connect
def published(sender: Any = None, **_: Any) -> None:
    """Celery sends the chain's next message first, then this signal; the acknowledgement is the parent's, later."""
    if sender.name == names.ETL_TASK:
        fire("etl.published", request_id=delivery_of(sender.request).request_id)


@worker_process_init.connect
def born(**_: Any) -> None:
    fire(BIRTH, request_id=BIRTHS)
