"""The Celery app of the real-worker tests: tasks that do what their message asks for and write down what they saw."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import task_failure

from apps.jobs.sqs import names
from apps.jobs.sqs.celery_config import celery_settings, install
from apps.jobs.sqs.delivery import delivery_of, end_chain
from apps.jobs.sqs.messages import EtlMessage, MlMessage
from tests.jobs.sqs.line import worker_settings

app = Celery("worker_app")
app.conf.update(
    celery_settings(
        worker_settings(
            endpoint_url=os.environ["SQS_ENDPOINT"],
            queue_prefix=os.environ["QUEUE_PREFIX"],
            stop_seconds=int(os.environ["STOP_SECONDS"]),
            visibility_seconds=int(os.environ["VISIBILITY_SECONDS"]),
            wait_seconds=int(os.environ["WAIT_SECONDS"]),
            ambient_credentials=bool(os.environ["AMBIENT_CREDENTIALS"]),
        )
    )
)
install(app)


def note(event: str, **fields: object) -> None:
    line = json.dumps({"event": event, "at": time.time(), "pid": os.getpid()} | fields)
    with Path(os.environ["EVENTS"]).open("a") as events:
        events.write(line + "\n")


def seen(request: Any) -> dict[str, object]:
    delivery = delivery_of(request)
    return {
        "task_id": request.id,
        "attempt": delivery.receive_count,
        "message_id": delivery.message_id,
        "queue_url": delivery.queue_url,
        "job_id": delivery.job_id,
        "request_id": delivery.request_id,
        "foreign": delivery.foreign,
    }


@app.task(name=names.ETL_TASK, bind=True)
def etl(self: Any, payload: dict[str, str]) -> dict[str, str]:
    message = EtlMessage.parse(payload)
    behaviour, _, argument = message.s3_key.rpartition("/")[2].removesuffix(".csv").partition("-")
    note("etl", dataset=str(message.dataset_id), payload=payload, **seen(self.request))
    attempt = delivery_of(self.request).receive_count
    if behaviour == "raise" and (argument != "once" or attempt == 1):
        raise ValueError("this file fails")
    if behaviour == "die" and attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "sleep":
        seconds, _, once = argument.partition("-")
        time.sleep(float(seconds) if not once or attempt == 1 else 0)
    if behaviour == "fail" and attempt == 1:
        time.sleep(float(argument))
        raise ValueError("this file fails")
    if behaviour == "alone":
        end_chain(self.request)
    note("etl-done", dataset=str(message.dataset_id))
    return MlMessage(
        dataset_id=message.dataset_id,
        department=message.department,
        requested_by="etl_worker",
        requested_at=message.requested_at,
    ).as_dict()


@app.task(name=names.ML_TASK, bind=True)
def ml(self: Any, payload: dict[str, str]) -> None:
    message = MlMessage.parse(payload)
    note("ml", dataset=str(message.dataset_id), payload=payload, **seen(self.request))
    if message.requested_by == "hang":
        # Deaf to the soft limit too, as a native call that never returns is.
        while True:
            try:
                time.sleep(60)
            except Exception:  # noqa: BLE001, S112
                continue
    note("ml-done", dataset=str(message.dataset_id))


@task_failure.connect
def failed(sender: Any = None, args: Any = None, exception: BaseException | None = None, **_: object) -> None:
    payload = args[0] if args else {}
    note("failed", task=sender.name, dataset=payload.get("dataset_id"), error=type(exception).__name__)
