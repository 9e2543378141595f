"""The stages of jobs, the journal of their states, who works on them: to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.console import (
    CappedPaginator,
    ChoiceFilter,
    ConsoleInline,
    DepartmentFilter,
    FilteredAdmin,
    FormFilter,
    ReadOnlyAdmin,
    badge,
    moment,
    uuid_of,
)
from apps.jobs.admin.filters import StageFilter
from apps.jobs.admin.words import STATE_KINDS
from apps.jobs.models import IdempotentRequest, StageEvent, StageRun, State, WorkerHeartbeat
from apps.jobs.selectors import error_codes
from apps.jobs.services.dispatch import in_back_off

# To look at a job is not to see the platform from inside: a traceback is for who can do something about it.
MAY_READ_TRACEBACKS = "jobs.retry_job"


class StateFilter(ChoiceFilter):
    title, parameter, field = "state", "state", "state"

    def options(self) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in State.choices]


class CodeFilter(ChoiceFilter):
    title, parameter, field = "error code", "error", "error_code"

    def options(self) -> list[tuple[str, str]]:
        return [(code, code) for code in error_codes()]


class SentFilter(FormFilter):
    """Whether its message is out, or the row waits in the outbox."""

    title, parameter = "message", "sent"

    def options(self) -> list[tuple[str, str]]:
        return [("no", "waits in the outbox"), ("yes", "was sent")]

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        return queryset.filter(dispatched_at__isnull=given != "yes")


class DeadFilter(FormFilter):
    title, parameter = "dead letter", "dead"

    def options(self) -> list[tuple[str, str]]:
        return [("yes", "yes"), ("no", "no"), ("again", "no, SQS delivers it again")]

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        return in_back_off(queryset) if given == "again" else queryset.filter(dead_lettered=given == "yes")


class WorkerFilter(ChoiceFilter):
    title, parameter, field, placeholder = "worker", "worker", "worker", "its whole name"


class StageEventInline(ConsoleInline):
    model = StageEvent
    fields = ["at", "source", "target", "token", "attempts", "note"]
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(StageRun)
class StageRunAdmin(FilteredAdmin):
    list_display = ["stage", "whose", "standing", "tries", "worker", "queued", "finished"]
    list_filter = [StageFilter, StateFilter, DepartmentFilter, CodeFilter, SentFilter, DeadFilter, WorkerFilter]
    # What is searched says `get_search_results`; without a field there is no search at all.
    search_fields = ["id"]
    search_help_text = "A job's id, or that of an SQS message"
    ordering = ["-id"]
    sortable_by = ()
    list_per_page = 50
    list_select_related = ["job"]
    inlines = [StageEventInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StageRun]:
        return super().get_queryset(request).defer("traceback", "error_details")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[StageRun],
        search_term: str,
    ) -> tuple[QuerySet[StageRun], bool]:
        sought = search_term.strip()
        if not sought:
            return queryset, False
        of_job = queryset.filter(job=job) if (job := uuid_of(sought)) else queryset.none()
        # SQS calls its messages by ids of the same kind.
        return of_job if of_job.exists() else queryset.filter(message_id=sought), False

    def get_fields(self, request: HttpRequest, obj: StageRun | None = None) -> list[Any]:
        hidden = set() if request.user.has_perm(MAY_READ_TRACEBACKS) else {"traceback"}
        return [name for name in super().get_fields(request, obj) if name not in hidden]

    @admin.display(description="job")
    def whose(self, run: StageRun) -> SafeString:
        address = reverse("admin:jobs_job_change", args=[run.job_id])
        return format_html('<a href="{}" class="code" title="{}">{}</a>', address, run.job_id, str(run.job_id)[:8])

    @admin.display(description="state")
    def standing(self, run: StageRun) -> SafeString:
        words = badge(run.get_state_display(), STATE_KINDS[State(run.state)])
        return format_html('{} <span class="code">{}</span>', words, run.error_code) if run.error_code else words

    @admin.display(description="attempts")
    def tries(self, run: StageRun) -> str:
        return f"{run.attempts} of {run.max_attempts}" + (", dead letter" if run.dead_lettered else "")

    @admin.display(description="queued (UTC)")
    def queued(self, run: StageRun) -> SafeString | str:
        return moment(run.queued_at)

    @admin.display(description="finished (UTC)")
    def finished(self, run: StageRun) -> SafeString | str:
        return moment(run.finished_at)


@admin.register(StageEvent)
class StageEventAdmin(ReadOnlyAdmin):
    list_display = ["run", "at", "source", "target", "token", "attempts", "note"]
    # By its job's id alone, see `get_search_results`.
    search_fields = ["id"]
    search_help_text = "A job's id"
    ordering = ["-id"]
    sortable_by = ()
    list_select_related = ["run"]
    paginator = CappedPaginator
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[StageEvent]:
        return super().get_queryset(request).defer("run__traceback", "run__error_details")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[StageEvent],
        search_term: str,
    ) -> tuple[QuerySet[StageEvent], bool]:
        if not search_term.strip():
            return queryset, False
        job = uuid_of(search_term)
        return queryset.filter(run__job=job) if job else queryset.none(), False


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "queues", "slots", "pid", "started_at", "beat_at"]


@admin.register(IdempotentRequest)
class IdempotentRequestAdmin(ReadOnlyAdmin):
    list_display = ["key", "user", "job", "created_at"]
    search_fields = ["key", "user__email"]
    list_select_related = ["user", "job"]
