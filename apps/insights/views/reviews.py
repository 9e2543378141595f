"""What people say of items: what came of it, or that it can wait."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import user_of
from apps.accounts.fields import TextField
from apps.accounts.pagination import ListPagination
from apps.insights.models import Insight, Review, Snooze, Verdict
from apps.insights.selectors import insight_for, review_for, reviews_for, subjects_found
from apps.insights.services.naming import MOST_AT_ONCE
from apps.insights.services.reviewing import review, review_all, take_back, take_back_all
from apps.insights.services.snoozing import snooze_all, wake_all
from apps.insights.views.items import wanted_in

VERDICT_OR_OPEN = [*Verdict.choices, ("open", "what was said is taken back")]


class SubjectField(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        child = TextField(allow_blank=True, trim_whitespace=False, max_length=10_000)
        super().__init__(child=child, min_length=1, max_length=20, **options)


class NoteField(TextField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=2_000, required=False, allow_blank=True, default="", **options)


class ReviewInput(serializers.Serializer[Any]):
    subject = SubjectField(help_text="The item's values of the insight's `subject`, in its order.")
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    note = NoteField()


class MatchingInput(serializers.Serializer[Any]):
    filters = serializers.DictField(
        help_text="Those of the items: `state`, `severity` and facets as lists; `worth_review`, `focus`, `q`."
    )
    count = serializers.IntegerField(
        min_value=1, help_text="How many items a person was shown; 409 `other-count` where it is not so many."
    )


class SeveralInput(serializers.Serializer[Any]):
    """Items that are named one by one, or all that match."""

    subjects = serializers.ListField(
        child=SubjectField(),
        required=False,
        min_length=1,
        max_length=MOST_AT_ONCE,
        help_text=f"Of each item its values of the insight's `subject`; at most {MOST_AT_ONCE:,} items.",
    )
    matching = MatchingInput(
        required=False, help_text=f"Instead of `subjects`: all that match, {MOST_AT_ONCE:,} at most."
    )
    note = NoteField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("subjects" in attrs) == ("matching" in attrs):
            raise serializers.ValidationError({"subjects": "Give either `subjects` or `matching`."})
        return attrs


def _subjects(insight: Insight, said: Mapping[str, Any], *, at: datetime) -> Sequence[Sequence[str]]:
    if "subjects" in said:
        named: Sequence[Sequence[str]] = said["subjects"]
        return named
    asked = said["matching"]
    wanted = wanted_in(insight, asked["filters"])
    return subjects_found(insight, wanted, count=asked["count"], most=MOST_AT_ONCE, at=at)


class BulkReviewInput(SeveralInput):
    verdict = serializers.ChoiceField(choices=VERDICT_OR_OPEN, help_text="`open` takes reviews and snoozes back.")


class SnoozeInput(SeveralInput):
    until = serializers.DateField(
        allow_null=True,
        help_text="The first day (UTC) on which they do not wait any more, within a year; null: they are woken.",
    )


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
        user, now = user_of(request), timezone.now()
        insight = insight_for(user, insight_id)
        asked = BulkReviewInput(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        subjects = _subjects(insight, said, at=now)
        if said["verdict"] == "open":
            take_back_all(insight=insight, subjects=subjects, by=user, at=now)
            return Response(ReviewsOutput({"results": []}).data)
        kept = review_all(
            insight=insight, subjects=subjects, verdict=said["verdict"], note=said["note"], by=user, at=now
        )
        return Response(ReviewsOutput({"results": kept}).data)


class ReviewView(APIView):
    @extend_schema(operation_id="insights_reviews_delete", responses={204: None})
    def delete(self, request: Request, insight_id: UUID, review_id: UUID) -> Response:
        """Take a review back: the item is open again."""
        user = user_of(request)
        take_back(review_for(user, insight_for(user, insight_id), review_id), by=user, at=timezone.now())
        return Response(status=204)


class SnoozeOutput(serializers.ModelSerializer):
    snoozed_by = serializers.CharField(source="snoozed_by.full_name", read_only=True)

    class Meta:
        model = Snooze
        fields = ["id", "kind", "subject", "until", "note", "snoozed_by", "snoozed_at"]
        read_only_fields = fields


class SnoozesOutput(serializers.Serializer[Any]):
    results = SnoozeOutput(many=True)


class SnoozeView(APIView):
    @extend_schema(operation_id="insights_snooze", request=SnoozeInput, responses=SnoozesOutput)
    def put(self, request: Request, insight_id: UUID) -> Response:
        """Let items wait until a day, or until they get worse, or wake them: all or none. The answer holds what waits
        now.
        """
        user, now = user_of(request), timezone.now()
        insight = insight_for(user, insight_id)
        asked = SnoozeInput(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        subjects = _subjects(insight, said, at=now)
        if said["until"] is None:
            wake_all(insight=insight, subjects=subjects, by=user, at=now)
            return Response(SnoozesOutput({"results": []}).data)
        kept = snooze_all(insight=insight, subjects=subjects, until=said["until"], note=said["note"], by=user, at=now)
        return Response(SnoozesOutput({"results": kept}).data)
