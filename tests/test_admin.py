"""The operators' admin: every model can be looked at, nothing of the pipeline's can be written by hand."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from aetherflow.etl import ReadOptions
from apps.insights.models import ChosenSetting, Review, ReviewEvent, Snooze
from apps.jobs.models import IdempotentRequest, Job, OperationKind, StageRun, WorkerHeartbeat
from apps.jobs.services.operations import start_operation
from tests.accounts.factories import AdminFactory, OperatorFactory, UserFactory, operator_with
from tests.jobs.conftest import seller, sqs, upload, work  # noqa: F401  (fixtures)
from tests.jobs.files import row, sales

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "loader"]),
    pytest.mark.usefixtures("plain_static_files"),
]
SAID = ReadOptions(mapping={"quantity": "quantity"})
PIPELINE = [model for model in admin.site._registry if model._meta.app_label in {"datasets", "insights", "jobs"}]


@pytest.fixture
def console() -> Client:
    client = Client()
    client.force_login(AdminFactory())
    return client


@pytest.fixture
def job(upload: Callable[..., Job], work: Callable[[], None]) -> Job:  # noqa: F811
    """A worked upload with a row in every table of the pipeline."""
    job = upload(sales(*(row(n) for n in range(1, 9)), row(9, quantity="x")), idempotency_key="monday", options=SAID)
    work()
    now = timezone.now()
    WorkerHeartbeat.objects.create(name="etl@one", queues=["etl"], pid=1, started_at=now, beat_at=now)
    assert IdempotentRequest.objects.exists()
    by = job.dataset.uploaded_by
    said = {"department": "sales", "kind": "listing", "subject": ["S1"], "verdict": "expected"}
    Review.objects.create(**said, subject_key=job.pk, item={}, reviewed_by=by, reviewed_at=now)
    ReviewEvent.objects.create(**said, by=by, at=now)
    waits = {"department": "sales", "kind": "listing", "subject": ["S1"], "until": now.date()}
    Snooze.objects.create(**waits, subject_key=job.pk, item={}, snoozed_by=by, snoozed_at=now)
    chosen = {"department": "sales", "kind": "listing", "name": "level", "value": 2.0}
    ChosenSetting.objects.create(**chosen, set_by=by, set_at=now)
    asked = {"reason": "wrong rows", "filter_words": "all jobs there are", "by": by, "at": now}
    start_operation(kind=OperationKind.UNDO, jobs=Job.objects.all(), **asked)
    return job


@pytest.mark.parametrize("model", PIPELINE, ids=lambda model: model._meta.label_lower)
def test_every_model_is_looked_at_and_never_edited(model: Any, console: Client, job: Job) -> None:
    label = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    found = model._default_manager.first()
    assert found is not None
    listed = console.get(
        reverse(f"{label}_changelist"), {"q": "a"} if admin.site._registry[model].search_fields else {}
    )
    assert listed.status_code == 200
    page = reverse(f"{label}_change", args=[found.pk])
    assert console.get(page).status_code == 200
    assert console.post(page, {}).status_code == 403
    assert console.get(reverse(f"{label}_add")).status_code == 403
    assert console.post(reverse(f"{label}_delete", args=[found.pk]), {"post": "yes"}).status_code == 403


def test_clean_rows_are_looked_at_from_their_dataset(console: Client, job: Job) -> None:
    page = console.get(reverse("admin:datasets_dataset_rows", args=[job.dataset_id]))
    assert page.status_code == 200
    assert "SKU-1" in page.content.decode()


def test_clean_rows_are_for_who_may_see_datasets(job: Job) -> None:
    page = reverse("admin:datasets_dataset_rows", args=[job.dataset_id])
    for permission, status in (("jobs.view_job", 403), ("datasets.view_dataset", 200)):
        client = Client()
        client.force_login(operator_with(permission))
        assert client.get(page).status_code == status


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, 2),
        ({"stage": "etl"}, 1),
        ({"state": "succeeded", "department": "sales"}, 2),
        ({"department": "finance"}, 0),
        ({"state": "failed", "error": "x"}, 0),
        ({"sent": "yes"}, 2),
        ({"sent": "no"}, 0),
        ({"dead": "no"}, 2),
        ({"worker": "nobody"}, 0),
        ({"q": "{job}"}, 2),
        ({"q": "{message}"}, 1),
        ({"q": "{dataset}"}, 0),
        ({"q": "words"}, 0),
    ],
)
def test_stages_are_found_by_what_an_operator_knows_of_them(
    asked: dict[str, str], found: int, console: Client, job: Job
) -> None:
    message = uuid4()
    StageRun.objects.filter(job=job, stage="ml").update(message_id=str(message))
    known = {"job": job.pk, "message": message, "dataset": job.dataset_id}
    answer = console.get(
        reverse("admin:jobs_stagerun_changelist"), {name: value.format(**known) for name, value in asked.items()}
    )
    assert answer.context["cl"].result_count == found


def test_a_dataset_is_found_by_id_digest_and_words(console: Client, job: Job) -> None:
    address, dataset = reverse("admin:datasets_dataset_changelist"), job.dataset
    for sought, found in (
        (str(dataset.pk), 1),
        (dataset.sha256.upper(), 1),
        (dataset.original_filename[:5], 1),
        (str(uuid4()), 0),
        ("0" * 64, 0),
    ):
        assert console.get(address, {"q": sought}).context["cl"].result_count == found, sought


def test_rejects_and_insights_are_found_by_their_dataset(console: Client, job: Job) -> None:
    for name, words in (("datasets_reject", "number"), ("insights_insight", job.dataset.name[:4])):
        address = reverse(f"admin:{name}_changelist")
        assert console.get(address, {"q": str(job.dataset_id)}).context["cl"].result_count == 1
        assert console.get(address, {"q": str(uuid4())}).context["cl"].result_count == 0
        assert console.get(address, {"q": words}).context["cl"].result_count == 1
        assert console.get(address, {"department": "finance"}).context["cl"].result_count == 0


def test_who_may_only_look_has_no_retry(job: Job) -> None:
    client = Client()
    client.force_login(OperatorFactory(console_role="viewer"))
    page = client.get(reverse("admin:jobs_job_changelist"))
    assert page.status_code == 200
    assert 'value="retry"' not in page.content.decode()


def test_a_member_of_a_department_does_not_get_in() -> None:
    client = Client()
    client.force_login(UserFactory())
    assert client.get(reverse("admin:index")).status_code == 302
