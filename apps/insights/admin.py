"""Insights for operators: to look at."""

from django.contrib import admin

from apps.datasets.admin import ReadOnlyAdmin
from apps.insights.models import Insight


@admin.register(Insight)
class InsightAdmin(ReadOnlyAdmin):
    list_display = ["kind", "department", "dataset", "computed_at", "method", "summary"]
    list_filter = ["department", "kind"]
    search_fields = ["dataset__id", "dataset__name"]
    date_hierarchy = "computed_at"
    list_select_related = ["dataset"]
