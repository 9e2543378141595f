"""Datasets, their rows, rejects and raw files, and the data dictionary. Each view: shape in, one call, answer."""

import csv
import io
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aetherflow.department import Department
from aetherflow.etl.corrections import ANNOTATIONS
from aetherflow.registry import department as find_department
from apps.accounts.authentication import user_of
from apps.accounts.exports import csv_response
from apps.accounts.pagination import LIMIT, ListPagination
from apps.accounts.selectors import departments_of, require_department
from apps.datasets.filters import MomentFilter, TotalOrderingFilter
from apps.datasets.models import Dataset, HeaderMapping
from apps.datasets.pagination import RejectPagination, RowPagination
from apps.datasets.selectors import (
    clean_rows,
    column_names,
    dataset_for,
    datasets_for,
    mapping_for,
    mappings_for,
    profile_for,
    rejected_lines,
    rejects_header,
    rejects_of,
    rows_where,
    with_corrections,
)
from apps.datasets.serializers import (
    KINDS,
    DatasetDetailOutput,
    DatasetOutput,
    HeaderMappingOutput,
    ProfileOutput,
    RejectOutput,
    RejectTotalsOutput,
)
from apps.datasets.services import forget_mapping
from apps.datasets.storage import open_raw

_CSV = {(200, "text/csv"): OpenApiTypes.BINARY}


class DatasetFilter(filters.FilterSet):
    uploaded_after = MomentFilter(field_name="uploaded_at", lookup_expr="gte")
    uploaded_before = MomentFilter(field_name="uploaded_at", lookup_expr="lt")
    search = filters.CharFilter(field_name="name", lookup_expr="icontains")
    ordering = TotalOrderingFilter(
        fields={"number": "uploaded_at", "name": "name", "rows_loaded": "rows", "size_bytes": "size_bytes"}
    )

    class Meta:
        model = Dataset
        fields = ["department"]


@extend_schema_view(get=extend_schema(operation_id="datasets_list"))
class DatasetListView(generics.ListAPIView):
    """The department's uploads, newest first."""

    serializer_class = DatasetOutput
    pagination_class = ListPagination
    filterset_class = DatasetFilter
    queryset = Dataset.objects.none()

    def get_queryset(self) -> Any:
        return with_corrections(datasets_for(user_of(self.request)))


class DatasetView(APIView):
    @extend_schema(operation_id="datasets_get", responses=DatasetDetailOutput)
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """One upload: what was read, how, how many rows it gave, and which newer uploads have some of them anew."""
        return Response(DatasetDetailOutput(dataset_for(user_of(request), dataset_id)).data)


