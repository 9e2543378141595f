"""Operations on many jobs: which there were, how far one is, what came of its items, and a button that stops it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.confirming import ConfirmsSteps, Step
from apps.accounts.console import ChoiceFilter, FilteredAdmin, FormFilter, audit_address, badge, moment, uuid_of
from apps.accounts.models import User
from apps.jobs import clock
from apps.jobs.models import ItemStatus, Operation, OperationItem, OperationKind
from apps.jobs.selectors import relay_lives
from apps.jobs.services.operations import stop_operation

# What `?refresh` asks for: anew every so many seconds, while it runs.
REFRESH_SECONDS = 5
_ITEMS_SHOWN = 50
_ITEM_KINDS = {
    ItemStatus.WAITING: "info",
    ItemStatus.DONE: "good",
    ItemStatus.REFUSED: "warn",
    ItemStatus.LEFT: "",
}


class KindFilter(ChoiceFilter):
    title, parameter, field = "kind", "kind", "kind"

    def options(self) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in OperationKind.choices]


class StandingFilter(FormFilter):
    title, parameter = "standing", "standing"

    def options(self) -> list[tuple[str, str]]:
        return [("runs", "runs"), ("ended", "worked to its end"), ("stopped", "was stopped")]

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        if given == "runs":
            return queryset.filter(ended_at=None)
        return queryset.filter(ended_at__isnull=False, stopped_at__isnull=given != "stopped")


class Stop(Step[Operation]):
    name, label, done = "stop", "Stop", "stopped"
    permission = "jobs.stop_operation"
    in_list = False

    def applies(self, one: Operation) -> bool:
        return one.ended_at is None

    def state(self, one: Operation) -> str:
        # Not how far it is: it goes on while one reads.
        return f"{one.ended_at}"

    def effects(self, chosen: Sequence[Operation], *, at: datetime) -> Iterable[str]:  # noqa: ARG002
        (one,) = chosen
        yield f"What waits, {one.left:,} of {one.total:,} now, stays as it is. The item in work comes to its end first."
        yield "What is done stays done, and what was queued by it is worked."
        yield "It cannot be begun again: for what is left, begin another one."

    def act(self, one: Operation, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        stop_operation(operation=one, by=by, at=at, reason=given["reason"])
        return True


@admin.register(Operation)
class OperationAdmin(ConfirmsSteps, FilteredAdmin):
    list_display = ["what", "why", "begun", "pace", "progress", "standing"]
    list_filter = (KindFilter, StandingFilter)
    sortable_by = ()
    list_per_page = 50
    list_select_related = ("started_by", "stopped_by")
    actions = None
    steps = (Stop(),)
    change_form_template = "admin/jobs/operation/change_form.html"
    fields = ("id",)  # none of the form's is shown: the page is drawn by its own template

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown: dict[str, Any] = {}
        number = uuid_of(unquote(object_id))
        whole = Operation.objects.select_related("started_by", "stopped_by")
        operation = whole.filter(pk=number).first() if number and self.has_view_permission(request) else None
        if operation is not None:
            shown = {
                "page": operation_page(operation, request),
                "title": f"{operation.get_kind_display()} of many",
                "subtitle": operation.filter_words,
                "heading": f"{operation.get_kind_display()}: {operation.total:,} of {operation.filter_words}",
            }
        answer = super().change_view(request, object_id, form_url, shown | (extra_context or {}))
        if operation is not None and operation.ended_at is None and "refresh" in request.GET:
            answer["Refresh"] = str(REFRESH_SECONDS)
        return answer

    @admin.display(description="what")
    def what(self, operation: Operation) -> SafeString:
        return format_html(
            '<span class="lines">{}<span class="muted">{}</span></span>',
            operation.get_kind_display(),
            operation.filter_words,
        )

    @admin.display(description="why")
    def why(self, operation: Operation) -> str:
        return operation.reason

    @admin.display(description="begun (UTC)")
    def begun(self, operation: Operation) -> SafeString:
        return format_html(
            '<span class="lines">{}<span class="muted">{}</span></span>',
            moment(operation.started_at),
            operation.started_by.email,
        )

    @admin.display(description="a minute")
    def pace(self, operation: Operation) -> str:
        return f"{operation.rate:,}"

    @admin.display(description="items")
    def progress(self, operation: Operation) -> SafeString:
        return format_html('<span class="number">{}</span>', _progress(operation))

    @admin.display(description="standing")
    def standing(self, operation: Operation) -> SafeString:
        return standing(operation)


@dataclass(frozen=True, kw_only=True)
class Choice:
    label: str
    count: int
    href: str
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    item: OperationItem
    href: str
    name: str

    @property
    def badge(self) -> SafeString:
        return badge(ItemStatus(self.item.status).value, _ITEM_KINDS[ItemStatus(self.item.status)])


@dataclass(frozen=True, kw_only=True)
class OperationPage:
    operation: Operation
    standing: SafeString
    progress: str
    ends_at: datetime | None
    relay_lives: bool
    choices: list[Choice]
    status: str
    lines: list[Line]
    items: Page[OperationItem]
    jobs_href: str
    audit_href: str
    items_audit_href: str
    refresh: int | None

    @property
    def worked(self) -> int:
        return self.operation.total - self.operation.left


def operation_page(operation: Operation, request: HttpRequest) -> OperationPage:
    at, runs = clock.now(), operation.ended_at is None
    status = request.GET.get("status", "")
    items = operation.items.order_by("pk").select_related("job__dataset", "dataset")
    items = items.defer("job__dataset__profile", "dataset__profile")
    if status in ItemStatus.values:
        items = items.filter(status=status)
    page = Paginator(items, _ITEMS_SHOWN).get_page(request.GET.get("p"))
    return OperationPage(
        operation=operation,
        standing=standing(operation),
        progress=_progress(operation),
        ends_at=_ends_at(operation, at=at) if runs else None,
        relay_lives=not runs or relay_lives(at=at),
        choices=_choices(operation, status),
        status=status,
        lines=[_line(item) for item in page],
        items=page,
        jobs_href=f"{reverse('admin:jobs_job_changelist')}?{urlencode(operation.filter)}" if operation.filter else "",
        audit_href=audit_address(target_id=str(operation.pk)),
        # Of the items too: what a relay does of it is written under the request that began it.
        items_audit_href=audit_address(q=operation.request_id) if operation.request_id else "",
        refresh=REFRESH_SECONDS if runs and "refresh" in request.GET else None,
    )


def standing(operation: Operation) -> SafeString:
    if operation.ended_at is None:
        return badge("runs", "info")
    if operation.stopped_at is not None:
        return badge("stopped", "warn")
    return badge("ended", "warn" if operation.refused else "good")


def _progress(operation: Operation) -> str:
    said = [f"{operation.done:,} done"]
    said += [f"{operation.refused:,} refused"] if operation.refused else []
    said += [f"{operation.left:,} {'wait' if operation.ended_at is None else 'left'}"] if operation.left else []
    return f"{', '.join(said)} of {operation.total:,}"


def _ends_at(operation: Operation, *, at: datetime) -> datetime:
    """When the last of its items is due, at its rate."""
    return max(operation.next_at, at) + timedelta(minutes=(operation.left - 1) / operation.rate)


def _choices(operation: Operation, current: str) -> list[Choice]:
    left = ItemStatus.WAITING if operation.ended_at is None else ItemStatus.LEFT
    found = {"": operation.total, left: operation.left}
    found |= {ItemStatus.DONE: operation.done, ItemStatus.REFUSED: operation.refused}
    return [
        Choice(
            label=value or "all",
            count=count,
            href=f"?{urlencode({'status': value} if value else {})}#items",
            is_current=value == current,
        )
        for value, count in found.items()
        if count or value == current
    ]


def _line(item: OperationItem) -> Line:
    if item.job is not None:
        return Line(item=item, href=reverse("admin:jobs_job_change", args=[item.job_id]), name=item.job.dataset.name)
    name = item.dataset.name if item.dataset else ""
    return Line(item=item, href=reverse("admin:datasets_dataset_change", args=[item.dataset_id]), name=name)
