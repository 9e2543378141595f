"""Insights for operators: to look at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.console import ReadOnlyAdmin
from apps.insights.models import ChosenSetting, Insight, Review, ReviewEvent, Snooze


@admin.register(Insight)
class InsightAdmin(ReadOnlyAdmin):
    list_display = ["kind", "department", "dataset", "computed_at", "items_total", "version", "summary"]
    list_filter = ["department", "kind"]
    search_fields = ["dataset__id", "dataset__name"]
    date_hierarchy = "computed_at"
    list_select_related = ["dataset"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Insight]:
        return super().get_queryset(request).defer("dataset__profile")


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
