"""What can be done to one job or its upload: buttons on its page, each done at once by its service."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from apps.accounts.confirming import Step
from apps.accounts.console import department_label
from apps.accounts.models import User
from apps.accounts.origin import current_origin
from apps.jobs.admin.effects import ACTS
from apps.jobs.models import ACTIVE, Job, JobStatus, OperationKind, Stage
from apps.jobs.services.again import reprocess, retry, undo_first
from apps.jobs.services.cancelling import cancel
from apps.jobs.services.dispatch import in_back_off

_UNDER_WAY = frozenset(JobStatus(state) for state in ACTIVE)


class JobStep(Step[Job]):
    """An act of `effects`, on the one job. Many are the list's, as an operation."""

    in_list = False
    kind: OperationKind

    def __init__(self) -> None:
        act = ACTS[self.kind]
        self.name, self.label, self.permission = self.kind.value, act.label, act.permission

    def effects(self, chosen: Sequence[Job], *, at: datetime) -> Iterable[str]:  # noqa: ARG002
        return ACTS[self.kind].told()

    def remark(self, one: Job) -> str:
        known = f"{one.dataset.name}, of {department_label(one.department)}, {one.get_status_display().lower()}"
        return f"{known} at {one.stage}" + (", undone" if one.dataset.deleted_at else "")

    def state(self, one: Job) -> str:
        return f"{one.status} {one.stage} {one.finished_at} {one.dataset.deleted_at}"


class Retry(JobStep):
    kind = OperationKind.RETRY
    done = "queued again"

    def applies(self, one: Job) -> bool:
        return one.status == JobStatus.FAILED and one.dataset.deleted_at is None and not _newer(one)

    def act(self, one: Job, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        retry(job=one, by=by, at=at, reason=given["reason"])
        return True


class Cancel(JobStep):
    kind = OperationKind.CANCEL
    done = "cancelled"

    def applies(self, one: Job) -> bool:
        comes_again = one.status == JobStatus.FAILED and in_back_off(one.stages.all()).exists()
        return comes_again or one.status in _UNDER_WAY

    def act(self, one: Job, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        cancel(job=one, by=by, at=at, reason=given["reason"])
        return True


class Reprocess(JobStep):
    done = "queued as a new job"
    first: Stage

    def applies(self, one: Job) -> bool:
        return one.dataset.deleted_at is None and not _under_way(one)

    def act(self, one: Job, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        reprocess(
            dataset=one.dataset,
            first=self.first,
            by=by,
            at=at,
            request_id=_request_id(),
            reason=given["reason"],
        )
        return True


class ReprocessFromEtl(Reprocess):
    kind = OperationKind.REPROCESS_ETL
    first = Stage.ETL


class ReprocessFromMl(Reprocess):
    kind = OperationKind.REPROCESS_ML
    first = Stage.ML

    def applies(self, one: Job) -> bool:
        return one.dataset.loaded_at is not None and super().applies(one)


class Undo(JobStep):
    kind = OperationKind.UNDO
    done = "undone"

    def applies(self, one: Job) -> bool:
        return one.dataset.deleted_at is None

    def act(self, one: Job, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        undo_first(dataset=one.dataset, by=by, at=at, request_id=_request_id(), reason=given["reason"])
        return True


STEPS = (Retry(), ReprocessFromEtl(), ReprocessFromMl(), Cancel(), Undo())


def _newer(job: Job) -> bool:
    return Job.objects.filter(dataset=job.dataset_id, created_at__gt=job.created_at).exclude(pk=job.pk).exists()


def _under_way(job: Job) -> bool:
    return Job.objects.filter(dataset=job.dataset_id, status__in=_UNDER_WAY).exists()


def _request_id() -> str:
    """The job that comes of it is found by the request that asked for it, as an upload's is."""
    return current_origin().request_id or str(uuid4())
