"""Datasets for operators: to look at. What changes one goes through the services, never through a form."""

import json
import re
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.accounts.console import (
    CappedPaginator,
    ChoiceFilter,
    DepartmentFilter,
    FilteredAdmin,
    ReadOnlyAdmin,
    audit_address,
    moment,
    uuid_of,
)
from apps.datasets.models import Dataset, HeaderMapping, Reject
from apps.datasets.selectors import clean_rows, column_names

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "department",
        "uploaded_by",
        "uploaded",
        "rows_loaded",
        "rows_rejected",
        "deleted_at",
    ]
    list_filter = [
        "department",
        ("loaded_at", admin.EmptyFieldListFilter),
        ("deleted_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["name", "original_filename"]
    search_help_text = "A dataset's id, a file's SHA-256, or words of their names"
    list_select_related = ["uploaded_by"]
    paginator = CappedPaginator
    show_full_result_count = False
    sortable_by = ()
    readonly_fields = ["links", "audit", "size", "loaded", "input", "found", "said", "faults"]
    fieldsets = [
        (None, {"fields": ["name", "description", "department", "links", "audit"]}),
        (
            "What was uploaded",
            {"fields": ["original_filename", "input", "size", "sha256", "uploaded_by", "uploaded_at"]},
        ),
        ("How it was read", {"fields": ["said", "found", "on_error", "max_reject_share", "corrects"]}),
        ("What came of it", {"fields": ["loaded_at", "loaded", "faults", "rows_bucket", "number"]}),
        ("Undone", {"fields": ["deleted_at", "deleted_by"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Dataset], search_term: str
    ) -> tuple[QuerySet[Dataset], bool]:
        sought = search_term.strip()
        if dataset := uuid_of(sought):
            return queryset.filter(pk=dataset), False
        if _SHA256.fullmatch(sought):
            return queryset.filter(sha256=sought.lower()), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="uploaded (UTC)")
    def uploaded(self, dataset: Dataset) -> SafeString | str:
        return moment(dataset.uploaded_at)

    @admin.display(description="leads to")
    def links(self, dataset: Dataset) -> SafeString:
        """Jobs and insights stand above this app, which knows the addresses of their pages alone."""
        jobs = f"{reverse('admin:jobs_job_changelist')}?dataset={dataset.pk}"
        insights = f"{reverse('admin:insights_insight_changelist')}?q={dataset.pk}"
        rejects = f"{reverse('admin:datasets_reject_changelist')}?q={dataset.pk}"
        return format_html_join(
            ", ",
            '<a href="{}">{}</a>',
            [
                (reverse("admin:datasets_dataset_rows", args=[dataset.pk]), f"{dataset.rows_loaded} clean rows"),
                (rejects, "rejected rows"),
                (jobs, "its jobs"),
                (insights, "its insights"),
            ],
        )

    @admin.display(description="audit")
    def audit(self, dataset: Dataset) -> SafeString:
        return format_html('<a href="{}">what was done to it</a>', audit_address(target_id=str(dataset.pk)))

    @admin.display(description="key")
    def input(self, dataset: Dataset) -> str:
        return f"{dataset.bucket} / {dataset.key}"

    @admin.display(description="size")
    def size(self, dataset: Dataset) -> str:
        return f"{filesizeformat(dataset.size_bytes)} ({dataset.size_bytes} bytes)"

    @admin.display(description="rows")
    def loaded(self, dataset: Dataset) -> str:
        return ", ".join(f"{count} {what}" for what, count in dataset.counts().items())

    @admin.display(description="read as")
    def found(self, dataset: Dataset) -> str:
        return str(dataset.reading.get("summary", "-"))

    @admin.display(description="said by the uploader")
    def said(self, dataset: Dataset) -> str:
        return json.dumps(dataset.read_options, ensure_ascii=False) if dataset.read_options else "-"

    @admin.display(description="faults")
    def faults(self, dataset: Dataset) -> str:
        return ", ".join(f"{count} {code}" for code, count in sorted(dataset.rejects_by_code.items())) or "-"

    def get_urls(self) -> list[Any]:
        rows = path("<uuid:pk>/rows/", self.admin_site.admin_view(self.rows_view), name="datasets_dataset_rows")
        return [rows, *super().get_urls()]

    def rows_view(self, request: HttpRequest, pk: object) -> HttpResponse:
        """The clean tables have composite keys, which the admin cannot register: they are looked at from here."""
        if not self.has_view_permission(request):
            raise PermissionDenied
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


class WhoseFilter(DepartmentFilter):
    field = "dataset__department"


class CodeFilter(ChoiceFilter):
    title, parameter, field, placeholder = "code", "code", "code", "such as type-error"


@admin.register(Reject)
class RejectAdmin(FilteredAdmin):
    list_display = ["dataset", "line", "column", "value", "code", "message"]
    list_filter = [WhoseFilter, CodeFilter]
    # What is searched says `get_search_results`; without a field there is no search at all.
    search_fields = ["id"]
    search_help_text = "A dataset's id, or words of a message"
    sortable_by = ()
    list_select_related = ["dataset"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reject]:
        return super().get_queryset(request).defer("dataset__profile")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Reject],
        search_term: str,
    ) -> tuple[QuerySet[Reject], bool]:
        sought = search_term.strip()
        if dataset := uuid_of(sought):
            return queryset.filter(dataset=dataset), False
        return queryset.filter(message__icontains=sought) if sought else queryset, False
