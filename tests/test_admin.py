"""The operators' admin: every model can be looked at, nothing of the pipeline's can be written by hand."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from aetherflow.etl import ReadOptions
from apps.insights.models import ChosenSetting, Review, ReviewEvent, Snooze
from apps.jobs.models import IdempotentRequest, Job, StageRun, State, WorkerHeartbeat
from tests.accounts.factories import AdminFactory, OperatorFactory, UserFactory
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


def test_a_failed_job_is_retried_from_its_list(console: Client, upload: Callable[..., Job]) -> None:  # noqa: F811
    failed, queued = upload(sales(row(1))), upload(sales(row(2)))
    StageRun.objects.filter(job=failed).update(
        state=State.FAILED, finished_at=timezone.now(), error_code="x", error_message="because"
    )
    Job.objects.filter(pk=failed.pk).update(status="failed", finished_at=timezone.now())
    chosen = {"action": "retry_failed", "_selected_action": [str(failed.pk), str(queued.pk)]}
    page = console.post(reverse("admin:jobs_job_changelist"), chosen, follow=True).content.decode()
    assert "1 queued again." in page
    assert "only a failed one, can be retried" in page
    failed.refresh_from_db()
    assert failed.status == "queued"


def test_who_may_only_look_has_no_retry(job: Job) -> None:
    client = Client()
    client.force_login(OperatorFactory(console_role="viewer"))
    page = client.get(reverse("admin:jobs_job_changelist"))
    assert page.status_code == 200
    assert "retry_failed" not in page.content.decode()


def test_a_member_of_a_department_does_not_get_in() -> None:
    client = Client()
    client.force_login(UserFactory())
    assert client.get(reverse("admin:index")).status_code == 302
