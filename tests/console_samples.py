"""Something of every model that the operators' console lists, by the model's label."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils import timezone

from apps.accounts.choices import Approval, AuditAction
from apps.accounts.models import AuditEntry, Invitation
from apps.datasets.models import HeaderMapping, Reject
from apps.insights.models import ChosenSetting, Insight, Review, ReviewEvent, Snooze
from apps.jobs.models import (
    IdempotentRequest,
    Job,
    Operation,
    OperationItem,
    OperationKind,
    Stage,
    StageEvent,
    StageRun,
    WorkerHeartbeat,
)
from apps.jobs.services.transitions import start
from tests.accounts.factories import LONG_AGO, AdminFactory, SessionFactory, UserFactory
from tests.datasets.factories import DatasetFactory


def run_of_a_job() -> StageRun:
    dataset, now = DatasetFactory(), timezone.now()
    about = {"department": "sales", "stage": Stage.ETL, "requested_by": dataset.uploaded_by}
    job = Job.objects.create(dataset=dataset, request_id="request-0001", created_at=now, **about)
    return start(job, Stage.ETL, at=now, max_attempts=3)


def mapping() -> HeaderMapping:
    given = {"header": ["Qty"], "mapping": {"Qty": "quantity"}, "given_by": UserFactory(), "given_at": LONG_AGO}
    return HeaderMapping.objects.create(department="sales", shape="x" * 64, **given)


def reject() -> Reject:
    return Reject.objects.create(dataset=DatasetFactory(), line=2, code="type-error", message="m", cells=["a"])


def insight() -> Insight:
    about = {"department": "sales", "kind": "revenue_forecast", "dataset": DatasetFactory(), "computed_at": LONG_AGO}
    return Insight.objects.create(**about, method="m", summary="s", data={}, items_total=0)


OF_SUBJECT = {"department": "sales", "kind": "listing", "subject": ["S1"]}


def review() -> Review:
    said = {"verdict": "expected", "reviewed_by": UserFactory(), "reviewed_at": LONG_AGO}
    return Review.objects.create(**OF_SUBJECT, subject_key=uuid4(), item={}, **said)


def snooze() -> Snooze:
    said = {"until": LONG_AGO.date(), "snoozed_by": UserFactory(), "snoozed_at": LONG_AGO}
    return Snooze.objects.create(**OF_SUBJECT, subject_key=uuid4(), item={}, **said)


def setting() -> ChosenSetting:
    about = {"department": "sales", "kind": "listing", "name": "level", "value": 2.0}
    return ChosenSetting.objects.create(**about, set_by=UserFactory(), set_at=LONG_AGO)


def invitation() -> Invitation:
    until = timezone.now() + timedelta(days=1)
    return Invitation.objects.create(department="sales", token_sha256="x", created_at=LONG_AGO, expires_at=until)


def operation() -> Operation:
    job = run_of_a_job().job
    about = {"reason": "r", "filter_words": "all", "rate": 60, "next_at": LONG_AGO, "started_at": LONG_AGO, "total": 1}
    made = Operation.objects.create(kind=OperationKind.CANCEL, started_by=AdminFactory(), **about)
    OperationItem.objects.create(operation=made, kind=made.kind, job=job)
    return made


SAMPLES: dict[str, Callable[[], Model]] = {
    "accounts.auditentry": lambda: AuditEntry.objects.create(
        at=LONG_AGO, actor_name="Rita", action=AuditAction.INVITED, target_type="user"
    ),
    "accounts.invitation": invitation,
    "accounts.session": SessionFactory,
    "accounts.user": lambda: UserFactory(approval=Approval.PENDING),
    "auth.group": lambda: Group.objects.get(name="console viewer"),
    "datasets.dataset": DatasetFactory,
    "datasets.headermapping": mapping,
    "datasets.reject": reject,
    "insights.chosensetting": setting,
    "insights.insight": insight,
    "insights.review": review,
    "insights.reviewevent": lambda: ReviewEvent.objects.create(**OF_SUBJECT, by=UserFactory(), at=LONG_AGO),
    "insights.snooze": snooze,
    "jobs.idempotentrequest": lambda: IdempotentRequest.objects.create(
        user=UserFactory(), key="monday", fingerprint="x", created_at=LONG_AGO
    ),
    "jobs.job": lambda: run_of_a_job().job,
    "jobs.operation": operation,
    "jobs.stageevent": lambda: StageEvent.objects.filter(run=run_of_a_job()).get(),
    "jobs.stagerun": run_of_a_job,
    "jobs.workerheartbeat": lambda: WorkerHeartbeat.objects.create(
        name="etl@one", queues=["etl"], pid=1, started_at=LONG_AGO, beat_at=LONG_AGO
    ),
}
