"""A department's latest insights and what they rest on, one insight, and the settings they are computed with."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import user_of
from apps.insights.help import help_for
from apps.insights.models import Insight
from apps.insights.selectors import (
    HEAD,
    dashboard_for,
    insight_for,
    settings_for,
    subject_of,
    with_figures_before,
    with_heads,
)


class GivenOutput(serializers.Serializer[Any]):
    settings = serializers.DictField(child=serializers.FloatField())
    reviews = serializers.SerializerMethodField(help_text="How many reviews of items it knew of.")

    def get_reviews(self, given: dict[str, Any]) -> int:
        return len(given.get("reviews", ()))

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return super().to_representation({"settings": {}, **instance})


class SinceOutput(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField(source="compared_with_id")
    dataset_name = serializers.CharField(source="compared_with.name")
    summary = serializers.CharField(source="since")
    figures = serializers.DictField(
        child=serializers.FloatField(),
        source="figures_before",
        help_text="Those of that upload's insight; none where it was computed anew with later rows.",
    )


class InsightOutput(serializers.ModelSerializer):
    dataset_id = serializers.UUIDField(read_only=True)
    parameters = serializers.DictField(read_only=True, help_text="The constants and settings that the numbers hang on.")
    quality = serializers.DictField(allow_null=True, read_only=True)
    data = serializers.DictField(  # type: ignore[assignment]
        read_only=True,
        help_text=f"Its shape goes with `kind`; see docs/api.md. Of a ranking `items` holds the first, {HEAD:,} unless "
        "fewer are asked for.",
    )
    items_total = serializers.IntegerField(
        allow_null=True, read_only=True, help_text="How many items the ranking has; null where it is none."
    )
    subject = serializers.SerializerMethodField(help_text="The fields of an item that say which one it is.")
    basis = serializers.DictField(
        read_only=True,
        help_text="Datasets, the rows of each (`rows_of`), the number of rows that count together, and the versions of "
        "the `libraries` it was computed with.",
    )
    given = GivenOutput(read_only=True)
    figures = serializers.SerializerMethodField(
        help_text="What it comes to in a few numbers; their names go with `kind`."
    )
    since = serializers.SerializerMethodField(
        help_text="What has changed since the upload before, and which that was; null where there is nothing to tell."
    )
    sha256 = serializers.CharField(
        read_only=True, help_text="Of what came out: the same rows and the same `given` come to the same."
    )

    class Meta:
        model = Insight
        fields = [
            "id",
            "kind",
            "dataset_id",
            "computed_at",
            "method",
            "version",
            "parameters",
            "given",
            "basis",
            "sha256",
            "quality",
            "summary",
            "figures",
            "since",
            "subject",
            "items_total",
            "data",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(child=serializers.FloatField()))
    def get_figures(self, insight: Insight) -> dict[str, float]:
        return getattr(insight, "figures", None) or {}

    @extend_schema_field(SinceOutput(allow_null=True))
    def get_since(self, insight: Insight) -> dict[str, Any] | None:
        return dict(SinceOutput(insight).data) if insight.compared_with_id else None

    def get_subject(self, insight: Insight) -> list[str]:
        return list(subject_of(insight))


class LatestDatasetOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    rows = serializers.IntegerField(help_text="Loaded of its own file.")
    rejected = serializers.IntegerField(help_text="Rows of its own file that were rejected.")
    uploaded_at = serializers.DateTimeField()


class DashboardDatasetsOutput(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="All uploads that were not undone, refused ones too.")
    loaded = serializers.IntegerField(help_text="Those whose rows are loaded: what insights can rest on.")
    latest = LatestDatasetOutput(allow_null=True, help_text="The newest of those that are loaded.")


class DashboardOutput(serializers.Serializer[Any]):
    department = serializers.CharField()
    last_updated = serializers.DateTimeField(allow_null=True)
    datasets = DashboardDatasetsOutput()
    insights = InsightOutput(many=True)


class InsightInput(serializers.Serializer[Any]):
    items = serializers.IntegerField(min_value=0, max_value=HEAD, default=HEAD)


class DashboardInput(InsightInput):
    dataset = serializers.UUIDField(required=False)


_ITEMS = OpenApiParameter(
    "items", {"type": "integer", "minimum": 0, "maximum": HEAD}, description="How many of a ranking `data.items` holds."
)


# Thousands of items are megabytes as text, and a tenth of that compressed.
@method_decorator(gzip_page, name="dispatch")
class DashboardView(APIView):
    @extend_schema(
        operation_id="dashboards_get",
        parameters=[OpenApiParameter("dataset", UUID, description="Only the insights of this upload's run."), _ITEMS],
        responses=DashboardOutput,
    )
    def get(self, request: Request, department: str) -> Response:
        """The latest insights of the department."""
        asked = DashboardInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        dashboard = dashboard_for(
            user_of(request),
            department,
            dataset_id=wanted.get("dataset"),
            items=wanted["items"],
            at=timezone.now(),
        )
        return Response(DashboardOutput(dashboard).data)


@method_decorator(gzip_page, name="dispatch")
class InsightView(APIView):
    @extend_schema(operation_id="insights_get", parameters=[_ITEMS], responses=InsightOutput)
    def get(self, request: Request, insight_id: UUID) -> Response:
        """One insight with the head of its ranking. Computed anew it has another id."""
        asked = InsightInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        insight = insight_for(user_of(request), insight_id)
        with_heads([insight], most=asked.validated_data["items"], at=timezone.now())
        with_figures_before([insight])
        return Response(InsightOutput(insight).data)


class SettingOutput(serializers.Serializer[Any]):
    kind = serializers.CharField()
    name = serializers.CharField()
    # The API says `label` and `default` of a setting; DRF has attributes of these names.
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    value = serializers.FloatField()
    default = serializers.FloatField()  # type: ignore[assignment]
    least = serializers.FloatField()
    most = serializers.FloatField()
    set_by = serializers.CharField(allow_null=True)
    set_at = serializers.DateTimeField(allow_null=True)


class SettingsOutput(serializers.Serializer[Any]):
    department = serializers.CharField()
    settings = SettingOutput(many=True)


class SettingsView(APIView):
    @extend_schema(operation_id="dashboards_settings", responses=SettingsOutput)
    def get(self, request: Request, department: str) -> Response:
        """The numbers that the department's insights are computed with, and who chose them."""
        settings = settings_for(user_of(request), department)
        return Response(SettingsOutput({"department": department, "settings": settings}).data)


class HelpOutput(serializers.Serializer[Any]):
    figures = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))


class InsightHelpView(APIView):
    @extend_schema(operation_id="insights_help", responses=HelpOutput)
    def get(self, request: Request) -> Response:
        """What the figures of the insights mean: by kind, then by the figure's name."""
        return Response(HelpOutput({"figures": help_for(user_of(request))}).data)