class RowsPage(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = serializers.ListField(
        child=serializers.DictField(), help_text="Each row: `line` of the file and the department's columns."
    )


class RowsInput(serializers.Serializer[Any]):
    column = serializers.CharField(required=False)
    value = serializers.CharField(required=False, allow_blank=True, default="", max_length=1_000)
    ordering = serializers.ChoiceField(choices=["line", "-line"], required=False)


_WHERE = [
    OpenApiParameter("column", str, description="Only rows with `value` in this column."),
    OpenApiParameter(
        "value", str, description="A part of a text, or the very number or day (2026-03-31); empty: empty cells."
    ),
]


def _asked_rows(request: Request, dataset: Dataset) -> Any:
    asked = RowsInput(data=request.query_params)
    asked.is_valid(raise_exception=True)
    column = asked.validated_data.get("column")
    if column is None:
        return clean_rows(dataset)
    return rows_where(dataset, column=column, value=asked.validated_data["value"])


class DatasetRowsView(generics.GenericAPIView):
    pagination_class = RowPagination
    queryset = Dataset.objects.none()
    filter_backends = []

    @extend_schema(
        operation_id="datasets_rows",
        parameters=[
            OpenApiParameter("cursor", str, description="Which page; `next` and `previous` hold it."),
            OpenApiParameter("limit", LIMIT, description="Rows a page, at most 1000; 50 where it is missing."),
            OpenApiParameter("ordering", str, enum=["line", "-line"], description="From the first line, or the last."),
            *_WHERE,
        ],
        responses=RowsPage,
    )
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """The clean rows, by line of the file, a page at a time (follow `next`)."""
        rows = _asked_rows(request, dataset_for(user_of(request), dataset_id))
        return self.get_paginated_response(self.paginate_queryset(rows))


class DatasetRowsCsvView(APIView):
    @extend_schema(operation_id="datasets_rows_csv", parameters=_WHERE, responses=_CSV)
    def get(self, request: Request, dataset_id: UUID) -> HttpResponseBase:
        """All clean rows, or those asked for, as CSV, safe to open in a spreadsheet."""
        dataset = dataset_for(user_of(request), dataset_id)
        names = column_names(dataset.department)
        rows = _asked_rows(request, dataset).values_list(*names).iterator(chunk_size=2000)
        return csv_response(names, rows, filename=f"{dataset.department}-{dataset.pk}-rows.csv")


class RejectsPage(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    totals = RejectTotalsOutput(help_text="Of the whole file, so that a list that is cut is seen to be.")
    results = RejectOutput(many=True)


class DatasetRejectsView(generics.GenericAPIView):
    pagination_class = RejectPagination
    queryset = Dataset.objects.none()
    filter_backends = []

    @extend_schema(
        operation_id="datasets_rejects",
        parameters=[
            OpenApiParameter("cursor", str, description="Which page; `next` and `previous` hold it."),
            OpenApiParameter("limit", LIMIT, description="Faults a page, at most 1000; 50 where it is missing."),
        ],
        responses=RejectsPage,
    )
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """What was wrong, cell by cell, by line of the file, a page at a time (follow `next`)."""
        dataset = dataset_for(user_of(request), dataset_id)
        faults = self.paginate_queryset(rejects_of(dataset))
        page = self.get_paginated_response(RejectOutput(faults, many=True).data)
        page.data["totals"] = RejectTotalsOutput(dataset.reject_totals()).data
        return page


class DatasetRejectsCsvView(APIView):
    @extend_schema(
        operation_id="datasets_rejects_csv",
        responses=_CSV,
        parameters=[
            OpenApiParameter(
                "X-Rejects-Total",
                int,
                OpenApiParameter.HEADER,
                response=True,
                description="Rejected lines of the file.",
            ),
            OpenApiParameter(
                "X-Rejects-Listed",
                int,
                OpenApiParameter.HEADER,
                response=True,
                description="How many of them this CSV holds; where not all, its name says so too.",
            ),
        ],
    )
    def get(self, request: Request, dataset_id: UUID) -> HttpResponseBase:
        """The rejected lines as they were, with `error_code` and `error` added: mend them and upload the file with
        `corrects`.
        """
        dataset = dataset_for(user_of(request), dataset_id)
        total, listed = dataset.rejected_lines, dataset.listed_lines
        share = f"-{listed}-of-{total}" if listed < total else ""
        answer = csv_response(
            [*rejects_header(dataset), *ANNOTATIONS],
            ([*cells, codes, messages] for cells, codes, messages in rejected_lines(dataset)),
            filename=f"{dataset.department}-{dataset.pk}-rejects{share}.csv",
        )
        answer["X-Rejects-Total"], answer["X-Rejects-Listed"] = str(total), str(listed)
        return answer


class DatasetProfileView(APIView):
    @extend_schema(operation_id="datasets_profile", responses=ProfileOutput)
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """What each column holds, and what has changed since the upload before; 409 (`not-profiled`) until loaded."""
        return Response(ProfileOutput(profile_for(user_of(request), dataset_id)).data)


class DatasetRawView(APIView):
    @extend_schema(operation_id="datasets_raw", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, dataset_id: UUID) -> HttpResponseBase:
        """The uploaded file, byte for byte."""
        dataset = dataset_for(user_of(request), dataset_id)
        stream = open_raw(dataset.key)
        return StreamingHttpResponse(
            stream,
            content_type="application/octet-stream",
            headers={
                "Content-Length": str(stream.size_bytes),
                "Content-Disposition": content_disposition_header(True, dataset.original_filename),  # noqa: FBT003
            },
        )


class ColumnOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    # The API says `required` and `label` of a column; DRF has attributes of these names.
    required = serializers.BooleanField(help_text="The header must be there.")  # type: ignore[assignment]
    nullable = serializers.BooleanField(help_text="A cell may be empty.")
    description = serializers.CharField()
    example = serializers.CharField()
    max_length = serializers.IntegerField(allow_null=True)
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())
    aliases = serializers.ListField(
        child=serializers.CharField(),
        help_text="Other labels that are read as this column. Case, spaces, underscores, hyphens and dots make no "
        "difference; the column's own name wins where a file has both.",
    )


class SchemaOutput(serializers.Serializer[Any]):
    """The data dictionary of a department."""

    department = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    table = serializers.CharField()
    description = serializers.CharField()
    natural_key = serializers.ListField(child=serializers.CharField())
    max_reject_share = serializers.FloatField()
    columns = ColumnOutput(many=True)


def _dictionary(department: Department) -> dict[str, Any]:
    return {
        "department": department.slug,
        "label": department.label,
        "table": department.table,
        "description": (department.rows.__doc__ or "").strip(),
        "natural_key": department.natural_key,
        "max_reject_share": department.max_reject_share,
        "columns": [
            {
                "name": column.name,
                "kind": column.kind,
                "required": column.required,
                "nullable": column.nullable,
                "description": column.description,
                "example": column.example,
                "max_length": column.max_length,
                "minimum": column.minimum,
                "maximum": column.maximum,
                "choices": column.choices,
                "aliases": sorted(alias for alias, name in department.aliases.items() if name == column.name),
            }
            for column in department.columns
        ],
    }


class SchemaListView(APIView):
    @extend_schema(operation_id="schemas_list", responses=SchemaOutput(many=True))
    def get(self, request: Request) -> Response:
        """The data dictionaries of the departments this user may upload to."""
        mine = [find_department(slug) for slug in departments_of(user_of(request))]
        return Response(SchemaOutput([_dictionary(each) for each in mine], many=True).data)


class SchemaView(APIView):
    @extend_schema(operation_id="schemas_get", responses=SchemaOutput)
    def get(self, request: Request, department: str) -> Response:
        """The data dictionary of one department: what its file must hold."""
        require_department(user_of(request), department)
        return Response(SchemaOutput(_dictionary(find_department(department))).data)


class SchemaTemplateView(APIView):
    @extend_schema(operation_id="schemas_template", responses=_CSV)
    def get(self, request: Request, department: str) -> HttpResponseBase:
        """A CSV to fill in: the header and worked example rows."""
        require_department(user_of(request), department)
        template = find_department(department).template_csv()
        rows = list(csv.reader(io.StringIO(template)))
        return csv_response(rows[0], rows[1:], filename=f"{department}-template.csv")


@extend_schema_view(get=extend_schema(operation_id="schemas_mappings"))
class SchemaMappingListView(generics.ListAPIView):
    """What is remembered of the department's headers, newest first: which label was said to mean which column."""

    serializer_class = HeaderMappingOutput
    pagination_class = ListPagination
    queryset = HeaderMapping.objects.none()
    filter_backends = []

    def get_queryset(self) -> Any:
        user, department = user_of(self.request), self.kwargs["department"]
        require_department(user, department)
        return mappings_for(user, department=department)


class SchemaMappingView(APIView):
    @extend_schema(operation_id="schemas_mappings_forget", responses={204: None})
    def delete(self, request: Request, department: str, mapping_id: UUID) -> Response:
        """Forget a mapping: files with these labels are read by names and aliases again. What is loaded stays."""
        user = user_of(request)
        require_department(user, department)
        forget_mapping(mapping_for(user, mapping_id, department=department), by=user, at=timezone.now())
        return Response(status=204)
