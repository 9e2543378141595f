"""Jobs for operators: to look at, and to retry. Actions have no powers of their own: they call the service."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from aetherflow.errors import AnticipatedError
from apps.accounts.authentication import user_of
from apps.accounts.console import ConsoleInline, ReadOnlyAdmin, audit_address
from apps.jobs import clock
from apps.jobs.models import IdempotentRequest, Job, StageEvent, StageRun, WorkerHeartbeat
from apps.jobs.services.again import retry


class _ReadOnlyInline(ConsoleInline):
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class StageRunInline(_ReadOnlyInline):
    model = StageRun
    fields = ["stage", "state", "attempts", "max_attempts", "dead_lettered", "worker", "started_at", "finished_at",
              "error_code", "error_message"]  # fmt: skip


class StageEventInline(_ReadOnlyInline):
    model = StageEvent
    fields = ["at", "source", "target", "token", "attempts", "note"]


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ["id", "dataset", "department", "cause", "status", "stage", "created_at", "finished_at"]
    list_filter = ["status", "stage", "department", "cause", "stages__error_code"]
    search_fields = ["id", "request_id", "dataset__id", "dataset__name"]
    date_hierarchy = "created_at"
    list_select_related = ["dataset"]
    inlines = [StageRunInline]
    readonly_fields = ["audit"]
    actions = ["retry_failed"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).defer("dataset__profile")

    @admin.action(description="Retry from the stage that failed", permissions=["retry"])
    def retry_failed(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        retried, refused = 0, []
        for job in jobs.select_related("dataset"):
            try:
                retry(job=job, by=user_of(request), at=clock.now())
                retried += 1
            except AnticipatedError as error:
                refused.append(f"{job}: {error.message}")
        if retried:
            self.message_user(request, f"{retried} queued again.", messages.SUCCESS)
        for reason in refused[:20]:
            self.message_user(request, reason, messages.WARNING)

    @admin.display(description="audit")
    def audit(self, job: Job) -> str:
        return format_html(
            '<a href="{}">what was done to it</a>, <a href="{}">to it and its upload</a>',
            audit_address(target_id=str(job.pk)),
            audit_address(target_id__in=f"{job.pk},{job.dataset_id}"),
        )

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("jobs.retry_job"))


@admin.register(StageRun)
class StageRunAdmin(ReadOnlyAdmin):
    list_display = [
        "job",
        "stage",
        "state",
        "attempts",
        "dead_lettered",
        "worker",
        "queued_at",
        "finished_at",
    ]
    list_filter = ["stage", "state", "dead_lettered", "error_code", "job__department"]
    search_fields = ["job__id", "message_id", "worker"]
    list_select_related = ["job"]
    inlines = [StageEventInline]


@admin.register(StageEvent)
class StageEventAdmin(ReadOnlyAdmin):
    list_display = ["run", "at", "source", "target", "token", "attempts", "note"]
    search_fields = ["run__job__id"]
    list_select_related = ["run"]
    show_full_result_count = False


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "queues", "pid", "started_at", "beat_at"]


@admin.register(IdempotentRequest)
class IdempotentRequestAdmin(ReadOnlyAdmin):
    list_display = ["key", "user", "job", "created_at"]
    search_fields = ["key", "user__email"]
