"""Datasets for operators: to look at. What changes one goes through the services, never through a form."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from apps.accounts.console import ReadOnlyAdmin, audit_address
from apps.datasets.models import Dataset, HeaderMapping, Reject
from apps.datasets.selectors import clean_rows, column_names


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "department",
        "uploaded_by",
        "uploaded_at",
        "rows_loaded",
        "rows_rejected",
        "deleted_at",
    ]
    list_filter = [
        "department",
        ("loaded_at", admin.EmptyFieldListFilter),
        ("deleted_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["name", "original_filename", "id", "sha256"]
    date_hierarchy = "uploaded_at"
    list_select_related = ["uploaded_by"]
    readonly_fields = ["clean_rows_link", "audit"]

    @admin.display(description="clean rows")
    def clean_rows_link(self, dataset: Dataset) -> str:
        address = reverse("admin:datasets_dataset_rows", args=[dataset.pk])
        return format_html('<a href="{}">{} rows</a>', address, dataset.rows_loaded)

    @admin.display(description="audit")
    def audit(self, dataset: Dataset) -> str:
        return format_html('<a href="{}">what was done to it</a>', audit_address(target_id=str(dataset.pk)))

    def get_urls(self) -> list[Any]:
        rows = path("<uuid:pk>/rows/", self.admin_site.admin_view(self.rows_view), name="datasets_dataset_rows")
        return [rows, *super().get_urls()]

    def rows_view(self, request: HttpRequest, pk: object) -> HttpResponse:
        """The clean tables have composite keys, which the admin cannot register: they are looked at from here."""
        dataset = get_object_or_404(Dataset, pk=pk)
        names = column_names(dataset.department)
        page = Paginator(clean_rows(dataset).values_list(*names), 100).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Clean rows of {dataset.name}",
            "opts": self.opts,
            "original": dataset,
            "columns": names,
            "page": page,
        }
        return TemplateResponse(request, "admin/datasets/dataset/rows.html", context)


@admin.register(HeaderMapping)
class HeaderMappingAdmin(ReadOnlyAdmin):
    list_display = ["department", "mapping", "given_by", "given_at"]
    list_filter = ["department"]
    list_select_related = ["given_by"]


@admin.register(Reject)
class RejectAdmin(ReadOnlyAdmin):
    list_display = ["dataset", "line", "column", "value", "code", "message"]
    list_filter = ["code", "dataset__department"]
    search_fields = ["dataset__id", "message"]
    list_select_related = ["dataset"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reject]:
        return super().get_queryset(request).defer("dataset__profile")
