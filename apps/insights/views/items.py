"""The whole of a ranking, a page at a time, narrowed down by what its items hold and by what was said of them."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from aetherflow.insight import SEVERITIES
from aetherflow.registry import departments
from apps.accounts.authentication import user_of
from apps.accounts.fields import TextField
from apps.accounts.pagination import LARGEST, LIMIT, OFFSET, ListPagination
from apps.insights.filtering import Wanted
from apps.insights.models import Insight, InsightItem
from apps.insights.selectors import facet_names, facets_of, insight_for, items_found, page_of
from apps.insights.standing import STATES

PAGING = ("limit", "offset", "after", "format")
MOST_CHOSEN = 100


class WantedInput(serializers.Serializer[Any]):
    """What a reader wants to see of an insight's ranking. Its facets are fields too; what is no field is refused, so
    that a misspelt filter does not pass unnoticed."""

    state = serializers.ListField(
        child=serializers.ChoiceField(choices=STATES), required=False, max_length=MOST_CHOSEN, default=list
    )
    severity = serializers.ListField(
        child=serializers.ChoiceField(choices=SEVERITIES), required=False, max_length=MOST_CHOSEN, default=list
    )
    worth_review = serializers.BooleanField(required=False, allow_null=True, default=None)
    focus = serializers.BooleanField(required=False, allow_null=True, default=None)
    q = TextField(required=False, allow_blank=True, max_length=200, default="")

    def __init__(self, *args: Any, facets: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.facets = facets
        for name in facets:
            self.fields[name] = serializers.ListField(
                child=TextField(max_length=10_000, trim_whitespace=False),
                required=False,
                max_length=MOST_CHOSEN,
                default=list,
            )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                dict.fromkeys(unknown, f"There is no such filter of this insight; there are {known}.")
            )
        return attrs


def wanted_in(insight: Insight, asked: Mapping[str, Any]) -> Wanted:
    """ValidationError where it cannot be followed."""
    given = WantedInput(data=dict(asked), facets=facet_names(insight))
    given.is_valid(raise_exception=True)
    said = given.validated_data
    return Wanted(
        states=said["state"],
        severities=said["severity"],
        worth_review=said["worth_review"],
        focus=said["focus"],
        search=said["q"].strip(),
        facets={name: said[name] for name in given.facets},
    )


def _as_body(params: QueryDict, insight: Insight) -> dict[str, Any]:
    """Of an address, what a body would say: what may be repeated as a list, of anything else the last."""
    lists = {"state", "severity", *facet_names(insight)}
    return {name: params.getlist(name) if name in lists else params[name] for name in params if name not in PAGING}


class AfterInput(serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST)


class RankPagination(ListPagination):
    """By `offset`, or by the rank that a page comes after: a list from which items go while it is read, because
    somebody reviews them, neither repeats nor skips any."""

    default_limit = 50
    max_limit = 1_000
    after: int | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        asked = AfterInput(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        self.after = asked.validated_data.get("after")
        self.ranks: list[int] = queryset
        self.address = request.build_absolute_uri()
        page: list[Any] | None = super().paginate_queryset(queryset, request, view)
        if self.after is not None:
            begin = bisect_right(self.ranks, self.after)
            page = self.ranks[begin : begin + (self.limit or self.default_limit)]
        self.page = page or []
        return page

    def get_next_link(self) -> str | None:
        if self.after is None:
            return super().get_next_link()
        if not self.page or self.page[-1] == self.ranks[-1]:
            return None
        address = remove_query_param(self.address, self.offset_query_param)
        return replace_query_param(address, "after", self.page[-1])

    def get_previous_link(self) -> str | None:
        return super().get_previous_link() if self.after is None else None


class ItemsPage(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="How many there are in each state, whichever of them are asked for; `reopened` of the `open` ones.",
    )
    results = serializers.ListField(
        child=serializers.DictField(), help_text="Each item as in `data`, and its `rank`, from 1, the worst."
    )


def _facets() -> dict[str, list[str]]:
    """By name, the kinds of insights that have it."""
    found: dict[str, list[str]] = {}
    for department in departments().values():
        for insight in department.insights:
            for facet in insight.facets:
                found.setdefault(facet.name, []).append(insight.kind)
    return found


# A thousand items are most of a megabyte as text.
@method_decorator(gzip_page, name="dispatch")
class InsightItemsView(generics.GenericAPIView):
    pagination_class = RankPagination
    queryset = InsightItem.objects.none()
    filter_backends = []

    @extend_schema(
        operation_id="insights_items",
        parameters=[
            OpenApiParameter("limit", LIMIT, description="Items a page, at most 1000; 50 where it is missing."),
            OpenApiParameter("offset", OFFSET, description="How many to pass over."),
            OpenApiParameter(
                "after",
                OFFSET,
                description="Only those of a greater rank, in place of `offset`: pages that neither repeat nor skip "
                "items of which something is said meanwhile. 0 begins, and `next` goes on by it.",
            ),
            OpenApiParameter(
                "state",
                str,
                many=True,
                enum=list(STATES),
                description="Only those in this state; may be repeated. `reopened`: of the open ones those that are "
                "back.",
            ),
            OpenApiParameter("worth_review", bool, description="Only those that are worth a person's time, or not."),
            OpenApiParameter(
                "focus", bool, description="Only those that are worth a person's time or were given some, or not."
            ),
            OpenApiParameter(
                "severity",
                str,
                many=True,
                enum=[*reversed(SEVERITIES)],
                description="Only those of this severity; may be repeated.",
            ),
            OpenApiParameter("q", str, description="Only those in whose names, facets or notes this text stands."),
            *[
                OpenApiParameter(
                    name,
                    str,
                    many=True,
                    description=f"Only those with this value ({', '.join(kinds)}); may be repeated.",
                )
                for name, kinds in _facets().items()
            ],
        ],
        responses=ItemsPage,
    )
    def get(self, request: Request, insight_id: UUID) -> Response:
        """The whole ranking, worst first, a page at a time."""
        insight, now = insight_for(user_of(request), insight_id), timezone.now()
        found = items_found(insight, wanted_in(insight, _as_body(request.query_params, insight)), at=now)
        page = self.get_paginated_response(page_of(insight, self.paginate_queryset(found.ranks) or [], at=now))
        page.data["counts"] = found.counts
        return page


class FacetValueOutput(serializers.Serializer[Any]):
    value = serializers.CharField()
    count = serializers.IntegerField(help_text="Items of the whole ranking.")


class FacetOutput(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="The parameter of the items that narrows them by it.")
    label = serializers.CharField()  # type: ignore[assignment]
    values = FacetValueOutput(many=True, help_text="The commonest first.")
    more = serializers.BooleanField(help_text="There are more values than are listed.")


class FacetsOutput(serializers.Serializer[Any]):
    facets = FacetOutput(many=True)


class InsightFacetsView(APIView):
    @extend_schema(operation_id="insights_facets", responses=FacetsOutput)
    def get(self, request: Request, insight_id: UUID) -> Response:
        """What the items of the ranking can be narrowed by, and the values there are."""
        insight = insight_for(user_of(request), insight_id)
        return Response(FacetsOutput({"facets": facets_of(insight)}).data)
