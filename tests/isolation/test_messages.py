"""A message in a queue is no door either: what it says of a department must be what the database says."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from aetherflow.errors import InvalidError, NotFoundError
from apps.datasets.models import Dataset
from apps.insights.models import Insight
from apps.jobs import tasks
from apps.jobs.models import Job, StageEvent
from apps.jobs.services.claims import fail_lost
from apps.jobs.services.etl import work_etl
from apps.jobs.services.ml import work_ml
from apps.jobs.sqs import names
from apps.jobs.sqs.messages import MESSAGE_OF_JOB_TYPE, EtlMessage, InvalidMessage, MlMessage
from tests.isolation.conftest import Town
from tests.isolation.houses import House
from tests.jobs.line import delivery

pytestmark = pytest.mark.xdist_group("isolation")


def etl_message(town: Town, **lies: str) -> dict[str, str]:
    """For home's newest dataset, true but for what is said otherwise."""
    dataset = town.home.newest
    true = {
        "job_type": "etl",
        "dataset_id": str(dataset.pk),
        "department": dataset.department,
        "s3_bucket": dataset.bucket,
        "s3_key": dataset.key,
        "requested_by": str(town.abroad.person.pk),
        "requested_at": "2026-11-23T12:00:00+00:00",
    }
    return true | lies


def ml_message(town: Town, **lies: str) -> dict[str, str]:
    true = {"job_type": "ml", "dataset_id": str(town.home.newest.pk), "department": town.home.department}
    return true | {"requested_by": "etl_worker", "requested_at": "2026-11-23T12:00:00+00:00"} | lies


def work(message: dict[str, str], headers: dict[str, Any]) -> None:
    at, incoming = timezone.now(), delivery(headers)
    if message["job_type"] == "etl":
        work_etl(message=EtlMessage.parse(message), delivery=incoming, worker="w@test", at=at)
    else:
        work_ml(message=MlMessage.parse(message), delivery=incoming, worker="w@test", at=at)


def there_is() -> list[Any]:
    """All that a run would leave behind."""
    datasets = Dataset.objects.order_by("pk").values_list("pk", "department", "loaded_at", "rows_loaded")
    return [
        list(datasets),
        list(Job.objects.order_by("pk").values_list("pk", "status")),
        list(Insight.objects.order_by("pk").values_list("pk", "sha256")),
        StageEvent.objects.count(),
    ]


def of_job(house: House) -> dict[str, Any]:
    return {names.JOB_ID_HEADER: str(house.failed.pk), names.REQUEST_ID_HEADER: "request-0001"}


def as_others(town: Town) -> dict[str, str]:
    """Home's file under the other department's name, as it would have to lie in the store for that."""
    department = town.abroad.department
    return {"department": department, "s3_key": town.home.newest.key.replace(town.home.department, department)}


# Something of home's put together with something of the other department: the message, and its headers.
_LIES: dict[str, Callable[[Town], tuple[dict[str, str], dict[str, Any]]]] = {
    "etl, an upload as the other's": lambda town: (etl_message(town, **as_others(town)), {}),
    "etl, the other's file as an upload": lambda town: (etl_message(town, s3_key=town.abroad.newest.key), {}),
    "etl, an upload in the other's job": lambda town: (etl_message(town), of_job(town.abroad)),
    "etl, a job as the other's": lambda town: (etl_message(town, **as_others(town)), of_job(town.home)),
    "ml, an upload as the other's": lambda town: (ml_message(town, department=town.abroad.department), {}),
    "ml, an upload in the other's job": lambda town: (ml_message(town), of_job(town.abroad)),
    "ml, a job as the other's": lambda town: (ml_message(town, department=town.abroad.department), of_job(town.home)),
}


@pytest.mark.parametrize("said", _LIES)
def test_a_message_whose_department_is_not_its_datasets_is_refused(town: Town, said: str) -> None:
    message, headers = _LIES[said](town)
    before = there_is()
    with pytest.raises((InvalidError, InvalidMessage)) as refused:
        work(message, headers)
    assert there_is() == before
    # What a worker logs and a dead letter's page shows of it.
    assert town.home.word not in str(refused.value)


def test_a_stranger_brings_no_file_into_a_department(town: Town) -> None:
    """The file lies under the department's key, and who sends the message is of another one."""
    new, before = uuid.uuid4(), there_is()
    message = etl_message(town, dataset_id=str(new), s3_key=f"raw/{town.home.department}/{new}/x.csv")
    with pytest.raises((InvalidError, NotFoundError)) as refused:
        work(message, {})
    assert (getattr(refused.value, "code", ""), there_is()) == ("unknown-requester", before)


def test_a_lost_child_of_anothers_message_fails_no_job(town: Town) -> None:
    before = there_is()
    message = MlMessage.parse(ml_message(town, department=town.abroad.department))
    fail_lost(message=message, worker="w@test", error=RuntimeError("killed"), at=timezone.now())
    assert there_is() == before


def test_there_is_no_task_that_this_does_not_ask() -> None:
    assert set(names.TASK_OF_QUEUE.values()) == {tasks.etl.name, tasks.ml.name}
    assert {job_type for job_type, _ in (each.split(", ") for each in _LIES)} == set(MESSAGE_OF_JOB_TYPE)
