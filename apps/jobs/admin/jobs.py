"""The job list, and the page of one job."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from aetherflow.errors import AnticipatedError
from apps.accounts.authentication import user_of
from apps.accounts.confirming import ConfirmsSteps
from apps.accounts.console import FilteredAdmin, badge, department_label, moment, span, uuid_of
from apps.jobs import saved_views
from apps.jobs.admin import filters, operate
from apps.jobs.admin.job_page import job_page
from apps.jobs.admin.rescuing import MAY_RESCUE, rescue_page
from apps.jobs.admin.stages import MAY_READ_TRACEBACKS
from apps.jobs.admin.steps import STEPS
from apps.jobs.admin.words import STATUS_KINDS
from apps.jobs.models import Job, JobStatus, SavedView, StageRun, State

# What a row of the list shows of a stage; the others' texts are long.
_LISTED = ("job_id", "stage", "state", "attempts", "max_attempts", "dead_lettered", "error_code", "rows_rejected")


@admin.register(Job)
class JobAdmin(operate.OperatesOnMany, ConfirmsSteps, FilteredAdmin):
    list_display = ["short_id", "upload", "came_of_it", "error", "why", "requested", "took"]
    list_filter = (*filters.FILTERS,)
    # What is searched says `get_search_results`; without a field there is no search at all.
    search_fields = ["id"]
    search_help_text = "An id (job, dataset, request), or words of a dataset's name"
    sortable_by = ("requested",)
    list_per_page = 50
    change_list_template = "admin/jobs/job/change_list.html"
    change_form_template = "admin/jobs/job/change_form.html"
    fields = ("id",)  # none of the form's is shown: the page is drawn by its own template
    actions = operate.actions()
    steps = STEPS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).defer("dataset__profile")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown: dict[str, Any] = {}
        number = uuid_of(unquote(object_id))
        whole = Job.objects.select_related("dataset__uploaded_by", "requested_by").defer("dataset__profile")
        job = whole.filter(pk=number).first() if number and self.has_view_permission(request) else None
        if job is not None:
            for_operators = request.user.has_perm(MAY_READ_TRACEBACKS)
            shown = {
                "job": job,
                "page": job_page(job, with_logs=for_operators),
                "heading": f"{job.dataset.name}, job {str(job.pk)[:8]}",
                "title": f"Job {job.pk}",
                "subtitle": job.dataset.name,
                "may_read_tracebacks": for_operators,
            }
        return super().change_view(request, object_id, form_url, shown | (extra_context or {}))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Found by their ids first: what is shown of fifty jobs would else be joined to all that match."""
        changelist = super().get_changelist_instance(request)
        ids = list(changelist.result_list.values_list("pk", flat=True))
        jobs = listed(self.model.objects.filter(pk__in=ids)).in_bulk()
        changelist.result_list = [jobs[each] for each in ids if each in jobs]
        return changelist

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Job],
        search_term: str,
    ) -> tuple[QuerySet[Job], bool]:
        return filters.found(queryset, search_term) if search_term.strip() else queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {
            "views": saved_views.views_for(user_of(request)),
            "views_query": saved_views.asked(request.GET.urlencode()),
            "may_share": request.user.has_perm(saved_views.MAY_SHARE),
            "may_rescue": request.user.has_perm(MAY_RESCUE),
        }
        return super().changelist_view(request, shown | (extra_context or {}))

    def get_urls(self) -> list[Any]:
        ours = [
            path("rescue/", self.admin_site.admin_view(self.rescue), name="jobs_job_rescue"),
            path("views/save/", self.admin_site.admin_view(self.save_view), name="jobs_job_save_view"),
            path(
                "views/<int:view_id>/remove/", self.admin_site.admin_view(self.remove_view), name="jobs_job_remove_view"
            ),
        ]
        return [*ours, *super().get_urls()]

    def rescue(self, request: HttpRequest) -> HttpResponse:
        return rescue_page(self, request)

    @method_decorator(require_POST)
    def save_view(self, request: HttpRequest) -> HttpResponse:
        given = request.POST
        return self._of_views(
            request,
            lambda: saved_views.save_view(
                name=given.get("name", ""),
                query=given.get("query", ""),
                shared="shared" in given,
                by=user_of(request),
                at=timezone.now(),
            ),
            done="The view “{}” is kept.",
        )

    @method_decorator(require_POST)
    def remove_view(self, request: HttpRequest, view_id: int) -> HttpResponse:
        return self._of_views(
            request,
            lambda: saved_views.remove_view(view_id=view_id, by=user_of(request)),
            done="The view “{}” is taken away.",
        )

    def _of_views(self, request: HttpRequest, act: Callable[[], SavedView], *, done: str) -> HttpResponse:
        """Do it and go back to the list as it was; a refusal is a sentence there."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            self.message_user(request, done.format(act()), messages.SUCCESS)
        except AnticipatedError as refusal:
            self.message_user(request, f"{refusal.message} {refusal.hint}", messages.ERROR)
        query = saved_views.asked(request.POST.get("query", ""))
        return HttpResponseRedirect(f"{reverse('admin:jobs_job_changelist')}?{query}")

    @admin.display(description="job")
    def short_id(self, job: Job) -> SafeString:
        return format_html('<span class="code" title="{}">{}</span>', job.pk, str(job.pk)[:8])

    @admin.display(description="upload")
    def upload(self, job: Job) -> SafeString:
        return format_html(
            '<span class="lines"><a href="{}">{}</a><span class="muted">{}, {}</span></span>',
            reverse("admin:datasets_dataset_change", args=[job.dataset_id]),
            job.dataset.name,
            department_label(job.department),
            job.dataset.uploaded_by.email,
        )

    @admin.display(description="status")
    def came_of_it(self, job: Job) -> SafeString:
        at = next((run for run in job.stages.all() if run.stage == job.stage), None)
        return format_html(
            '<span class="lines">{}<span class="muted">{}</span></span>',
            badge(job.get_status_display(), STATUS_KINDS[JobStatus(job.status)]),
            _where(job, at),
        )

    @admin.display(description="error")
    def error(self, job: Job) -> SafeString | str:
        codes = [run.error_code for run in job.stages.all() if run.state == State.FAILED]
        return format_html('<span class="code">{}</span>', codes[0]) if codes else ""

    @admin.display(description="cause")
    def why(self, job: Job) -> str:
        return job.get_cause_display()

    @admin.display(description="requested (UTC)", ordering="created_at")
    def requested(self, job: Job) -> SafeString | str:
        return moment(job.created_at)

    @admin.display(description="took")
    def took(self, job: Job) -> str:
        return span((job.finished_at - job.created_at).total_seconds() if job.finished_at else None)


def listed(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """With what a row shows, and no more: two queries for a page."""
    runs = StageRun.objects.order_by("stage").only(*_LISTED)
    shown = ("dataset__name", "dataset__uploaded_by__email")
    own = (field.attname for field in Job._meta.concrete_fields)
    return jobs.select_related("dataset__uploaded_by").only(*own, *shown).prefetch_related(Prefetch("stages", runs))


def _where(job: Job, run: StageRun | None) -> str:
    """At which stage, and how often it was tried."""
    said: list[str] = [job.get_stage_display().upper()]
    if run is not None and (run.attempts > 1 or job.status == JobStatus.FAILED):
        said.append(f"attempt {run.attempts} of {run.max_attempts}")
    if run is not None and run.dead_lettered:
        said.append("dead letter")
    if rejected := sum(each.rows_rejected for each in job.stages.all()):
        said.append(f"{rejected:,} rows rejected")
    return ", ".join(said)
