"""How many queries each page of the API and the console costs: the same for one object and for many, and as
`queries.json` says.

The file is reviewed like code: a number that grows shows in the diff. `UPDATE_QUERIES=1 pytest tests/test_queries.py`
writes it anew.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from aetherflow.etl import Drift, Profile
from apps.accounts.models import User
from apps.datasets.models import Dataset, HeaderMapping, Reject
from apps.insights.models import Insight, InsightItem
from apps.jobs.models import Job, Operation, Stage
from apps.jobs.services.transitions import start
from tests.accounts.factories import AdminFactory, UserFactory, bearer
from tests.datasets.factories import DatasetFactory

KEPT = Path(__file__).with_name("queries.json")
PATHS = [
    "/api/v1/auth/me",
    "/api/v1/auth/sessions",
    "/api/v1/dashboards/sales",
    "/api/v1/dashboards/sales?dataset={dataset}",
    "/api/v1/dashboards/sales/settings",
    "/api/v1/datasets",
    "/api/v1/datasets/{dataset}",
    "/api/v1/datasets/{dataset}/profile",
    "/api/v1/datasets/{dataset}/rejects",
    "/api/v1/datasets/{dataset}/rows",
    "/api/v1/insights/help",
    "/api/v1/insights/{insight}",
    "/api/v1/insights/{insight}/facets",
    "/api/v1/insights/{insight}/items",
    "/api/v1/insights/{insight}/items?state=open&severity=high&q=a&after=0",
    "/api/v1/insights/{insight}/reviews",
    "/api/v1/jobs",
    "/api/v1/jobs?status=queued&ordering=created_at",
    "/api/v1/jobs/{job}",
    "/api/v1/schemas",
    "/api/v1/schemas/sales",
    "/api/v1/schemas/sales/mappings",
]
CONSOLE = [
    "/admin/accounts/auditentry/",
    "/admin/datasets/dataset/",
    "/admin/datasets/dataset/{dataset}/change/",
    "/admin/datasets/reject/",
    "/admin/insights/insight/",
    "/admin/insights/insight/{insight}/change/",
    "/admin/jobs/job/",
    "/admin/jobs/job/?status=queued&department=sales&uploader=example&dataset=upload&q=upload",
    "/admin/jobs/job/{job}/change/",
    "/admin/jobs/operation/",
    "/admin/jobs/operation/?kind=undo&standing=runs",
    "/admin/jobs/stageevent/",
    "/admin/jobs/stagerun/",
]
NO_ROWS = Profile(rows=0, columns=[]).as_dict()
pytestmark = pytest.mark.django_db


@pytest.fixture
def seller() -> User:
    return UserFactory(department="sales")


def fill(seller: User, count: int) -> tuple[Dataset, Job, Insight]:
    for _ in range(count):
        dataset = DatasetFactory(uploaded_by=seller, loaded_at=timezone.now())
        dataset.profile = {**NO_ROWS, "drift": {**Drift().as_dict(), "compared_with": str(dataset.pk)}}
        dataset.save(update_fields=["profile"])
        job = Job.objects.create(
            dataset=dataset,
            department="sales",
            stage=Stage.ETL,
            requested_by=seller,
            request_id="request-0001",
            created_at=timezone.now(),
        )
        start(job, Stage.ETL, at=timezone.now(), max_attempts=3)
        start(job, Stage.ML, at=timezone.now(), max_attempts=3)
        Reject.objects.create(dataset=dataset, line=2, code="type-error", message="m", cells=["a"])
        HeaderMapping.objects.create(
            department="sales",
            shape=dataset.sha256,
            header=["Qty"],
            mapping={"Qty": "quantity"},
            given_by=UserFactory(department="sales"),
            given_at=timezone.now(),
        )
        insight = Insight.objects.create(
            department="sales",
            kind="revenue_forecast",
            dataset=dataset,
            computed_at=timezone.now(),
            method="m",
            summary="s",
            data={},
            items_total=1,
        )
        InsightItem.objects.create(insight=insight, rank=1, item={"sku": "S1"})
        asked = {"reason": "wrong rows", "filter_words": "all", "rate": 60}
        Operation.objects.create(
            kind="undo", **asked, started_by=seller, started_at=timezone.now(), next_at=timezone.now()
        )
    return dataset, job, insight


def cost(path: str, seller: User) -> int:
    asked = bearer(seller)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = APIClient().get(path, **asked)
    assert response.status_code == 200, response.content
    return len(queries)


@pytest.fixture
def operator(settings: Any) -> Client:
    # The pages name their style sheets by a manifest that only `collectstatic` writes.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    client = Client()
    client.force_login(AdminFactory())
    return client


def console_cost(path: str, operator: Client) -> int:
    operator.get(path)  # the first page of a process asks for what it then keeps
    with CaptureQueriesContext(connection) as queries:
        assert operator.get(path).status_code == 200
    return len(queries)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_costs_what_the_reviewed_file_says_however_much_there_is(path: str, seller: User) -> None:
    dataset, job, insight = fill(seller, 1)
    address = path.format(dataset=dataset.pk, job=job.pk, insight=insight.pk)
    one = cost(address, seller)
    fill(seller, 5)
    many = cost(address, seller)
    assert one == many
    compare(path, one)


@pytest.mark.parametrize("path", CONSOLE)
def test_so_does_a_page_of_the_console(path: str, seller: User, operator: Client) -> None:
    dataset, job, insight = fill(seller, 1)
    address = path.format(dataset=dataset.pk, job=job.pk, insight=insight.pk)
    one = console_cost(address, operator)
    fill(seller, 5)
    assert console_cost(address, operator) == one
    compare(path, one)


def compare(path: str, one: int) -> None:
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if os.environ.get("UPDATE_QUERIES"):
        KEPT.write_text(json.dumps(dict(sorted((kept | {path: one}).items())), indent=2) + "\n")
    else:
        assert kept[path] == one
