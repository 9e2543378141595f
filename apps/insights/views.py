"""The dashboards: a department's latest insights and what they rest on; one insight, and the whole of its ranking."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import user_of
from apps.datasets.pagination import ListPagination
from apps.insights.help import help_for
from apps.insights.models import Insight, InsightItem, Review, Verdict
from apps.insights.selectors import (
    HEAD,
    dashboard_for,
    insight_for,
    items_of,
    page_of,
    review_for,
    reviews_for,
    settings_for,
    subject_of,
    with_figures_before,
    with_heads,
)
from apps.insights.services.reviewing import MOST_AT_ONCE, review, review_all, take_back, take_back_all

VERDICT_OR_OPEN = [*Verdict.choices, ("open", "what was said is taken back")]
SEVERITIES = [(word, word) for word in ("critical", "high", "medium", "low")]


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
        help_text=f"Its shape goes with `kind`; see docs/api.md. Of a ranking `items` holds the first {HEAD:,}.",
    )
    items_total = serializers.IntegerField(
        allow_null=True, read_only=True, help_text="How many items the ranking has; null where it is none."
    )
    subject = serializers.SerializerMethodField(help_text="The fields of an item that say which one it is.")
    basis = serializers.DictField(
        read_only=True, help_text="Datasets, the rows of each (`rows_of`), and the number of rows that count together."
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


class InsightView(APIView):
    @extend_schema(operation_id="insights_get", responses=InsightOutput)
    def get(self, request: Request, insight_id: UUID) -> Response:
        """One insight with the head of its ranking. Computed anew it has another id."""
        insight = insight_for(user_of(request), insight_id)
        with_heads([insight])
        with_figures_before([insight])
        return Response(InsightOutput(insight).data)


class ItemPagination(ListPagination):
    default_limit = 50
    max_limit = 1_000


class ItemFilter(filters.FilterSet):
    worth_review = filters.BooleanFilter()
    severity = filters.MultipleChoiceFilter(choices=SEVERITIES)

    class Meta:
        model = InsightItem
        fields: list[str] = []


class ItemsPage(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = serializers.ListField(
        child=serializers.DictField(), help_text="Each item as in `data`, and its `rank`, from 1, the worst."
    )


class InsightItemsView(generics.GenericAPIView):
    pagination_class = ItemPagination
    filterset_class = ItemFilter
    queryset = InsightItem.objects.none()

    @extend_schema(
        operation_id="insights_items",
        parameters=[
            OpenApiParameter("limit", int, description="Items a page, at most 1000; 50 where it is missing."),
            OpenApiParameter("offset", int, description="How many to pass over."),
            OpenApiParameter("worth_review", bool, description="Only those that are worth a person's time, or not."),
            OpenApiParameter(
                "severity",
                str,
                many=True,
                enum=[word for word, _ in SEVERITIES],
                description="Only those of this severity; may be repeated.",
            ),
        ],
        responses=ItemsPage,
    )
    def get(self, request: Request, insight_id: UUID) -> Response:
        """The whole ranking, worst first, a page at a time."""
        insight = insight_for(user_of(request), insight_id)
        items = self.paginate_queryset(self.filter_queryset(items_of(insight))) or []
        return self.get_paginated_response(page_of(insight, items))


class SubjectField(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        child = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=10_000)
        super().__init__(child=child, min_length=1, max_length=20, **options)


class NoteField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=2_000, required=False, allow_blank=True, default="", **options)


class ReviewInput(serializers.Serializer[Any]):
    subject = SubjectField(help_text="The item's values of the insight's `subject`, in its order.")
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    note = NoteField()


class BulkReviewInput(serializers.Serializer[Any]):
    subjects = serializers.ListField(
        child=SubjectField(),
        min_length=1,
        max_length=MOST_AT_ONCE,
        help_text=f"Of each item its values of the insight's `subject`; at most {MOST_AT_ONCE} items.",
    )
    verdict = serializers.ChoiceField(choices=VERDICT_OR_OPEN, help_text="`open` takes reviews back.")
    note = NoteField()


class ReviewOutput(serializers.ModelSerializer):
    reviewed_by = serializers.CharField(source="reviewed_by.full_name", read_only=True)

    class Meta:
        model = Review
        fields = ["id", "kind", "subject", "verdict", "note", "reviewed_by", "reviewed_at"]
        read_only_fields = fields


@extend_schema_view(get=extend_schema(operation_id="insights_reviews"))
class ReviewListView(generics.ListAPIView):
    """What the department says of items of this kind of insight, newest first."""

    serializer_class = ReviewOutput
    pagination_class = ListPagination
    queryset = Review.objects.none()
    filter_backends = []

    def get_queryset(self) -> Any:
        user = user_of(self.request)
        return reviews_for(user, insight_for(user, self.kwargs["insight_id"]))

    @extend_schema(operation_id="insights_reviews_put", request=ReviewInput, responses=ReviewOutput)
    def put(self, request: Request, insight_id: UUID) -> Response:
        """Say of an item that it is acknowledged, expected, confirmed or fixed. It shows at once, in place of what was
        said before; what turned out counts in what is computed later.
        """
        insight = insight_for(user_of(request), insight_id)
        said = ReviewInput(data=request.data)
        said.is_valid(raise_exception=True)
        kept = review(insight=insight, **said.validated_data, by=user_of(request), at=timezone.now())
        return Response(ReviewOutput(kept).data)


class ReviewsOutput(serializers.Serializer[Any]):
    results = ReviewOutput(many=True)


class BulkReviewView(APIView):
    @extend_schema(operation_id="insights_reviews_put_bulk", request=BulkReviewInput, responses=ReviewsOutput)
    def put(self, request: Request, insight_id: UUID) -> Response:
        """Say the same of several items, of all or of none. The answer holds what is said of them now."""
        user = user_of(request)
        insight = insight_for(user, insight_id)
        asked = BulkReviewInput(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        if said["verdict"] == "open":
            take_back_all(insight=insight, subjects=said["subjects"], by=user, at=timezone.now())
            return Response(ReviewsOutput({"results": []}).data)
        return Response(
            ReviewsOutput({"results": review_all(insight=insight, **said, by=user, at=timezone.now())}).data
        )


class ReviewView(APIView):
    @extend_schema(operation_id="insights_reviews_delete", responses={204: None})
    def delete(self, request: Request, insight_id: UUID, review_id: UUID) -> Response:
        """Take a review back: the item is open again."""
        user = user_of(request)
        take_back(review_for(user, insight_for(user, insight_id), review_id), by=user, at=timezone.now())
        return Response(status=204)


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
