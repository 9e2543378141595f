"""Insights for operators: to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from aetherflow.registry import departments
from apps.accounts.console import (
    ChoiceFilter,
    DepartmentFilter,
    FilteredAdmin,
    PeriodFilter,
    ReadOnlyAdmin,
    audit_address,
    moment,
    uuid_of,
)
from apps.insights.models import ChosenSetting, Insight, Review, ReviewEvent, Snooze


class KindFilter(ChoiceFilter):
    title, parameter, field = "kind", "kind", "kind"

    def options(self) -> list[tuple[str, str]]:
        kinds = {insight.kind for department in departments().values() for insight in department.insights}
        return [(kind, kind) for kind in sorted(kinds)]


class ComputedFilter(PeriodFilter):
    title, field = "computed", "computed_at"
    template = "admin/console/period_control.html"


@admin.register(Insight)
class InsightAdmin(FilteredAdmin):
    list_display = ["kind", "department", "dataset", "computed", "items_total", "version", "in_short"]
    list_filter = [DepartmentFilter, KindFilter, ComputedFilter]
    search_fields = ["dataset__name"]
    search_help_text = "A dataset's id, or words of its name"
    sortable_by = ()
    list_select_related = ["dataset"]
    readonly_fields = ["links"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Insight]:
        return super().get_queryset(request).defer("dataset__profile", "data")

    def get_fields(self, request: HttpRequest, obj: Insight | None = None) -> list[Any]:
        return ["links", *(name for name in super().get_fields(request, obj) if name != "links")]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Insight], search_term: str
    ) -> tuple[QuerySet[Insight], bool]:
        if dataset := uuid_of(search_term):
            return queryset.filter(dataset=dataset), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="computed (UTC)")
    def computed(self, insight: Insight) -> SafeString | str:
        return moment(insight.computed_at)

    @admin.display(description="summary")
    def in_short(self, insight: Insight) -> str:
        return Truncator(insight.summary).chars(120)

    @admin.display(description="leads to")
    def links(self, insight: Insight) -> SafeString:
        """Jobs stand above this app, which knows the address of their list alone."""
        return format_html(
            '<a href="{}">its upload</a>, <a href="{}?dataset={}">the jobs it came from</a>, '
            '<a href="{}">what was done to the upload</a>',
            reverse("admin:datasets_dataset_change", args=[insight.dataset_id]),
            reverse("admin:jobs_job_changelist"),
            insight.dataset_id,
            audit_address(target_id=str(insight.dataset_id)),
        )


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ["kind", "department", "subject", "verdict", "reviewed_by", "reviewed_at"]
    list_filter = ["department", "kind", "verdict"]
    search_fields = ["note"]
    list_select_related = ["reviewed_by"]


@admin.register(Snooze)
class SnoozeAdmin(ReadOnlyAdmin):
    list_display = ["kind", "department", "subject", "until", "snoozed_by", "snoozed_at"]
    list_filter = ["department", "kind"]
    search_fields = ["note"]
    list_select_related = ["snoozed_by"]


@admin.register(ReviewEvent)
class ReviewEventAdmin(ReadOnlyAdmin):
    list_display = ["kind", "department", "subject", "verdict", "until", "by", "at"]
    list_filter = ["department", "kind", "verdict"]
    list_select_related = ["by"]


@admin.register(ChosenSetting)
class ChosenSettingAdmin(ReadOnlyAdmin):
    list_display = ["kind", "name", "department", "value", "set_by", "set_at"]
    list_filter = ["department", "kind"]
    list_select_related = ["set_by"]
