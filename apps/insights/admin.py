"""Insights for operators: to look at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.datasets.admin import ReadOnlyAdmin
from apps.insights.models import Insight


@admin.register(Insight)
class InsightAdmin(ReadOnlyAdmin):
    list_display = ["kind", "department", "dataset", "computed_at", "items_total", "version", "summary"]
    list_filter = ["department", "kind"]
    search_fields = ["dataset__id", "dataset__name"]
    date_hierarchy = "computed_at"
    list_select_related = ["dataset"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Insight]:
        return super().get_queryset(request).defer("dataset__profile")
