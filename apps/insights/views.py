"""The dashboards: a department's latest insights and what they rest on."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import user_of
from apps.insights.models import Insight
from apps.insights.selectors import dashboard_for


class InsightOutput(serializers.ModelSerializer):
    dataset_id = serializers.UUIDField(read_only=True)
    quality = serializers.DictField(allow_null=True, read_only=True)
    data = serializers.DictField(  # type: ignore[assignment]
        read_only=True, help_text="Its shape goes with `kind`; see docs/api.md."
    )
    basis = serializers.DictField(read_only=True, help_text="Datasets and number of rows it was computed over.")

    class Meta:
        model = Insight
        fields = ["id", "kind", "dataset_id", "computed_at", "method", "quality", "summary", "basis", "data"]
        read_only_fields = fields


class LatestDatasetOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    rows = serializers.IntegerField()
    uploaded_at = serializers.DateTimeField()


class DashboardDatasetsOutput(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    latest = LatestDatasetOutput(allow_null=True)


class DashboardOutput(serializers.Serializer[Any]):
    department = serializers.CharField()
    last_updated = serializers.DateTimeField(allow_null=True)
    datasets = DashboardDatasetsOutput()
    insights = InsightOutput(many=True)


class DashboardInput(serializers.Serializer[Any]):
    dataset = serializers.UUIDField(required=False)


class DashboardView(APIView):
    @extend_schema(
        operation_id="dashboards_get",
        parameters=[OpenApiParameter("dataset", UUID, description="Only the insights of this upload's run.")],
        responses=DashboardOutput,
    )
    def get(self, request: Request, department: str) -> Response:
        """The latest insights of the department."""
        asked = DashboardInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        dashboard = dashboard_for(user_of(request), department, dataset_id=asked.validated_data.get("dataset"))
        return Response(DashboardOutput(dashboard).data)
